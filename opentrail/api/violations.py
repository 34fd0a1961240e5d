"""Which of an operation's own errors answers a broken constraint."""

from __future__ import annotations

from opentrail.api.errors import ApiError
from opentrail.api.service import modeled_errors
from opentrail.api.validation import Violation, Violations

# Parameter -> the error AWS has for it, where the operation models that. Which one the live service
# picks is UNCONFIRMED for most; these are the ones whose description names the parameter.
_OWN_ERRORS = {
    "AdvancedEventSelectors": "InvalidEventSelectorsException",
    "Channel": "ChannelARNInvalidException",
    "CloudWatchLogsLogGroupArn": "InvalidCloudWatchLogsLogGroupArnException",
    "CloudWatchLogsRoleArn": "InvalidCloudWatchLogsRoleArnException",
    "EventCategory": "InvalidEventCategoryException",
    "EventDataStore": "EventDataStoreARNInvalidException",
    "EventSelectors": "InvalidEventSelectorsException",
    "ImportSource": "InvalidImportSourceException",
    "InsightSelectors": "InvalidInsightSelectorsException",
    "KmsKeyId": "InvalidKmsKeyIdException",
    "LookupAttributes": "InvalidLookupAttributesException",
    "MaxResults": "InvalidMaxResultsException",
    "Name": "InvalidTrailNameException",
    "NextToken": "InvalidNextTokenException",
    "QueryStatement": "InvalidQueryStatementException",
    "QueryStatus": "InvalidQueryStatusException",
    "ResourceArn": "ResourceARNNotValidException",
    "ResourceId": "CloudTrailARNInvalidException",
    "ResourceIdList": "CloudTrailARNInvalidException",
    "ResourcePolicy": "ResourcePolicyNotValidException",
    "S3BucketName": "InvalidS3BucketNameException",
    "S3KeyPrefix": "InvalidS3PrefixException",
    "SnsTopicName": "InvalidSnsTopicNameException",
    "Source": "InvalidSourceException",
    "TagsList": "InvalidTagParameterException",
    "TrailName": "InvalidTrailNameException",
    "trailNameList": "InvalidTrailNameException",
}


def refuse_violations(operation: str, violations: Violations) -> None:
    """Do nothing when there are none.

    Raises:
        ApiError: the operation's own error for the first broken parameter that
            has one, else InvalidParameterException if modeled, else ValidationException.
    """
    if not violations:
        return
    modeled = modeled_errors(operation)
    candidates = [c for violation in violations for c in _own_errors(violation)]
    candidates.append("InvalidParameterException")
    code = next((code for code in candidates if code in modeled), "ValidationException")
    raise ApiError(code, str(violations))


def _own_errors(violation: Violation) -> tuple[str, ...]:
    """What answers it where an operation has it, the closest first."""
    own = _OWN_ERRORS.get(violation.parameter, "")
    if own == "InvalidTagParameterException" and violation.constraint == "length" and not violation.nested:
        return "TagsLimitExceededException", own
    return (own,)
