"""Who answers a call of CloudFormation: the deployer, or moto.

A stack belongs to the deployer when it knows every resource type of its
template, else to moto, which makes some of those and drops others silently. A
stack keeps its owner. Lists show the stacks of both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name
from botocore.exceptions import ClientError

from opentrail.errors import DeployError
from opentrail.local.call import Call, Reply, ServiceHandler
from opentrail.local.capture.reply import call_application
from opentrail.local.cloudformation import change_sets, stacks
from opentrail.local.cloudformation.behalf import Behalf
from opentrail.local.cloudformation.place import Place, Session
from opentrail.local.cloudformation.wire import SERVICE, Refusal, answer, refuse
from opentrail.local.deployer.providers import PROVIDERS
from opentrail.local.deployer.state import StackState, StackStores
from opentrail.local.transport import wsgi_environ

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

StackChanged = Callable[[str, str, StackState], None]  # account, Region, the stack as it is now

OPERATIONS: Final = {**stacks.OPERATIONS, **change_sets.OPERATIONS}
_LISTS: Final = {  # operations that show both owners' stacks: operation -> member
    "DescribeStacks": "Stacks",
    "ListExports": "Exports",
    "ListStacks": "StackSummaries",
}
_MAKE: Final = frozenset({"CreateStack", "CreateChangeSet"})
_READ_A_TEMPLATE: Final = frozenset({"GetTemplateSummary", "ValidateTemplate"})


def cloudformation_service(
    *,
    gateway: Callable[[], WSGIApplication],
    moto: WSGIApplication,
    below: Any,
    endpoint: Callable[[], str],
    stores: StackStores,
    changed: StackChanged,
) -> ServiceHandler:
    """The handler for the service ``cloudformation``.

    Args:
        gateway: what stacks are made through, so that each resource leaves its records.
        moto: answers for the stacks it owns.
        below: clients below the gateway, of any account and Region.
        endpoint: where clients reach the laptop; queue URLs carry it.
        stores: the deployer's stacks by account and Region.
        changed: is told of every stack that was deployed, updated or deleted.
    """
    return _CloudFormation(moto, below, Behalf(gateway, below, endpoint), stores, changed).handle


class _CloudFormation:
    def __init__(
        self,
        moto: WSGIApplication,
        below: Any,
        behalf: Behalf,
        stores: StackStores,
        changed: StackChanged,
    ) -> None:
        self._moto = moto
        self._below = below
        self._behalf = behalf
        self._stores = stores
        self._changed = changed
        self._lock = threading.Lock()
        self._places: dict[tuple[str, str], Place] = {}

    def handle(self, call: Call) -> Reply:
        """Answer one call."""
        session = self._session(call)
        operation = OPERATIONS.get(call.operation)
        try:
            if operation is None or not self._is_ours(session):
                return self._forward(call)
            with session.place.lock:
                members = operation(session)
            if call.operation in _LISTS and not call.parameters.get("StackName"):
                members = self._with_motos(call, members)
            return answer(call.operation, members)
        except Refusal as refusal:
            return refuse(refusal)
        except DeployError as error:
            return refuse(Refusal(str(error)))

    def _session(self, call: Call) -> Session:
        account, region = call.caller.account, call.region
        with self._lock:
            place = self._places.get((account, region))
            if place is None:
                place = self._places[account, region] = Place(self._stores.at(account, region))
        return Session(call, place, self._behalf, lambda stack: self._changed(account, region, stack))

    def _is_ours(self, session: Session) -> bool:
        parameters, operation = session.parameters, session.call.operation
        name = parameters.get("StackName")
        if parameters.get("ChangeSetName") and operation not in _MAKE:
            known = session.place.change_set(parameters) is not None
            return known or (bool(name) and session.place.store.get(str(name)) is not None)
        if operation in _MAKE:
            existing = session.place.store.get(str(name))
            return existing is not None or self._knows_types(session)
        if name:
            return session.place.store.get(name) is not None
        return operation not in _READ_A_TEMPLATE or self._knows_types(session)

    def _knows_types(self, session: Session) -> bool:
        source = session.source()
        if source is None:
            return True
        resources: Mapping[str, Any] = source[1].get("Resources") or {}
        bodies = [body for body in resources.values() if isinstance(body, Mapping)]
        return all(body.get("Type") in PROVIDERS for body in bodies)

    def _forward(self, call: Call) -> Reply:
        url = f"http://{call.headers.get('host', 'localhost')}{call.path}"
        url += f"?{call.query}" if call.query else ""
        return call_application(self._moto, wsgi_environ(call.method, url, dict(call.headers), call.body))

    def _with_motos(self, call: Call, members: dict[str, Any]) -> dict[str, Any]:
        member = _LISTS[call.operation]
        client = self._below(SERVICE, region=call.region, account=call.caller.account)
        asked = {key: value for key, value in call.parameters.items() if key != "NextToken"}
        try:
            others = getattr(client, xform_name(call.operation))(**asked)[member]
        except ClientError as error:
            found = error.response["Error"]
            raise Refusal(str(found.get("Message")), str(found.get("Code"))) from error
        return {**members, member: [*members[member], *others]}
