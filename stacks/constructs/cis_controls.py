"""What section 4 of the CIS AWS Foundations Benchmark wants to be told of, as data.

Source: CIS Amazon Web Services Foundations Benchmark, section "Monitoring", 4.1 to 4.15 (the
numbers of versions 1.5 to 3.0); CloudWatch Logs user guide, "Filter pattern syntax".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CisControl:
    """One control: records that match ``pattern``, of which a person must hear."""

    number: str  # of the benchmark
    name: str  # of metric, filter and alarm
    title: str  # in an alarm's description
    pattern: str  # CloudWatch Logs filter pattern over CloudTrail records


def _calls(*names: str, source: str = "") -> str:
    """The pattern of any of these calls, of one service when ``source`` is given."""
    any_of = " || ".join(f"($.eventName = {name})" for name in names)
    if not source:
        return f"{{ {any_of} }}"
    return f"{{ ($.eventSource = {source}.amazonaws.com) && ({any_of}) }}"


def _login(*conditions: str) -> str:
    """The pattern of console sign-ins that meet every condition."""
    return "{ " + " && ".join(f"({c})" for c in ("$.eventName = ConsoleLogin", *conditions)) + " }"


CONTROLS: Sequence[CisControl] = (
    CisControl(
        "4.1",
        "UnauthorizedApiCalls",
        "calls that were refused",
        # Spelling and order are those that scanners look for; S3's log delivery and HeadBucket are noise.
        '{ (($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*"))'
        ' && ($.sourceIPAddress != "delivery.logs.amazonaws.com") && ($.eventName != "HeadBucket") }',
    ),
    CisControl(
        "4.2",
        "ConsoleSignInWithoutMfa",
        "console sign-in of an IAM user without MFA",
        _login(
            '$.additionalEventData.MFAUsed != "Yes"',
            '$.userIdentity.type = "IAMUser"',
            '$.responseElements.ConsoleLogin = "Success"',
        ),
    ),
    CisControl(
        "4.3",
        "RootUsage",
        "use of the root user",
        '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS'
        ' && $.eventType != "AwsServiceEvent" }',
    ),
    CisControl(
        "4.4",
        "IamPolicyChanges",
        "changes of IAM policies",
        _calls(
            "DeleteGroupPolicy",
            "DeleteRolePolicy",
            "DeleteUserPolicy",
            "PutGroupPolicy",
            "PutRolePolicy",
            "PutUserPolicy",
            "CreatePolicy",
            "DeletePolicy",
            "CreatePolicyVersion",
            "DeletePolicyVersion",
            "AttachRolePolicy",
            "DetachRolePolicy",
            "AttachUserPolicy",
            "DetachUserPolicy",
            "AttachGroupPolicy",
            "DetachGroupPolicy",
            source="iam",
        ),
    ),
    CisControl(
        "4.5",
        "CloudTrailChanges",
        "changes of trails",
        _calls("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"),
    ),
    CisControl(
        "4.6",
        "ConsoleAuthenticationFailures",
        "console sign-ins that failed",
        _login('$.errorMessage = "Failed authentication"'),
    ),
    CisControl(
        "4.7",
        "KmsKeyDisabledOrDeleted",
        "KMS keys disabled or scheduled for deletion",
        _calls("DisableKey", "ScheduleKeyDeletion", source="kms"),
    ),
    CisControl(
        "4.8",
        "S3BucketPolicyChanges",
        "changes of bucket policies",
        _calls(
            "PutBucketAcl",
            "PutBucketPolicy",
            "PutBucketCors",
            "PutBucketLifecycle",
            "PutBucketReplication",
            "DeleteBucketPolicy",
            "DeleteBucketCors",
            "DeleteBucketLifecycle",
            "DeleteBucketReplication",
            source="s3",
        ),
    ),
    CisControl(
        "4.9",
        "ConfigChanges",
        "changes of AWS Config",
        _calls(
            "StopConfigurationRecorder",
            "DeleteDeliveryChannel",
            "PutDeliveryChannel",
            "PutConfigurationRecorder",
            source="config",
        ),
    ),
    CisControl(
        "4.10",
        "SecurityGroupChanges",
        "changes of security groups",
        _calls(
            "AuthorizeSecurityGroupIngress",
            "AuthorizeSecurityGroupEgress",
            "RevokeSecurityGroupIngress",
            "RevokeSecurityGroupEgress",
            "CreateSecurityGroup",
            "DeleteSecurityGroup",
        ),
    ),
    CisControl(
        "4.11",
        "NetworkAclChanges",
        "changes of network ACLs",
        _calls(
            "CreateNetworkAcl",
            "CreateNetworkAclEntry",
            "DeleteNetworkAcl",
            "DeleteNetworkAclEntry",
            "ReplaceNetworkAclEntry",
            "ReplaceNetworkAclAssociation",
        ),
    ),
    CisControl(
        "4.12",
        "NetworkGatewayChanges",
        "changes of network gateways",
        _calls(
            "CreateCustomerGateway",
            "DeleteCustomerGateway",
            "AttachInternetGateway",
            "CreateInternetGateway",
            "DeleteInternetGateway",
            "DetachInternetGateway",
        ),
    ),
    CisControl(
        "4.13",
        "RouteTableChanges",
        "changes of route tables",
        _calls(
            "CreateRoute",
            "CreateRouteTable",
            "ReplaceRoute",
            "ReplaceRouteTableAssociation",
            "DeleteRouteTable",
            "DeleteRoute",
            "DisassociateRouteTable",
            source="ec2",
        ),
    ),
    CisControl(
        "4.14",
        "VpcChanges",
        "changes of VPCs",
        _calls(
            "CreateVpc",
            "DeleteVpc",
            "ModifyVpcAttribute",
            "AcceptVpcPeeringConnection",
            "CreateVpcPeeringConnection",
            "DeleteVpcPeeringConnection",
            "RejectVpcPeeringConnection",
            "AttachClassicLinkVpc",
            "DetachClassicLinkVpc",
            "DisableVpcClassicLink",
            "EnableVpcClassicLink",
        ),
    ),
    CisControl(
        "4.15",
        "OrganizationsChanges",
        "changes of the organization",
        _calls(
            "AcceptHandshake",
            "AttachPolicy",
            "CancelHandshake",
            "CreateAccount",
            "CreateOrganization",
            "CreateOrganizationalUnit",
            "CreatePolicy",
            "DeclineHandshake",
            "DeleteOrganization",
            "DeleteOrganizationalUnit",
            "DeletePolicy",
            "DetachPolicy",
            "DisablePolicyType",
            "EnableAllFeatures",
            "EnablePolicyType",
            "InviteAccountToOrganization",
            "LeaveOrganization",
            "MoveAccount",
            "RemoveAccountFromOrganization",
            "UpdatePolicy",
            "UpdateOrganizationalUnit",
            source="organizations",
        ),
    ),
)
