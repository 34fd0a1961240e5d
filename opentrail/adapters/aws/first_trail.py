"""A deployment's first trail: what it is to be, and making it; an attempt that broke off is finished."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import StorageError

# What CreateTrail takes, with the member of the deployment's outputs that has it.
_FROM_OUTPUTS = {
    "S3BucketName": "LogBucketName",
    "KmsKeyId": "EncryptionKeyArn",
    "CloudWatchLogsLogGroupArn": "TrailLogGroupArn",
    "CloudWatchLogsRoleArn": "TrailLogRoleArn",
}
_INSIGHTS = ("ApiCallRateInsight", "ApiErrorRateInsight")
CREATED, FINISHED, KEPT = "created", "finished", "kept"


@dataclass(frozen=True, slots=True)
class FirstTrail:
    """CreateTrail's input, and what the trail selects beside all management events."""

    request: Mapping[str, Any]
    data_types: tuple[str, ...] = ()  # resource types whose data events are recorded: "AWS::S3::Object"
    insights: bool = False

    @classmethod
    def of(cls, outputs: Mapping[str, str], **changes: Any) -> Self:
        """Read the outputs of a deployment; ``changes`` go over what CreateTrail is sent.

        The trail is multi-Region and validated, lies in the log bucket, is encrypted with the
        deployment's key where it has one, and fills the log group of the CIS alarms where they are.

        Raises:
            StorageError: the deployment is incomplete, or older than its first trail's defaults.
        """
        if "DefaultTrail" not in outputs or "LogBucketName" not in outputs:
            raise StorageError("the deployment does not say what its first trail is to be; deploy again")
        defaults = json.loads(outputs["DefaultTrail"])
        placed = {member: outputs[name] for member, name in _FROM_OUTPUTS.items() if name in outputs}
        request = {
            "Name": defaults["Name"],
            "IsMultiRegionTrail": True,
            "IncludeGlobalServiceEvents": True,
            "EnableLogFileValidation": True,
            **placed,
            **changes,
        }
        return cls(request, tuple(defaults["DataTypes"]), defaults["Insights"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, and how a trail that was there before differs from what it was to be."""

    done: str  # "created", "finished" (an attempt that broke off) or "kept"
    arn: str
    differences: tuple[str, ...] = ()


def make_first_trail(cloudtrail: Any, wanted: FirstTrail) -> Outcome:
    """Create the trail and start it. One of that name that was ever started stays as it is.

    Raises:
        StorageError: CloudTrail refused, or did not answer; a later attempt goes on from there.
    """
    name = wanted.request["Name"]
    with storage_errors(f"create trail {name}"):
        try:
            arn, done = cloudtrail.create_trail(**wanted.request)["TrailARN"], CREATED
        except cloudtrail.exceptions.TrailAlreadyExistsException:
            trail = cloudtrail.get_trail(Name=name)["Trail"]
            status = cloudtrail.get_trail_status(Name=name)
            arn, done = trail["TrailARN"], FINISHED
            if status.get(
                "TimeLoggingStarted"
            ):  # CloudTrail API, GetTrailStatus: absent before the first start
                return Outcome(KEPT, arn, _differences(trail, status, wanted))
    with storage_errors(f"set up trail {name}"):
        _select(cloudtrail, arn, wanted)
        cloudtrail.start_logging(Name=arn)
    return Outcome(done, arn)


def _select(cloudtrail: Any, arn: str, wanted: FirstTrail) -> None:
    if wanted.data_types:
        selectors = [_selector("Management"), *(_selector("Data", type_) for type_ in wanted.data_types)]
        cloudtrail.put_event_selectors(TrailName=arn, AdvancedEventSelectors=selectors)
    if wanted.insights:
        chosen = [{"InsightType": name} for name in _INSIGHTS]
        cloudtrail.put_insight_selectors(TrailName=arn, InsightSelectors=chosen)


def _selector(category: str, resource_type: str = "") -> dict[str, Any]:
    fields = [{"Field": "eventCategory", "Equals": [category]}]
    if resource_type:
        fields.append({"Field": "resources.type", "Equals": [resource_type]})
    return {"Name": resource_type or "Management events", "FieldSelectors": fields}


# GetTrail's members where they are not called as CreateTrail's.
_ANSWERED_AS = {"EnableLogFileValidation": "LogFileValidationEnabled"}


def _differences(trail: Mapping[str, Any], status: Mapping[str, Any], wanted: FirstTrail) -> tuple[str, ...]:
    found = []
    for member, value in wanted.request.items():
        has = trail.get(_ANSWERED_AS.get(member, member))
        if has != value:
            found.append(
                f"{member} is {'absent' if has is None else json.dumps(has)}, not {json.dumps(value)}"
            )
    if not status["IsLogging"]:
        found.append("it is stopped")
    return tuple(found)
