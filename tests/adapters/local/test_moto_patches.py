"""Each correction twice: what moto does without it, to notice when moto is corrected, and with it."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from opentrail.local import moto_patches
from opentrail.local.transport import Clients
from tests.adapters.local.conftest import ACCOUNT, Notes, make_function, make_queue

CONDITIONED = {
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::audit-logs/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
}


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def bucket_with_policy(clients: Clients) -> None:
    clients("s3").create_bucket(Bucket="audit-logs")
    clients("s3").put_bucket_policy(Bucket="audit-logs", Policy=json.dumps(CONDITIONED))


def test_moto_denies_for_a_condition_it_does_not_read(clients: Clients) -> None:
    bucket_with_policy(clients)

    with pytest.raises(ClientError, match="403"):
        clients("s3").put_object(Bucket="audit-logs", Key="k", Body=b"x")


def test_conditions_of_bucket_policies_do_not_deny(notes: Notes, clients: Clients) -> None:
    bucket_with_policy(clients)

    clients("s3").put_object(Bucket="audit-logs", Key="k", Body=b"x")

    assert clients("s3").get_object(Bucket="audit-logs", Key="k")["Body"].read() == b"x"


def mapped_queue(clients: Clients) -> str:
    url, arn = make_queue(clients)
    make_function(clients, "def handler(event, context): return None")
    clients("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="worker")
    return url


def test_moto_consumes_messages_inside_send_message(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.awslambda.models import LambdaBackend

    handed: list[str] = []

    def take(_backend: Any, arn: str, messages: list[Any], queue: str) -> bool:
        handed.extend(message.body for message in messages)
        return True

    monkeypatch.setattr(LambdaBackend, "send_sqs_batch", take)
    url = mapped_queue(clients)

    clients("sqs").send_message(QueueUrl=url, MessageBody="one")

    assert handed == ["one"]


def test_mapped_queues_keep_their_messages(notes: Notes, clients: Clients) -> None:
    url = mapped_queue(clients)

    clients("sqs").send_message(QueueUrl=url, MessageBody="one")

    assert notes.queues == ["inbox"]
    assert [m["Body"] for m in clients("sqs").receive_message(QueueUrl=url)["Messages"]] == ["one"]


def test_moto_deletes_without_a_lock(moto_app: Any) -> None:
    queue = lone_queue()
    queue._messages_lock.acquire()
    deleted = threading.Thread(target=delete_quietly, args=(queue,))
    deleted.start()
    deleted.join(5)
    queue._messages_lock.release()

    assert not deleted.is_alive()


def test_deletes_wait_for_the_queue_lock(notes: Notes) -> None:
    queue = lone_queue()
    queue._messages_lock.acquire()
    deleted = threading.Thread(target=delete_quietly, args=(queue,))
    deleted.start()
    deleted.join(0.05)
    waited = deleted.is_alive()
    queue._messages_lock.release()
    deleted.join(5)

    assert waited
    assert not deleted.is_alive()


def lone_queue() -> Any:
    """A queue with one message, outside any backend."""
    from moto.sqs import models

    kind: Any = models.Queue  # abstract to a checker only
    queue = kind("inbox", "us-east-1", ACCOUNT)
    queue.add_message(models.Message("1", "body"))
    return queue


def delete_quietly(queue: Any) -> None:
    from moto.sqs.exceptions import ReceiptHandleIsInvalid

    with pytest.raises(ReceiptHandleIsInvalid):
        queue.delete_message("no such handle")


def test_moto_wants_docker_for_functions(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.awslambda.models import LambdaFunction

    ran: list[Any] = []

    def in_docker(_function: Any, event: Any = None) -> tuple[str, bool, str]:
        ran.append(event)
        return "{}", False, ""

    monkeypatch.setattr(LambdaFunction, "_invoke_lambda", in_docker)
    make_function(clients, "def handler(event, context): return None")

    clients("lambda").invoke(FunctionName="worker", Payload=b'{"a": 1}')

    assert ran == [{"a": 1}]


def test_functions_are_invoked_by_the_runtime(notes: Notes, clients: Clients) -> None:
    make_function(clients, "def handler(event, context): return None")

    answer = clients("lambda").invoke(FunctionName="worker", Payload=b'{"a": 1}', LogType="Tail")

    assert answer["Payload"].read() == b'"done"'
    name, payload, headers = notes.invoked[0]
    assert (name, payload, headers["x-amz-log-type"]) == ("worker", b'{"a": 1}', "Tail")


LOGGING = {"LogFormat": "JSON", "LogGroup": "/mine"}


def test_moto_forgets_the_logging_configuration(clients: Clients) -> None:
    make_function(clients, "", LoggingConfig=LOGGING)

    assert "LoggingConfig" not in clients("lambda").get_function_configuration(FunctionName="worker")


def test_logging_configuration_is_kept_and_updated(notes: Notes, clients: Clients) -> None:
    make_function(clients, "", LoggingConfig=LOGGING)
    configuration = clients("lambda").get_function_configuration(FunctionName="worker")

    updated = clients("lambda").update_function_configuration(
        FunctionName="worker", LoggingConfig={"LogFormat": "Text"}
    )

    assert configuration["LoggingConfig"] == LOGGING
    assert updated["LoggingConfig"] == {"LogFormat": "Text"}


def rule_to_topic(clients: Clients) -> None:
    topic = clients("sns").create_topic(Name="topic")["TopicArn"]
    clients("events").put_rule(Name="rule", EventPattern=json.dumps({"source": ["mine"]}))
    clients("events").put_targets(Rule="rule", Targets=[{"Id": "1", "Arn": topic}])


ENTRY = {"Source": "mine", "DetailType": "t", "Detail": '{"a":  1}'}


def test_moto_cannot_deliver_to_topics(clients: Clients) -> None:
    rule_to_topic(clients)

    with pytest.raises(NotImplementedError):
        clients("events").put_events(Entries=[ENTRY])


def test_put_events_reaches_the_runtime_with_its_detail_untouched(notes: Notes, clients: Clients) -> None:
    rule_to_topic(clients)

    answer = clients("events").put_events(Entries=[ENTRY])

    assert answer["FailedEntryCount"] == 0
    assert notes.entries[0][2][0]["Detail"] == '{"a":  1}'


def test_moto_accepts_patterns_with_unknown_operators(clients: Clients) -> None:
    answer = clients("events").put_rule(Name="rule", EventPattern='{"source": [{"regex": ".*"}]}')

    assert "RuleArn" in answer


def test_invalid_patterns_are_refused(notes: Notes, clients: Clients) -> None:
    with pytest.raises(ClientError, match="Unrecognized match type regex") as error:
        clients("events").put_rule(Name="rule", EventPattern='{"source": [{"regex": ".*"}]}')

    assert code_of(error) == "InvalidEventPatternException"


def test_event_pattern_can_be_tested(notes: Notes, clients: Clients) -> None:
    event = {
        **{"id": "1", "account": ACCOUNT, "source": "mine", "time": "2026-01-10T18:12:23Z"},
        **{"region": "us-east-1", "resources": [], "detail-type": "t", "detail": {"a": 1}},
    }

    def result(pattern: dict[str, Any]) -> bool:
        answer = clients("events").test_event_pattern(
            EventPattern=json.dumps(pattern), Event=json.dumps(event)
        )
        return bool(answer["Result"])

    assert result({"detail": {"a": [{"numeric": [">", 0]}]}})
    assert not result({"detail": {"a": [2]}})


def notified_bucket(clients: Clients) -> None:
    clients("s3").create_bucket(Bucket="audit-logs")
    clients("s3").put_bucket_notification_configuration(
        Bucket="audit-logs", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


def test_moto_reports_tags_that_nobody_added(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.s3 import notifications

    sent: list[Any] = []
    monkeypatch.setattr(notifications, "_send_event_bridge_message", lambda *call: sent.append(str(call[2])))
    notified_bucket(clients)

    clients("s3").put_object(Bucket="audit-logs", Key="k", Body=b"x")

    assert len(sent) == 2


def test_objects_make_one_event(notes: Notes, clients: Clients) -> None:
    notified_bucket(clients)

    clients("s3").put_object(Bucket="audit-logs", Key="k", Body=b"x")
    clients("s3").delete_object(Bucket="audit-logs", Key="k")

    created, deleted = (event for _, _, event, _ in notes.published)
    assert created["detail-type"] == "Object Created"
    assert created["detail"]["bucket"] == {"name": "audit-logs"}
    assert created["detail"]["object"]["key"] == "k"
    assert created["detail"]["reason"] == "PutObject"
    assert deleted["detail-type"] == "Object Deleted"
    assert all(rules is None for *_, rules in notes.published)


def state_machine_on_new_buckets(clients: Clients) -> str:
    pattern = {"source": ["aws.s3"], "detail": {"eventName": ["CreateBucket"]}}
    machine = clients("stepfunctions").create_state_machine(
        name="m",
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
        definition=json.dumps({"StartAt": "S", "States": {"S": {"Type": "Pass", "End": True}}}),
    )["stateMachineArn"]
    clients("events").put_rule(Name="r", EventPattern=json.dumps(pattern))
    clients("events").put_targets(Rule="r", Targets=[{"Id": "1", "Arn": machine, "RoleArn": machine}])
    return str(machine)


def test_moto_tells_rules_on_new_buckets_of_an_object(clients: Clients) -> None:
    machine = state_machine_on_new_buckets(clients)

    clients("s3").create_bucket(Bucket="audit-logs")

    assert len(clients("stepfunctions").list_executions(stateMachineArn=machine)["executions"]) == 1


def test_a_new_bucket_makes_no_event_of_motos_own(notes: Notes, clients: Clients) -> None:
    machine = state_machine_on_new_buckets(clients)

    clients("s3").create_bucket(Bucket="audit-logs")

    assert clients("stepfunctions").list_executions(stateMachineArn=machine)["executions"] == []


def attached_volume(clients: Clients) -> str:
    ec2 = clients("ec2")
    instance = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]
    zone = instance["Placement"]["AvailabilityZone"]
    volume = ec2.create_volume(Size=1, AvailabilityZone=zone)["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=instance["InstanceId"], Device="/dev/sdf")
    return str(volume)


def test_moto_detaches_only_from_a_named_instance(clients: Clients) -> None:
    volume = attached_volume(clients)

    with pytest.raises(TypeError):
        clients("ec2").detach_volume(VolumeId=volume)


def test_a_volume_is_detached_from_wherever_it_is(notes: Notes, clients: Clients) -> None:
    volume = attached_volume(clients)

    clients("ec2").detach_volume(VolumeId=volume)

    assert clients("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"] == []


def test_moto_breaks_on_an_environment_without_variables(clients: Clients) -> None:
    make_function(clients, "def handler(event, context): return None")

    with pytest.raises(KeyError):
        clients("lambda").update_function_configuration(FunctionName="worker", Environment={})


def test_an_environment_without_variables_is_empty(notes: Notes, clients: Clients) -> None:
    make_function(clients, "def handler(event, context): return None")

    answer = clients("lambda").update_function_configuration(FunctionName="worker", Environment={})

    assert answer.get("Environment", {}).get("Variables", {}) == {}


DIGEST = hashlib.sha256(b"message").digest()


def signs_a_digest_as_it_is(clients: Clients, spec: str, algorithm: str) -> bool:
    kms = clients("kms")
    key = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signature = kms.sign(KeyId=key, Message=DIGEST, MessageType="DIGEST", SigningAlgorithm=algorithm)[
        "Signature"
    ]
    answer = kms.verify(KeyId=key, Message=b"message", Signature=signature, SigningAlgorithm=algorithm)
    return bool(answer["SignatureValid"])


SIGNING = [("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"), ("ECC_NIST_P256", "ECDSA_SHA_256")]


@pytest.mark.parametrize(("spec", "algorithm"), SIGNING)
def test_moto_hashes_a_digest_once_more(clients: Clients, spec: str, algorithm: str) -> None:
    assert not signs_a_digest_as_it_is(clients, spec, algorithm)


@pytest.mark.parametrize(("spec", "algorithm"), SIGNING)
def test_digest_is_signed_as_it_is(notes: Notes, clients: Clients, spec: str, algorithm: str) -> None:
    assert signs_a_digest_as_it_is(clients, spec, algorithm)


def disabled_key(clients: Clients) -> str:
    key: str = clients("kms").create_key()["KeyMetadata"]["KeyId"]
    clients("kms").disable_key(KeyId=key)
    return key


def test_moto_encrypts_with_a_disabled_key(clients: Clients) -> None:
    assert clients("kms").encrypt(KeyId=disabled_key(clients), Plaintext=b"x")["CiphertextBlob"]


def test_disabled_key_does_nothing(notes: Notes, clients: Clients) -> None:
    kms = clients("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    kms.disable_key(KeyId=key)

    calls: list[Callable[[], Any]] = [
        lambda: kms.encrypt(KeyId=key, Plaintext=b"x"),
        lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
        lambda: kms.decrypt(CiphertextBlob=blob),
    ]
    for call in calls:
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) == "DisabledException"


def test_key_that_waits_for_deletion_does_not_sign(notes: Notes, clients: Clients) -> None:
    kms = clients("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)

    with pytest.raises(ClientError) as error:
        kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")

    assert code_of(error) == "KMSInvalidStateException"


def test_moto_gives_users_ids_without_prefix(clients: Clients) -> None:
    assert not clients("iam").create_user(UserName="bob")["User"]["UserId"].startswith("AIDA")


def test_ids_have_the_prefixes_of_iam(notes: Notes, clients: Clients) -> None:
    iam = clients("iam")

    assert iam.create_user(UserName="bob")["User"]["UserId"].startswith("AIDA")
    assert iam.create_group(GroupName="them")["Group"]["GroupId"].startswith("AGPA")
    profile = iam.create_instance_profile(InstanceProfileName="it")["InstanceProfile"]
    assert profile["InstanceProfileId"].startswith("AIPA")
    assert len(profile["InstanceProfileId"]) == 21


ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_moto_knows_no_policies_of_aws(clients: Clients) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        clients("iam").get_policy(PolicyArn=ADMINISTRATOR)


def test_policies_of_aws_are_there_when_asked_for(notes: Notes, clients: Clients) -> None:
    iam = clients("iam")
    iam.create_user(UserName="bob")

    iam.attach_user_policy(UserName="bob", PolicyArn=ADMINISTRATOR)

    (attached,) = iam.list_attached_user_policies(UserName="bob")["AttachedPolicies"]
    assert attached == {"PolicyName": "AdministratorAccess", "PolicyArn": ADMINISTRATOR}
    service_role = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    version = iam.get_policy(PolicyArn=service_role)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=service_role, VersionId=version)["PolicyVersion"]["Document"]
    assert document["Statement"]


def test_policies_of_aws_are_listed(notes: Notes, clients: Clients) -> None:
    pages = clients("iam").get_paginator("list_policies").paginate(Scope="AWS")

    assert ADMINISTRATOR in {policy["Arn"] for page in pages for policy in page["Policies"]}
    assert clients("iam").list_policies(Scope="Local")["Policies"] == []


def test_policy_that_aws_does_not_have_is_absent(notes: Notes, clients: Clients) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        clients("iam").get_policy(PolicyArn="arn:aws:iam::aws:policy/Invented")


YEAR_AHEAD = datetime.now(UTC).replace(microsecond=0) + timedelta(days=365)


def locked_object(clients: Clients) -> None:
    clients("s3").create_bucket(Bucket="audit-logs", ObjectLockEnabledForBucket=True)
    clients("s3").put_object(Bucket="audit-logs", Key="k", Body=b"x")
    lock(clients, "COMPLIANCE", YEAR_AHEAD)


def lock(clients: Clients, mode: str, until: datetime) -> None:
    retention = {"Mode": mode, "RetainUntilDate": until}
    clients("s3").put_object_retention(Bucket="audit-logs", Key="k", Retention=retention)


def locked_until(clients: Clients) -> datetime:
    found: datetime = clients("s3").head_object(Bucket="audit-logs", Key="k")["ObjectLockRetainUntilDate"]
    return found


def test_moto_shortens_a_compliance_lock(clients: Clients) -> None:
    locked_object(clients)

    lock(clients, "COMPLIANCE", YEAR_AHEAD - timedelta(days=300))

    assert locked_until(clients) == YEAR_AHEAD - timedelta(days=300)


@pytest.mark.parametrize(("mode", "days"), [("COMPLIANCE", -1), ("GOVERNANCE", 0), ("GOVERNANCE", 1)])
def test_compliance_lock_cannot_be_weakened(notes: Notes, clients: Clients, mode: str, days: int) -> None:
    locked_object(clients)

    with pytest.raises(ClientError) as error:
        lock(clients, mode, YEAR_AHEAD + timedelta(days=days))

    assert code_of(error) == "AccessDenied"


def test_compliance_lock_can_be_prolonged(notes: Notes, clients: Clients) -> None:
    locked_object(clients)

    lock(clients, "COMPLIANCE", YEAR_AHEAD + timedelta(days=1))

    assert locked_until(clients) == YEAR_AHEAD + timedelta(days=1)


def versioning_with_mfa(clients: Clients, mfa_delete: str) -> tuple[str, str]:
    clients("s3").put_bucket_versioning(
        Bucket="audit-logs",
        VersioningConfiguration={"Status": "Enabled", "MFADelete": mfa_delete},
        MFA="arn:aws:iam::123456789012:mfa/root 123456",
    )
    shown = clients("s3").get_bucket_versioning(Bucket="audit-logs")
    return shown["Status"], shown.get("MFADelete", "")


def test_moto_forgets_mfa_delete(clients: Clients) -> None:
    clients("s3").create_bucket(Bucket="audit-logs")

    assert versioning_with_mfa(clients, "Enabled") == ("Enabled", "")


def test_mfa_delete_is_kept(notes: Notes, clients: Clients) -> None:
    clients("s3").create_bucket(Bucket="audit-logs")
    assert "MFADelete" not in clients("s3").get_bucket_versioning(Bucket="audit-logs")

    assert versioning_with_mfa(clients, "Enabled") == ("Enabled", "Enabled")
    assert versioning_with_mfa(clients, "Disabled") == ("Enabled", "Disabled")


def delegate(clients: Clients) -> None:
    organizations = clients("organizations")
    organizations.create_organization(FeatureSet="ALL")
    account = organizations.create_account(AccountName="audit", Email="audit@example.com")
    organizations.register_delegated_administrator(
        AccountId=account["CreateAccountStatus"]["AccountId"], ServicePrincipal="cloudtrail.amazonaws.com"
    )


def test_moto_does_not_delegate_cloudtrail(clients: Clients) -> None:
    with pytest.raises(ClientError, match="unrecognized service principal"):
        delegate(clients)


def test_cloudtrail_can_be_delegated(notes: Notes, clients: Clients) -> None:
    delegate(clients)

    (administrator,) = clients("organizations").list_delegated_administrators()["DelegatedAdministrators"]
    assert administrator["Name"] == "audit"


def role_in_config(clients: Clients) -> dict[str, Any]:
    clients("iam").create_role(
        RoleName="Deploy", AssumeRolePolicyDocument="{}", Tags=[{"Key": "team", "Value": "ops"}]
    )
    asked = {"resourceType": "AWS::IAM::Role", "resourceName": "Deploy"}
    (found,) = clients("config").list_discovered_resources(**asked)["resourceIdentifiers"]
    (item,) = clients("config").get_resource_config_history(
        resourceType="AWS::IAM::Role", resourceId=found["resourceId"]
    )["configurationItems"]
    return dict(item)


def test_moto_answers_a_roles_tags_in_a_form_no_client_reads(clients: Clients) -> None:
    with pytest.raises(AttributeError):
        role_in_config(clients)


def test_config_answers_a_roles_tags(notes: Notes, clients: Clients) -> None:
    assert role_in_config(clients)["tags"] == {"team": "ops"}


def test_moto_keeps_every_object_it_ever_made(moto_app: Any) -> None:
    before = kept_messages()
    make_message()

    assert kept_messages() == before + 1


def test_objects_are_not_kept(notes: Notes) -> None:
    before = kept_messages()
    make_message()

    assert kept_messages() == before


def make_message() -> None:
    from moto.sqs.models import Message

    Message("1", "body")


def kept_messages() -> int:
    from moto.sqs import models

    kind: Any = models.Message
    return len(kind.instances_tracked)


def test_a_call_does_not_list_motos_modules_again(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto import backends

    modules = list(backends.list_of_moto_modules())
    monkeypatch.setattr(os, "listdir", lambda path: [])

    assert "iam" in modules
    assert list(backends.list_of_moto_modules()) == modules
    moto_patches.uninstall(notes)
    assert list(backends.list_of_moto_modules()) == []


def test_unknown_keys_belong_to_the_account_asked_for(moto_app: Any) -> None:
    hooks = Notes()
    plain = Clients(moto_app, account=ACCOUNT, region="us-east-1", act_as_account=False)

    moto_patches.install(hooks, default_account="111122223333")
    installed = plain("sts").get_caller_identity()["Account"]
    moto_patches.uninstall(hooks)

    assert installed == "111122223333"
    assert plain("sts").get_caller_identity()["Account"] == ACCOUNT


def test_uninstalling_an_earlier_runtime_leaves_the_later_one(notes: Notes, clients: Clients) -> None:
    later = Notes()
    moto_patches.install(later, default_account=ACCOUNT)
    moto_patches.uninstall(notes)
    make_queue(clients)

    clients("sqs").send_message(
        QueueUrl=clients("sqs").get_queue_url(QueueName="inbox")["QueueUrl"], MessageBody="x"
    )
    moto_patches.uninstall(later)

    assert later.queues == ["inbox"]
