"""An ARN -> the names events and AWS Config know the resource by.

Source: Service Authorization Reference (ARN formats); AWS Config developer guide,
"Supported Resource Types" (type names).
"""

from __future__ import annotations

from dataclasses import dataclass

from opentrail.errors import FormatError

# ARN's service and kind of resource -> Config's type. "" is an ARN that names no kind.
_TYPES = {
    ("s3", ""): "AWS::S3::Bucket",
    ("sns", ""): "AWS::SNS::Topic",
    ("sqs", ""): "AWS::SQS::Queue",
    ("iam", "user"): "AWS::IAM::User",
    ("iam", "role"): "AWS::IAM::Role",
    ("iam", "group"): "AWS::IAM::Group",
    ("iam", "policy"): "AWS::IAM::Policy",
    ("kms", "key"): "AWS::KMS::Key",
    ("lambda", "function"): "AWS::Lambda::Function",
    ("dynamodb", "table"): "AWS::DynamoDB::Table",
    ("cloudtrail", "trail"): "AWS::CloudTrail::Trail",
    ("cloudwatch", "alarm"): "AWS::CloudWatch::Alarm",
    ("logs", "log-group"): "AWS::Logs::LogGroup",
    ("secretsmanager", "secret"): "AWS::SecretsManager::Secret",
    ("cloudformation", "stack"): "AWS::CloudFormation::Stack",
    ("rds", "db"): "AWS::RDS::DBInstance",
    ("rds", "cluster"): "AWS::RDS::DBCluster",
    ("rds", "snapshot"): "AWS::RDS::DBSnapshot",
    ("eks", "cluster"): "AWS::EKS::Cluster",
    ("ecs", "cluster"): "AWS::ECS::Cluster",
    ("ec2", "instance"): "AWS::EC2::Instance",
    ("ec2", "security-group"): "AWS::EC2::SecurityGroup",
    ("ec2", "volume"): "AWS::EC2::Volume",
    ("ec2", "vpc"): "AWS::EC2::VPC",
    ("ec2", "subnet"): "AWS::EC2::Subnet",
    ("ec2", "route-table"): "AWS::EC2::RouteTable",
    ("ec2", "network-acl"): "AWS::EC2::NetworkAcl",
    ("ec2", "internet-gateway"): "AWS::EC2::InternetGateway",
    ("ec2", "network-interface"): "AWS::EC2::NetworkInterface",
}

# Services without Regions report their calls in one Region.
_HOMES = {"iam": "us-east-1", "cloudfront": "us-east-1", "route53": "us-east-1", "organizations": "us-east-1"}


@dataclass(frozen=True, slots=True)
class Named:
    """One resource by its names."""

    arn: str
    id: str  # the last part of the ARN: what most events and Config call it
    type: str  # Config's; "" when this table does not know it
    region: str  # where its calls are recorded; "" for the caller's own

    @property
    def names(self) -> tuple[str, ...]:
        """What events may call it."""
        return self.arn, self.id


def read_arn(text: str) -> Named:
    """Take an ARN apart.

    Raises:
        FormatError: it is no ARN.
    """
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[2] or not parts[5]:
        raise FormatError(f"{text!r} is not an ARN: arn:partition:service:region:account:resource")
    _, _, service, region, _, resource = parts
    kind, name = _split(service, resource)
    return Named(text, name, _TYPES.get((service, kind), ""), region or _HOMES.get(service, ""))


def _split(service: str, resource: str) -> tuple[str, str]:
    """The kind, "" where the service's ARNs name none, and the name without path or version."""
    if service == "s3":
        return "", resource.partition("/")[0]
    if service == "logs":
        kind, _, name = resource.partition(":")
        return kind, name.removesuffix(":*")
    separator = min((s for s in "/:" if s in resource), key=resource.index, default="")
    if not separator:
        return "", resource
    kind, _, name = resource.partition(separator)
    if separator == ":":
        return kind, name.partition(":")[0]
    return kind, name.rpartition("/")[2] if service == "iam" else name
