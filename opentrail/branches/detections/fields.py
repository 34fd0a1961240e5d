"""What a CloudTrail record's members are, as far as a rule may count on it.

EventBridge tests single values: of a field that may hold an object, a list or a number it cannot be said
what a rule means. So patterns say no more than these kinds allow, and the matcher decides the rest.

Source: CloudTrail user guide, "CloudTrail record contents" and "CloudTrail userIdentity element".
"""

from __future__ import annotations

# Text, or absent.
TEXT = frozenset(
    {
        "awsRegion",
        "errorCode",
        "errorMessage",
        "eventCategory",
        "eventID",
        "eventName",
        "eventSource",
        "eventTime",
        "eventType",
        "eventVersion",
        "recipientAccountId",
        "requestID",
        "sharedEventID",
        "sourceIPAddress",
        "userAgent",
        "userIdentity.accessKeyId",
        "userIdentity.accountId",
        "userIdentity.arn",
        "userIdentity.invokedBy",
        "userIdentity.principalId",
        "userIdentity.sessionContext.sessionIssuer.accountId",
        "userIdentity.sessionContext.sessionIssuer.arn",
        "userIdentity.sessionContext.sessionIssuer.principalId",
        "userIdentity.sessionContext.sessionIssuer.type",
        "userIdentity.sessionContext.sessionIssuer.userName",
        "userIdentity.type",
        "userIdentity.userName",
        "vpcEndpointId",
    }
)

# True or false, or absent.
FLAGS = frozenset({"managementEvent", "readOnly"})

# Members of the record itself; a rule about another one never finds it.
MEMBERS = frozenset(
    {field.partition(".")[0] for field in TEXT | FLAGS}
    | {
        "addendum",
        "additionalEventData",
        "annotation",
        "apiVersion",
        "edgeDeviceDetails",
        "eventContext",
        "insightDetails",
        "requestParameters",
        "resources",
        "responseElements",
        "serviceEventDetails",
        "sessionCredentialFromConsole",
        "tlsDetails",
        "vpcEndpointAccountId",
    }
)


def is_member(field: str) -> bool:
    """Is ``field``, or what it is below, a member of records? The empty path is the record itself."""
    return not field or field.partition(".")[0] in MEMBERS
