"""A call and its answer -> the CloudTrail record, in the key order of real ones.

Source: CloudTrail user guide, "CloudTrail record contents"; the order is that of
real records (formats.md 1.3).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from opentrail.format.times import to_iso
from opentrail.local.call import Call, Reply
from opentrail.local.capture.answer import failed, is_unread, read_error_body, read_failure
from opentrail.local.capture.limits import fit, shorten
from opentrail.local.capture.operation import Target
from opentrail.local.capture.plan import Plan
from opentrail.local.capture.resources import finder_of
from opentrail.local.capture.s3_style import additional_data
from opentrail.local.capture.wire import Wire

EVENT_VERSION = "1.11"


def build_record(
    *, call: Call, target: Target, wire: Wire, reply: Reply, plan: Plan, completed: datetime, region: str
) -> dict[str, Any]:
    """One record, for the caller's own account.

    Args:
        completed: UTC; becomes ``eventTime``, in whole seconds.
        region: where the event is recorded.
    """
    failure = read_failure(target, reply) if failed(reply) else None
    record: dict[str, Any] = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": dict(call.caller.identity),
        "eventTime": to_iso(completed),
        "eventSource": plan.naming.event_source,
        "eventName": plan.naming.event_name,
        "awsRegion": region,
        "sourceIPAddress": call.source_ip,
    }
    if agent := wire.headers.get("user-agent"):
        record["userAgent"] = shorten(f"[{agent}]" if plan.wire_style else agent)
    refused = failure is not None and is_unread(target.service, failure.code)
    shown = read_error_body(reply) if failure is not None and plan.shows_errors and not refused else None
    if failure is not None:
        record["errorCode"] = shorten(failure.code)
        if failure.message and shown is None:
            record["errorMessage"] = shorten(failure.message)
    resources = [] if refused else finder_of(target.service, target.operation)(call, target, reply)
    asked = None if refused else plan.spell_request(target, wire, call)
    answered = shown if failure else plan.spell_response(target, reply, call)
    if plan.answers_key and failure is None and resources:
        answered = {"keyId": resources[-1]["ARN"]}
    record["requestParameters"] = fit("requestParameters", asked)
    record["responseElements"] = fit("responseElements", answered)
    if plan.wire_style:
        record["additionalEventData"] = additional_data(call, wire, reply)
    record["requestID"] = call.request_id
    record["eventID"] = call.event_id
    record["readOnly"] = plan.read_only
    if resources:
        record["resources"] = resources
    record["eventType"] = "AwsApiCall"
    if plan.naming.api_version:
        record["apiVersion"] = plan.naming.api_version
    record["managementEvent"] = not plan.data_event
    record["recipientAccountId"] = call.caller.account
    record["eventCategory"] = "Data" if plan.data_event else "Management"
    return record
