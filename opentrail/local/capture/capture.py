"""One call, before and after it runs: who, what, and the records it leaves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from opentrail.local.call import ON_BEHALF, Call, Caller, Captured, Reply
from opentrail.local.capture.credential import Credential, read_credential
from opentrail.local.capture.federation import federated_caller
from opentrail.local.capture.identity import Callers, service_caller
from opentrail.local.capture.ids import new_event_id, new_request_id
from opentrail.local.capture.issued import learn
from opentrail.local.capture.operation import Target, find_target
from opentrail.local.capture.plan import Plan, plan_of
from opentrail.local.capture.recipients import copies
from opentrail.local.capture.record import build_record
from opentrail.local.capture.resources import owner_of_arn, partition_of
from opentrail.local.capture.sessions import Sessions
from opentrail.local.capture.wire import Wire

DETAIL_TYPE = "AWS API Call via CloudTrail"
ACCOUNT_HEADER = "x-moto-account-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A request whose operation and caller are known."""

    call: Call
    target: Target
    wire: Wire
    plan: Plan


class Capture:
    """Turns requests into calls, and calls with their answers into records."""

    def __init__(
        self, *, default_account: str, default_region: str, unrecorded_roles: Callable[[], Collection[str]]
    ) -> None:
        self._default_account = default_account
        self._default_region = default_region
        self._unrecorded_roles = unrecorded_roles
        self._sessions = Sessions()
        self._callers = Callers(default_account=default_account, sessions=self._sessions)

    def understand(self, environ: dict[str, Any], wire: Wire, arrived: datetime) -> Understood | None:
        """The call a request is, or None for a request that is no AWS API call."""
        credential = read_credential(wire)
        target = find_target(environ, wire, credential)
        if target is None:
            return None
        call = self._call(wire, target, credential, arrived, str(environ.get(ON_BEHALF, "")))
        return Understood(call=call, target=target, wire=wire, plan=plan_of(target.service, target.operation))

    def forget(self) -> None:
        """Forget the sessions STS gave out; moto forgets its own at the same time."""
        self._sessions.clear()

    def finish(self, understood: Understood, reply: Reply) -> Reply:
        """Learn from the answer: sessions that STS gave out."""
        return learn(understood.call, understood.target, reply, self._sessions)

    def records(self, understood: Understood, reply: Reply, completed: datetime) -> Iterator[Captured]:
        """The records of one finished call, one for each account that receives it."""
        call, plan = understood.call, understood.plan
        if self.is_unrecorded(call.caller) or self._is_for_unrecorded(call):
            return
        region = plan.naming.region or call.region
        record = build_record(
            call=call,
            target=understood.target,
            wire=understood.wire,
            reply=reply,
            plan=plan,
            completed=completed,
            region=region,
        )
        for copy in copies(record, call.caller):
            yield Captured(
                account=copy["recipientAccountId"],
                region=region,
                source=f"aws.{plan.naming.event_source.partition('.')[0]}",
                detail_type=DETAIL_TYPE,
                time=completed,
                detail=msgspec.json.encode(copy),
                read_only=plan.read_only,
                category=copy["eventCategory"],
            )

    def _call(
        self, wire: Wire, target: Target, credential: Credential, arrived: datetime, on_behalf: str
    ) -> Call:
        region = credential.region or self._default_region
        caller = self._caller(wire, target, credential, region)
        if on_behalf:
            caller = replace(caller, identity={**caller.identity, "invokedBy": on_behalf})
        return Call(
            service=target.service,
            operation=target.operation,
            parameters=target.parameters or {},
            region=region,
            caller=caller,
            method=wire.method,
            path=wire.path,
            query=wire.query,
            headers=wire.headers,
            body=wire.body,
            source_ip=wire.source_ip,
            arrived=arrived,
            event_id=new_event_id(arrived),
            request_id=new_request_id(target.service),
        )

    def _caller(self, wire: Wire, target: Target, credential: Credential, region: str) -> Caller:
        if wire.invoked_by:
            role = str((target.parameters or {}).get("RoleArn", ""))
            return service_caller(wire.invoked_by, owner_of_arn(role) or self._default_account)
        if target.service == "sts":
            federated = federated_caller(target.operation, target.parameters or {})
            if federated is not None:
                return federated
        account = wire.headers.get(ACCOUNT_HEADER, "")
        return self._callers.find(credential.access_key, partition=partition_of(region), account=account)

    def is_unrecorded(self, caller: Caller) -> bool:
        """Is it one of the roles whose calls leave no records?"""
        issuer = caller.identity.get("sessionContext", {}).get("sessionIssuer", {})
        return issuer.get("arn") in self._unrecorded_roles() if issuer else False

    def _is_for_unrecorded(self, call: Call) -> bool:
        """Is it a service that takes on one of those roles?"""
        by_service = "invokedBy" in call.caller.identity
        return by_service and call.parameters.get("RoleArn") in self._unrecorded_roles()
