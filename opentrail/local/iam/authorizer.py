"""The gate: a call that IAM would refuse is answered with the service's own denial.

A denial is an answer like any other, so it is recorded with its error code.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from xml.sax.saxutils import escape

import msgspec

from opentrail.local.call import Call, Reply
from opentrail.local.capture.resources import partition_of
from opentrail.local.iam.actions import FREE
from opentrail.local.iam.arns import targets
from opentrail.local.iam.context import context_of, principal_arn, tag_keys
from opentrail.local.iam.decide import Principal, decide
from opentrail.local.iam.extra import needs
from opentrail.local.iam.policy import Request
from opentrail.local.iam.sources import held_by, key, key_tags, owner_of, policy_of

log = logging.getLogger(__name__)

# The code of a denial, where it is not AccessDeniedException (JSON) or AccessDenied (XML).
# Source: common errors of the EC2, SNS and SQS API references.
_CODES = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError"}


class Authorizer:
    """Judges calls by the policies moto holds."""

    def refuse(self, call: Call, protocol: str) -> Reply | None:
        """Return the denial of a call, or None for a call that is allowed.

        AWS's own services are not judged, nor are calls that everybody may make.
        """
        if call.caller.identity.get("type") == "AWSService":
            return None
        principal = self._principal(call)
        for request in _requests(call):
            if request.action in FREE:
                continue
            reason = decide(
                request,
                principal,
                policy_of(request.resource),
                owner=owner_of(request.resource),
                partition=partition_of(call.region),
            )
            if reason:
                log.info("denied: %s %s %s", request.action, request.resource, reason)
                return _denial(call, protocol, request, reason)
        return None

    def _principal(self, call: Call) -> Principal:
        arns = tuple(dict.fromkeys((call.caller.arn, principal_arn(call))))
        is_root = call.caller.identity.get("type") == "Root"
        return Principal(arns=arns, account=call.caller.account, is_root=is_root, held=held_by(call))


def _requests(call: Call) -> Iterator[Request]:
    context = context_of(call)
    for action, resource in targets(call):
        subject = _key_arn(call, resource)
        owner = owner_of(subject) or call.caller.account
        tags = tag_keys("aws:resourcetag", key_tags(subject))
        about = {**context, **tags, "aws:resourceaccount": [owner]}
        yield Request(action=action, resource=subject, context=about)
        for need in needs(call, resource):
            more = {"kms:viaservice": [need.via]} if need.via else {}
            yield Request(action=need.action, resource=need.resource, context={**about, **more})


def _key_arn(call: Call, resource: str) -> str:
    """The key an alias stands for: policies are about keys."""
    parts = resource.split(":", 5)
    if len(parts) == 6 and parts[2] == "kms":
        found = key(parts[3], parts[4], parts[5].removeprefix("key/"))
        return str(found.arn) if found is not None else resource
    return resource


def _denial(call: Call, protocol: str, request: Request, reason: str) -> Reply:
    message = (
        f"User: {call.caller.arn} is not authorized to perform: {request.action} on resource: "
        f"{request.resource} {reason}"
    )
    if protocol in {"json", "rest-json"}:
        code = "AccessDeniedException"
        body = msgspec.json.encode({"__type": code, "message": message, "Message": message})
        status = 400 if protocol == "json" else 403
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
        return Reply(status=status, headers=headers, body=body)
    error = f"<Code>{_CODES.get(call.service, 'AccessDenied')}</Code><Message>{escape(message)}</Message>"
    frames = {
        "ec2": "<Response><Errors><Error>{}</Error></Errors><RequestID></RequestID></Response>",
        "rest-xml": "<Error>{}<RequestId></RequestId></Error>",
    }
    query = "<ErrorResponse><Error><Type>Sender</Type>{}</Error><RequestId></RequestId></ErrorResponse>"
    body = b"" if call.method == "HEAD" else frames.get(protocol, query).format(error).encode()
    return Reply(status=403, headers={"Content-Type": "text/xml"}, body=body)
