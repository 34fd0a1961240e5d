"""Clients that act for the caller of CloudFormation: through the gateway, so their calls are recorded.

Source: CloudTrail user guide, "CloudTrail userIdentity element": ``invokedBy`` is the
service that made the call, and the record's address and agent are that service's too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from opentrail.local.call import ON_BEHALF, Call
from opentrail.local.cloudformation.wire import Refusal
from opentrail.local.transport import Clients

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PRINCIPAL = "cloudformation.amazonaws.com"
SESSION = "AWSCloudFormation"  # the role session's name in real records


class Behalf:
    """Makes one set of clients per caller and role; safe to share between threads."""

    def __init__(
        self, gateway: Callable[[], WSGIApplication], below: Any, endpoint: Callable[[], str]
    ) -> None:
        """``below`` makes clients below the gateway: taking on a role is CloudFormation's own doing."""
        self._gateway = gateway
        self._below = below
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str, str, str], Clients] = {}

    def clients(self, call: Call, role_arn: str = "") -> Clients:
        """Return clients with the caller's credentials, or with those of ``role_arn``.

        Raises:
            Refusal: the role cannot be taken on.
        """
        key = (call.caller.access_key, call.caller.account, call.region, role_arn)
        with self._lock:
            made = self._made.get(key)
            if made is None:
                made = self._made[key] = self._make(call, role_arn)
        return made

    def _make(self, call: Call, role_arn: str) -> Clients:
        account = call.caller.account
        access_key, secret = call.caller.access_key, "not-checked"
        if role_arn:
            sts = self._below("sts", account=account, region=call.region)
            try:
                taken = sts.assume_role(RoleArn=role_arn, RoleSessionName=SESSION)["Credentials"]
            except ClientError as error:
                text = f"Role {role_arn} is invalid or cannot be assumed"
                raise Refusal(text) from error
            access_key, secret = taken["AccessKeyId"], taken["SecretAccessKey"]

        def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            changed = {
                **environ,
                ON_BEHALF: PRINCIPAL,
                "REMOTE_ADDR": PRINCIPAL,
                "HTTP_USER_AGENT": PRINCIPAL,
                "HTTP_X_MOTO_ACCOUNT_ID": account,
            }
            return self._gateway()(changed, start)

        return Clients(
            application,
            account=account,
            region=call.region,
            endpoint=self._endpoint,
            access_key=access_key or "anonymous",
            secret_key=secret,
            act_as_account=False,
        )
