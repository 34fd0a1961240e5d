"""Dangers of what is shared with everybody: snapshots, images, functions, queues, topics."""

from __future__ import annotations

import io
import json
import zipfile

from opentrail.testing.deploying import TRUST
from opentrail.testing.world import OpenTrail
from tests.remediation.case import EXCEPT, Case, world_policy

ALL = {"Group": "all"}
PERMISSION = "createVolumePermission"


def _snapshot(aws: OpenTrail, word: str) -> str:
    ec2 = aws.client("ec2")
    volume = ec2.create_volume(Size=1, AvailabilityZone=f"{aws.region}a")["VolumeId"]
    return str(ec2.create_snapshot(VolumeId=volume)["SnapshotId"])


def _share_snapshot(aws: OpenTrail, name: str) -> None:
    aws.client("ec2").modify_snapshot_attribute(
        SnapshotId=name, Attribute=PERMISSION, OperationType="add", GroupNames=["all"]
    )


def _snapshot_is_shared(aws: OpenTrail, name: str) -> bool:
    answer = aws.client("ec2").describe_snapshot_attribute(SnapshotId=name, Attribute=PERMISSION)
    return ALL in answer["CreateVolumePermissions"]


def _image(aws: OpenTrail, word: str) -> str:
    return str(aws.client("ec2").register_image(Name=f"image-{word}")["ImageId"])


def _image_is_shared(aws: OpenTrail, name: str) -> bool:
    return bool(aws.client("ec2").describe_images(ImageIds=[name])["Images"][0]["Public"])


def _tag_ec2(aws: OpenTrail, name: str) -> None:
    aws.client("ec2").create_tags(Resources=[name], Tags=[EXCEPT])


def _database_snapshot(aws: OpenTrail, word: str) -> str:
    rds = aws.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier=f"db-{word}",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="admin1",
        MasterUserPassword="not-a-secret",
        AllocatedStorage=10,
    )
    rds.create_db_snapshot(DBInstanceIdentifier=f"db-{word}", DBSnapshotIdentifier=f"snapshot-{word}")
    return f"snapshot-{word}"


def _restorers(aws: OpenTrail, name: str) -> bool:
    result = aws.client("rds").describe_db_snapshot_attributes(DBSnapshotIdentifier=name)
    attributes = result["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
    return any("all" in attribute["AttributeValues"] for attribute in attributes)


def _share_database(aws: OpenTrail, name: str) -> None:
    aws.client("rds").modify_db_snapshot_attribute(
        DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["all"]
    )


def _tag_database(aws: OpenTrail, name: str) -> None:
    arn = f"arn:aws:rds:{aws.region}:{aws.account}:snapshot:{name}"
    aws.client("rds").add_tags_to_resource(ResourceName=arn, Tags=[EXCEPT])


def _function(aws: OpenTrail, word: str) -> str:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as files:
        files.writestr("app.py", "def handler(event, context): return 'hello'\n")
    role = aws.client("iam").create_role(RoleName=f"role-{word}", AssumeRolePolicyDocument=json.dumps(TRUST))
    aws.client("lambda").create_function(
        FunctionName=f"function-{word}",
        Runtime="python3.13",
        Handler="app.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": package.getvalue()},
    )
    return f"function-{word}"


def _tag_function(aws: OpenTrail, name: str) -> None:
    arn = f"arn:aws:lambda:{aws.region}:{aws.account}:function:{name}"
    aws.client("lambda").tag_resource(Resource=arn, Tags={EXCEPT["Key"]: EXCEPT["Value"]})


def _url_is_open(aws: OpenTrail, name: str) -> bool:
    return bool(aws.client("lambda").get_function_url_config(FunctionName=name)["AuthType"] == "NONE")


def _queue(aws: OpenTrail, word: str) -> str:
    return str(aws.client("sqs").create_queue(QueueName=f"queue-{word}")["QueueUrl"])


def _open_queue(aws: OpenTrail, name: str) -> None:
    aws.client("sqs").set_queue_attributes(
        QueueUrl=name, Attributes={"Policy": world_policy("sqs:SendMessage", "*")}
    )


def _queue_is_open(aws: OpenTrail, name: str) -> bool:
    answer = aws.client("sqs").get_queue_attributes(QueueUrl=name, AttributeNames=["All"])
    return "Policy" in answer["Attributes"]


def _topic(aws: OpenTrail, word: str) -> str:
    return str(aws.client("sns").create_topic(Name=f"topic-{word}")["TopicArn"])


def _open_topic(aws: OpenTrail, name: str) -> None:
    aws.client("sns").set_topic_attributes(
        TopicArn=name, AttributeName="Policy", AttributeValue=world_policy("sns:Publish", name)
    )


def _topic_is_open(aws: OpenTrail, name: str) -> bool:
    return '"*"' in aws.client("sns").get_topic_attributes(TopicArn=name)["Attributes"]["Policy"]


SHARING = [
    Case(
        playbook="public-ebs-snapshot",
        make=_snapshot,
        endanger=_share_snapshot,
        is_dangerous=_snapshot_is_shared,
        remove=lambda aws, name: aws.client("ec2").delete_snapshot(SnapshotId=name),
        tag=_tag_ec2,
    ),
    Case(
        playbook="public-ami",
        make=_image,
        endanger=lambda aws, name: aws.client("ec2").modify_image_attribute(
            ImageId=name, LaunchPermission={"Add": [ALL]}
        ),
        is_dangerous=_image_is_shared,
        remove=lambda aws, name: aws.client("ec2").deregister_image(ImageId=name),
        tag=_tag_ec2,
    ),
    Case(
        playbook="public-rds-snapshot",
        make=_database_snapshot,
        endanger=_share_database,
        is_dangerous=_restorers,
        remove=lambda aws, name: aws.client("rds").delete_db_snapshot(DBSnapshotIdentifier=name),
        tag=_tag_database,
    ),
    Case(
        playbook="public-function-url",
        make=_function,
        endanger=lambda aws, name: aws.client("lambda").create_function_url_config(
            FunctionName=name, AuthType="NONE"
        ),
        is_dangerous=_url_is_open,
        remove=lambda aws, name: aws.client("lambda").delete_function_url_config(FunctionName=name),
        tag=_tag_function,
    ),
    Case(
        playbook="public-queue",
        make=_queue,
        endanger=_open_queue,
        is_dangerous=_queue_is_open,
        remove=lambda aws, name: aws.client("sqs").delete_queue(QueueUrl=name),
        tag=lambda aws, name: aws.client("sqs").tag_queue(
            QueueUrl=name, Tags={EXCEPT["Key"]: EXCEPT["Value"]}
        ),
    ),
    Case(
        playbook="public-topic",
        make=_topic,
        endanger=_open_topic,
        is_dangerous=_topic_is_open,
        remove=lambda aws, name: aws.client("sns").delete_topic(TopicArn=name),
        tag=lambda aws, name: aws.client("sns").tag_resource(ResourceArn=name, Tags=[EXCEPT]),
    ),
]
