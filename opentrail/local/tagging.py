"""The Resource Groups Tagging API on the laptop: moto's resources and CloudTrail's trails as one.

Trails come first, then what moto knows; tags of trails are changed through
CloudTrail's own operations, so its rules hold whichever way they are changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError

from opentrail.adapters.aws.trails import DynamoTrails
from opentrail.api.app import ApiRequest, CloudTrailApi
from opentrail.local.call import Call, Reply, ServiceHandler
from opentrail.local.cloudtrail import Clients, make_ports
from opentrail.model.trail import Trail

SERVICE = "resourcegroupstaggingapi"
DEFAULT_PAGE = 50  # resources. Source: API reference, GetResources
_TOKEN = re.compile(r"trail-\d{1,6}")  # of a page that is not moto's, with the trails already shown
_CONTENT_TYPE = "application/x-amz-json-1.1"

Members = Mapping[str, Any]


def tagging_service(clients: Clients, outputs: Mapping[str, str]) -> ServiceHandler:
    """The handler for the service ``resourcegroupstaggingapi``; arguments as ``cloudtrail_service``."""
    tagging = _Tagging(
        clients,
        DynamoTrails(clients("dynamodb"), outputs["TrailsTableName"]),
        CloudTrailApi(make_ports(clients, outputs)),
    )
    return tagging.handle


class _Tagging:
    """One operation of the tagging API per method."""

    def __init__(self, clients: Clients, trails: DynamoTrails, cloudtrail: CloudTrailApi) -> None:
        self._clients = clients
        self._trails = trails
        self._cloudtrail = cloudtrail
        self._operations: dict[str, Callable[[Call], Members]] = {
            "GetResources": self._get_resources,
            "GetTagKeys": self._get_tag_keys,
            "GetTagValues": self._get_tag_values,
            "TagResources": self._tag_resources,
            "UntagResources": self._untag_resources,
        }

    def handle(self, call: Call) -> Reply:
        """Answer one call; what moto refuses is refused in its words."""
        answer = self._operations.get(call.operation, self._forward)
        try:
            return _reply(200, answer(call))
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            found = error.response["Error"]
            return _reply(status, {"__type": found.get("Code", ""), "message": found.get("Message", "")})
        except ParamValidationError as error:
            return _reply(400, {"__type": "InvalidParameterException", "message": str(error)})

    def _forward(self, call: Call, **changes: Any) -> dict[str, Any]:
        client = self._clients(SERVICE, region=call.region, account=call.caller.account)
        members = {k: v for k, v in {**call.parameters, **changes}.items() if v is not None}
        output: dict[str, Any] = getattr(client, xform_name(call.operation))(**members)
        output.pop("ResponseMetadata", None)
        return output

    def _own(self, call: Call) -> list[Trail]:
        owned = self._trails.trails_of(call.caller.account)
        return [trail for trail in owned if trail.home_region == call.region and trail.tags]

    def _get_resources(self, call: Call) -> Members:
        token = call.parameters.get("PaginationToken") or ""
        if token and not _TOKEN.fullmatch(token):
            return self._forward(call)
        found = [trail for trail in self._own(call) if _is_wanted(trail, call.parameters)]
        start = int(token.partition("-")[2] or 0)
        size = call.parameters.get("ResourcesPerPage") or DEFAULT_PAGE
        page = [_show(trail) for trail in found[start : start + size]]
        if start + size < len(found) or len(page) == size:
            return {"ResourceTagMappingList": page, "PaginationToken": f"trail-{start + len(page)}"}
        others = self._forward(call, PaginationToken=None, ResourcesPerPage=size - len(page))
        return {**others, "ResourceTagMappingList": [*page, *others["ResourceTagMappingList"]]}

    def _get_tag_keys(self, call: Call) -> Members:
        keys = {key for trail in self._own(call) for key in trail.tags}
        return _joined(self._forward(call), "TagKeys", keys)

    def _get_tag_values(self, call: Call) -> Members:
        key = call.parameters.get("Key")
        values = {trail.tags[key] for trail in self._own(call) if key in trail.tags}
        return _joined(self._forward(call), "TagValues", values)

    def _tag_resources(self, call: Call) -> Members:
        tags = [
            {"Key": key, "Value": value or None} for key, value in (call.parameters.get("Tags") or {}).items()
        ]
        return self._change(call, "AddTags", tags)

    def _untag_resources(self, call: Call) -> Members:
        return self._change(
            call, "RemoveTags", [{"Key": key} for key in call.parameters.get("TagKeys") or ()]
        )

    def _change(self, call: Call, operation: str, tags: list[dict[str, Any]]) -> Members:
        arns = call.parameters.get("ResourceARNList") or []
        own = [arn for arn in arns if arn.split(":")[2:3] == ["cloudtrail"]]
        others = [arn for arn in arns if arn not in own]
        failed = {arn: self._change_one(call, operation, arn, tags) for arn in own}
        forwarded = self._forward(call, ResourceARNList=others) if others or not own else {}
        return {
            "FailedResourcesMap": {
                **{arn: failure for arn, failure in failed.items() if failure},
                **(forwarded.get("FailedResourcesMap") or {}),
            }
        }

    def _change_one(self, call: Call, operation: str, arn: str, tags: list[dict[str, Any]]) -> Members:
        """The entry of ``FailedResourcesMap``, empty when it worked."""
        reply = self._cloudtrail.answer(
            ApiRequest(
                target=operation,
                body=json.dumps({"ResourceId": arn, "TagsList": tags}).encode(),
                account=call.caller.account,
                region=call.region,
                caller_arn=call.caller.arn,
                now=call.arrived,
            )
        )
        if reply.status == 200:
            return {}
        refusal = json.loads(reply.body)
        code = "InvalidParameterException" if reply.status < 500 else "InternalServiceException"
        text = f"{refusal['__type']}: {refusal.get('Message', '')}"
        return {"StatusCode": reply.status, "ErrorCode": code, "ErrorMessage": text}


def _is_wanted(trail: Trail, parameters: Members) -> bool:
    arns = parameters.get("ResourceARNList")
    types = parameters.get("ResourceTypeFilters")
    return (
        (not arns or trail.arn in arns)
        and (not types or bool({"cloudtrail", "cloudtrail:trail"} & set(types)))
        and all(_has_tag(trail, f) for f in parameters.get("TagFilters") or ())
    )


def _has_tag(trail: Trail, tag_filter: Members) -> bool:
    key, values = tag_filter.get("Key"), tag_filter.get("Values")
    return key in trail.tags and (not values or trail.tags[key] in values)


def _show(trail: Trail) -> Members:
    return {"ResourceARN": trail.arn, "Tags": [{"Key": k, "Value": v} for k, v in trail.tags.items()]}


def _joined(answer: dict[str, Any], member: str, more: Iterable[str]) -> Members:
    """On moto's last page, what only trails have is added."""
    if answer.get("PaginationToken"):
        return answer
    known = answer.get(member) or []
    return {**answer, member: [*known, *sorted(set(more) - set(known))]}


def _reply(status: int, members: Members) -> Reply:
    return Reply(status=status, headers={"Content-Type": _CONTENT_TYPE}, body=msgspec.json.encode(members))
