"""CloudTrail's control plane: one request in, one reply out.

The table ``ACTIONS`` says what is built; every other operation of the model
answers UnsupportedOperationException.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from botocore.model import OperationModel

from opentrail.api.actions import (
    delegated_admins,
    event_configuration,
    event_history,
    event_selectors,
    insight_selectors,
    insights_data,
    insights_metrics,
    logging_state,
    public_keys,
    resource_policies,
    tags,
    trails,
)
from opentrail.api.errors import ApiError
from opentrail.api.ports import Ports
from opentrail.api.protocol import read_input, write_output
from opentrail.api.scene import Action, Scene
from opentrail.api.service import find_operation, modeled_errors
from opentrail.errors import ConflictError, StorageError

# Writers of one trail are few and an action is quick: more than a few lost races means something else.
MAX_ATTEMPTS = 4

ACTIONS: dict[str, Action] = {
    "AddTags": tags.add_tags,
    "CreateTrail": trails.create_trail,
    "DeleteResourcePolicy": resource_policies.refuse_resource,
    "DeleteTrail": trails.delete_trail,
    "DeregisterOrganizationDelegatedAdmin": delegated_admins.deregister_admin,
    "DescribeTrails": trails.describe_trails,
    "GetEventConfiguration": event_configuration.get_event_configuration,
    "GetEventSelectors": event_selectors.get_event_selectors,
    "GetInsightSelectors": insight_selectors.get_insight_selectors,
    "GetResourcePolicy": resource_policies.refuse_resource,
    "GetTrail": trails.get_trail,
    "GetTrailStatus": logging_state.get_trail_status,
    "ListInsightsData": insights_data.list_insights_data,
    "ListInsightsMetricData": insights_metrics.list_insights_metric_data,
    "ListPublicKeys": public_keys.list_public_keys,
    "ListTags": tags.list_tags,
    "ListTrails": trails.list_trails,
    "LookupEvents": event_history.lookup_events,
    "PutEventConfiguration": event_configuration.put_event_configuration,
    "PutEventSelectors": event_selectors.put_event_selectors,
    "PutInsightSelectors": insight_selectors.put_insight_selectors,
    "PutResourcePolicy": resource_policies.refuse_resource,
    "RegisterOrganizationDelegatedAdmin": delegated_admins.register_admin,
    "RemoveTags": tags.remove_tags,
    "StartLogging": logging_state.start_logging,
    "StopLogging": logging_state.stop_logging,
    "UpdateTrail": trails.update_trail,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One authenticated request.

    ``target`` is the X-Amz-Target header or the operation's bare name; ``now`` is UTC.
    """

    target: str
    body: bytes
    account: str
    region: str
    caller_arn: str
    now: datetime
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiReply:
    """What goes back. ``failure`` is for the host's log only: why a 5xx, never shown to the caller."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    failure: str = ""


class CloudTrailApi:
    """The API over its ports; keeps no state of its own."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def answer(self, request: ApiRequest) -> ApiReply:
        """Answer one request. No request makes it raise; only a failing store makes it answer 5xx."""
        try:
            return _reply(request, 200, self._run(request))
        except ApiError as error:
            return _refusal(request, error)
        except StorageError as error:
            return _refusal(request, _outage(error), failure=str(error))

    def _run(self, request: ApiRequest) -> bytes:
        operation = find_operation(request.target)
        if operation is None:
            raise ApiError("UnknownOperationException", "")
        given = read_input(operation, request.body)
        action = ACTIONS.get(operation.name)
        if action is None:
            message = f"OpenTrail does not support the operation {operation.name}."
            raise ApiError("UnsupportedOperationException", message)
        scene = Scene(
            account=request.account,
            region=request.region,
            caller_arn=request.caller_arn,
            now=request.now,
            ports=self._ports,
        )
        return write_output(operation.output_shape, _attempt(operation, action, scene, given))


def _attempt(
    operation: OperationModel, action: Action, scene: Scene, given: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Run the action; when another writer came first, look again and decide anew."""
    for _ in range(MAX_ATTEMPTS):
        try:
            return action(scene, given)
        except ConflictError:
            continue
    code = (
        "ConflictException"
        if "ConflictException" in modeled_errors(operation.name)
        else "ThrottlingException"
    )
    raise ApiError(code, "The resource is being modified by another request. Try again.")


def _outage(error: StorageError) -> ApiError:
    if error.code:
        return ApiError("InternalFailure", "The request failed because of an internal error.")
    return ApiError("ServiceUnavailable", "The request failed because a store did not answer.")


def _refusal(request: ApiRequest, error: ApiError, failure: str = "") -> ApiReply:
    body = {"__type": error.code, **({"Message": error.message} if error.message else {})}
    return _reply(request, error.status, msgspec.json.encode(body), failure)


def _reply(request: ApiRequest, status: int, body: bytes, failure: str = "") -> ApiReply:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": request.request_id}
    return ApiReply(status=status, body=body, headers=headers, failure=failure)
