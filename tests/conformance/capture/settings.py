"""The setting a rebuilt call needs: the resources it names, made anew on the laptop."""

from __future__ import annotations

import contextlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.conformance.capture.oracle import Laptop
    from tests.conformance.capture.rebuild import Rebuilt

ACCOUNT = "123456789012"
ACCOUNT_IN_ARN = re.compile(r"(arn:aws[\w-]*:[\w-]+:[\w-]*:)(\d{12,13}|-):")
EC2_ID = re.compile(r"^(vpc|subnet|rtb|igw|acl|eni|eipalloc|vol|snap|ami|i|sg|fl|nat)-[0-9a-fx.]+$")
IMAGE = "ami-12c6146b"  # one of moto's own
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)


class Setting:
    """Makes what calls name, once for each name, and says what it became."""

    def __init__(self, laptop: Laptop) -> None:
        self._laptop = laptop
        self._made: dict[tuple[str, str], str] = {}

    def prepare(self, rebuilt: Rebuilt, region: str) -> dict[str, Any]:
        """The call's parameters, naming resources that exist here."""
        parameters: dict[str, Any] = self._moved(rebuilt.parameters, rebuilt.service, region)
        maker = MAKERS.get(f"{rebuilt.service}.{rebuilt.operation}")
        if maker is not None:
            with contextlib.suppress(ClientError):  # made for an earlier call
                maker(lambda service: self._laptop.client(service, region), parameters)
        return parameters

    def _moved(self, value: Any, service: str, region: str) -> Any:
        if isinstance(value, dict):
            return {key: self._moved(item, service, region) for key, item in value.items()}
        if isinstance(value, list):
            return [self._moved(item, service, region) for item in value]
        if not isinstance(value, str):
            return value
        if service == "ec2" and EC2_ID.match(value):
            return self._ec2(value, region)
        return ACCOUNT_IN_ARN.sub(rf"\g<1>{ACCOUNT}:", value)

    def _ec2(self, old: str, region: str) -> str:
        if (region, old) not in self._made:
            make = EC2_MAKERS[EC2_ID.match(old)[1]]  # type: ignore[index]
            self._made[region, old] = make(self._laptop.client("ec2", region))
        return self._made[region, old]


def _vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def _subnet(ec2: Any) -> str:
    return str(ec2.create_subnet(VpcId=_vpc(ec2), CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"])


def _instance(ec2: Any) -> str:
    return str(ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"])


def _volume(ec2: Any) -> str:
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    return str(ec2.create_volume(Size=1, AvailabilityZone=zone)["VolumeId"])


def _acl(ec2: Any) -> str:
    acl = ec2.create_network_acl(VpcId=_vpc(ec2))["NetworkAcl"]["NetworkAclId"]
    for number in (20, 40, 100):
        for egress in (False, True):
            ec2.create_network_acl_entry(
                NetworkAclId=acl,
                RuleNumber=number,
                Protocol="-1",
                RuleAction="allow",
                Egress=egress,
                CidrBlock="0.0.0.0/0",
            )
    return str(acl)


def _flow_log(ec2: Any) -> str:
    made = ec2.create_flow_logs(
        ResourceIds=[_vpc(ec2)],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName="oracle",
        DeliverLogsPermissionArn=f"arn:aws:iam::{ACCOUNT}:role/oracle",
    )
    return str(made["FlowLogIds"][0])


def _address(ec2: Any) -> str:
    return str(ec2.allocate_address(Domain="vpc")["AllocationId"])


def _image(ec2: Any) -> str:
    return str(ec2.create_image(InstanceId=_instance(ec2), Name="oracle")["ImageId"])


EC2_MAKERS: dict[str, Callable[[Any], str]] = {
    "vpc": _vpc,
    "subnet": _subnet,
    "rtb": lambda ec2: str(ec2.create_route_table(VpcId=_vpc(ec2))["RouteTable"]["RouteTableId"]),
    "igw": lambda ec2: str(ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]),
    "acl": _acl,
    "eni": lambda ec2: str(
        ec2.create_network_interface(SubnetId=_subnet(ec2))["NetworkInterface"]["NetworkInterfaceId"]
    ),
    "eipalloc": _address,
    "vol": _volume,
    "snap": lambda ec2: str(ec2.create_snapshot(VolumeId=_volume(ec2))["SnapshotId"]),
    "ami": _image,
    "i": _instance,
    "sg": lambda ec2: str(
        ec2.create_security_group(GroupName=f"g-{id(object())}", Description="d")["GroupId"]
    ),
    "fl": _flow_log,
    "nat": lambda ec2: str(
        ec2.create_nat_gateway(SubnetId=_subnet(ec2), AllocationId=_address(ec2))["NatGateway"][
            "NatGatewayId"
        ]
    ),
}


def _role(client: Any, asked: dict[str, Any]) -> None:
    client("iam").create_role(RoleName=asked["RoleName"], AssumeRolePolicyDocument=TRUST)


def _new_role(client: Any, asked: dict[str, Any]) -> None:
    asked["RoleName"] = f"new-{asked['RoleName']}"[:64]  # an earlier call may have made the first


def _profile(client: Any, asked: dict[str, Any]) -> None:
    client("iam").create_instance_profile(InstanceProfileName=asked["InstanceProfileName"])
    if "RoleName" in asked:
        with contextlib.suppress(ClientError):
            _role(client, asked)
        client("iam").add_role_to_instance_profile(
            InstanceProfileName=asked["InstanceProfileName"], RoleName=asked["RoleName"]
        )


def _password_policy(client: Any, asked: dict[str, Any]) -> None:
    client("iam").update_account_password_policy(MinimumPasswordLength=10)


def _saml_provider(client: Any, asked: dict[str, Any]) -> None:
    client("iam").create_saml_provider(
        Name=asked["SAMLProviderArn"].rpartition("/")[2], SAMLMetadataDocument="m" * 1000
    )


def _device(client: Any, asked: dict[str, Any]) -> None:
    name = asked["SerialNumber"].rpartition("/")[2]
    asked["SerialNumber"] = client("iam").create_virtual_mfa_device(VirtualMFADeviceName=name)[
        "VirtualMFADevice"
    ]["SerialNumber"]


def _policy(client: Any, asked: dict[str, Any]) -> None:
    arn = asked["PolicyArn"]
    name = arn.rpartition("/")[2]
    if ":iam::aws:" in arn:
        asked["PolicyArn"] = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    client("iam").create_policy(PolicyName=name, PolicyDocument=POLICY)


def _role_and_policy(client: Any, asked: dict[str, Any]) -> None:
    for make in (_policy, _role):
        with contextlib.suppress(ClientError):
            make(client, asked)
    if asked.get("PolicyArn"):
        client("iam").attach_role_policy(RoleName=asked["RoleName"], PolicyArn=asked["PolicyArn"])


def _user(client: Any, asked: dict[str, Any]) -> None:
    client("iam").create_user(UserName=asked["UserName"])


def _login(client: Any, asked: dict[str, Any]) -> None:
    with contextlib.suppress(ClientError):
        _user(client, asked)
    client("iam").create_login_profile(UserName=asked["UserName"], Password="Passw0rd!aa")


def _bucket(client: Any, asked: dict[str, Any]) -> None:
    s3 = client("s3")
    elsewhere = s3.meta.region_name != "us-east-1"  # which alone takes no constraint
    place = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(
        Bucket=asked.get("Bucket") or asked["S3BucketName"],
        **({"CreateBucketConfiguration": place} if elsewhere else {}),
    )


def _versioned_bucket(client: Any, asked: dict[str, Any]) -> None:
    _bucket(client, asked)
    client("s3").put_bucket_versioning(Bucket=asked["Bucket"], VersioningConfiguration={"Status": "Enabled"})


def _object(client: Any, asked: dict[str, Any]) -> None:
    _bucket(client, asked)
    client("s3").put_object(Bucket=asked["Bucket"], Key=asked["CopySource"].partition("/")[2], Body=b"x")


def _trail(client: Any, asked: dict[str, Any]) -> None:
    name = asked.get("Name") or asked["TrailName"]
    with contextlib.suppress(ClientError):
        client("s3").create_bucket(Bucket="oracle-trail-bucket")
    client("cloudtrail").create_trail(Name=name, S3BucketName="oracle-trail-bucket")


def _secret(client: Any, asked: dict[str, Any]) -> None:
    name = asked["SecretId"].rpartition(":")[2].rpartition("-")[0] or asked["SecretId"]
    asked["SecretId"] = client("secretsmanager").create_secret(Name=f"{name}-put", SecretString="a")["ARN"]
    asked.setdefault("SecretString", "secret")


def _topic(client: Any, asked: dict[str, Any]) -> None:
    client("sns").create_topic(Name=asked["TopicArn"].rpartition(":")[2])


def _log_group(client: Any, asked: dict[str, Any]) -> None:
    client("logs").create_log_group(logGroupName=asked["logGroupName"])
    if "logStreamName" in asked:
        client("logs").create_log_stream(
            logGroupName=asked["logGroupName"], logStreamName=asked["logStreamName"]
        )


def _key(client: Any, asked: dict[str, Any]) -> None:
    asked["KeyId"] = client("kms").create_key()["KeyMetadata"]["KeyId"]


def _database(client: Any, asked: dict[str, Any]) -> None:
    client("rds").create_db_instance(
        DBInstanceIdentifier=asked["DBInstanceIdentifier"],
        DBInstanceClass="db.m6g.large",
        Engine="postgres",
        AllocatedStorage=5,
        MasterUsername="postgres",
        MasterUserPassword="passw0rd1",
    )


def _function_role(client: Any, asked: dict[str, Any]) -> None:
    asked["Code"] = {"ZipFile": _packed_function()}
    name = str(asked["Role"]).rpartition("/")[2]
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)


def _packed_function() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return event\n")
    return packed.getvalue()


def _function(client: Any, asked: dict[str, Any]) -> None:
    asked["FunctionName"] = "oracle"
    role = client("iam").create_role(RoleName="oracle-lambda", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    asked["ZipFile"] = _packed_function()
    client("lambda").create_function(
        FunctionName="oracle",
        Runtime="python3.12",
        Role=role,
        Handler="main.handler",
        Code={"ZipFile": _packed_function()},
    )


def _repository(client: Any, asked: dict[str, Any]) -> None:
    if "registryId" in asked:
        asked["registryId"] = ACCOUNT
    client("ecr").create_repository(repositoryName=asked["repositoryName"])


MAKERS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "cloudtrail.CreateTrail": _bucket,
    "cloudtrail.DeleteTrail": _trail,
    "cloudtrail.PutEventSelectors": _trail,
    "cloudtrail.StartLogging": _trail,
    "cloudtrail.StopLogging": _trail,
    "cloudtrail.UpdateTrail": _trail,
    "ecr.PutImage": _repository,
    "iam.AttachRolePolicy": _role_and_policy,
    "iam.CreateAccessKey": _user,
    "iam.CreateLoginProfile": _user,
    "iam.CreatePolicyVersion": _policy,
    "iam.CreateRole": _new_role,
    "iam.DeleteAccountPasswordPolicy": _password_policy,
    "iam.DeleteInstanceProfile": _profile,
    "iam.DeleteRole": _role,
    "iam.DeleteVirtualMFADevice": _device,
    "iam.DetachRolePolicy": _role_and_policy,
    "iam.PutRolePolicy": _role,
    "iam.RemoveRoleFromInstanceProfile": _profile,
    "iam.SetDefaultPolicyVersion": _policy,
    "iam.UpdateLoginProfile": _login,
    "iam.UpdateSAMLProvider": _saml_provider,
    "kms.PutKeyPolicy": _key,
    "lambda.CreateFunction": _function_role,
    "lambda.UpdateFunctionCode": _function,
    "logs.DeleteLogGroup": _log_group,
    "logs.DeleteLogStream": _log_group,
    "rds.ModifyDBInstance": _database,
    "s3.CopyObject": _object,
    "s3.DeleteBucketLifecycle": _bucket,
    "s3.PutBucketAcl": _bucket,
    "s3.PutBucketLifecycleConfiguration": _bucket,
    "s3.PutBucketPolicy": _bucket,
    "s3.PutBucketReplication": _versioned_bucket,
    "s3.PutBucketTagging": _bucket,
    "s3.PutBucketVersioning": _bucket,
    "secretsmanager.PutSecretValue": _secret,
    "sns.SetTopicAttributes": _topic,
}
