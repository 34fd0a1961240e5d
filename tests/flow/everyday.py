"""What installations do on some days only, by the deployed functions' own code, settings and roles."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.api import handler as api
from lambdas.insights import handler as insights
from lambdas.rollup import handler as rollup
from lambdas.validate import handler as validate
from opentrail.adapters.aws.organizations import CLOUDTRAIL
from opentrail.model.event import Place
from opentrail.pipeline.validate.rounds import Outcome
from opentrail.settings import ApiSettings, InsightsSettings, RollupSettings, ValidateSettings
from opentrail.testing.world import OpenTrail
from tests.support.past import PLACE, Past
from tests.support.roles import clients_as, credentials_of, deployed, served

TRUST = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}
STREAM = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
    ],
}


def verify(world: OpenTrail) -> None:
    """The validate function proves all there is; its verifier opens connections of its own."""
    function = deployed(world, "Validate")
    credentials = credentials_of(world, function)
    settings = ValidateSettings.from_env(function.environment_vars)
    with served(credentials) as url:
        validator = validate.build(settings, clients_as(world, credentials, url))
        verdicts = validator.run(datetime.now(UTC), hours=26, has_time=lambda: True)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.PROVEN]


def roll_up_tomorrow(world: OpenTrail) -> None:
    """The rollup function puts today's segments together, when today is over."""
    function = deployed(world, "Rollup")
    settings = RollupSettings.from_env(function.environment_vars)
    roller = rollup.build(settings, clients_as(world, credentials_of(world, function)))
    rolled = roller.roll(PLACE, datetime.now(UTC) + timedelta(days=2), days=3)
    assert rolled.before > rolled.after


def find_a_burst(world: OpenTrail) -> None:
    """The insights function finds a burst after days that were all alike; no trail hears of it."""
    function = deployed(world, "Insights")
    settings = InsightsSettings.from_env(function.environment_vars)
    watcher = insights.build(settings, clients_as(world, credentials_of(world, function)))
    burst = datetime.now(UTC).replace(hour=12, minute=20, second=0, microsecond=0) - timedelta(days=1)
    elsewhere = Place(world.account, "eu-west-1")  # where nothing was judged yet
    with world.runtime.unrecorded():
        past = Past(world.client("dynamodb"), settings.history_table, elsewhere)
        for days in range(9, 0, -1):
            begin = burst - timedelta(days=days)
            past.add([begin + timedelta(minutes=30 * half) for half in range(48)], ("RunInstances", "", 2))
        past.add([burst + timedelta(minutes=minute) for minute in range(10)], ("RunInstances", "", 20))
        found, failed = watcher.watch(burst + timedelta(minutes=10), settled=True)
        world.client("sqs").purge_queue(QueueUrl=settings.intake_queue_url)
    assert (bool(found), failed) == (True, 0)


def use_api(world: OpenTrail) -> None:
    """The api function answers an administrator who tries all that trails can have.

    An organization's trail stays: what reads the organization's accounts has something to do.
    """
    member, group, role, topic = _surroundings(world)
    bucket, key = (world.runtime.outputs[name] for name in ("LogBucketName", "EncryptionKeyArn"))
    series = {"EventSource": "iam.amazonaws.com", "EventName": "CreateUser"}
    ask = _asking(world)
    ask("ListPublicKeys")
    ask("LookupEvents")
    ask("ListInsightsMetricData", InsightType="ApiCallRateInsight", **series)
    ask("CreateTrail", Name="streamed", S3BucketName=bucket)
    ask("CreateTrail", 400, Name="told", S3BucketName=bucket, SnsTopicName=topic)  # the topic is not shared
    streaming = {"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role}
    ask("UpdateTrail", Name="streamed", KmsKeyId=key, **streaming)
    ask("DeleteTrail", Name="streamed")
    ask("RegisterOrganizationDelegatedAdmin", MemberAccountId=member)
    ask("DeregisterOrganizationDelegatedAdmin", DelegatedAdminAccountId=member)
    ask("CreateTrail", Name="all", S3BucketName=bucket, IsOrganizationTrail=True, IsMultiRegionTrail=True)
    ask("StartLogging", Name="all")


def _asking(world: OpenTrail) -> Any:
    function = deployed(world, "Api")
    settings = ApiSettings.from_env(function.environment_vars)
    clients = clients_as(world, credentials_of(world, function))
    endpoint = api.build(settings, clients, region=world.region)
    caller = {"accountId": world.account, "userArn": f"arn:aws:iam::{world.account}:root"}

    def ask(operation: str, status: int = 200, **parameters: Any) -> None:
        request = {
            "routeKey": f"POST /{operation}",
            "headers": {},
            "requestContext": {"requestId": "r1", "authorizer": {"iam": caller}},
            "body": json.dumps(parameters),
        }
        reply = endpoint.answer(request, datetime.now(UTC))
        assert reply.status == status, (operation, reply.body, reply.failure)

    return ask


def _surroundings(world: OpenTrail) -> tuple[str, str, str, str]:
    """Make a member account, a log group, the role that writes to it, and a topic that is not shared."""
    iam, directory = world.client("iam"), world.client("organizations")
    organization = directory.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    _open_folder(world, organization)
    directory.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    account = directory.create_account(Email="a@example.com", AccountName="a")
    role = iam.create_role(RoleName="stream", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="stream", PolicyName="inline", PolicyDocument=json.dumps(STREAM))
    policy = iam.create_policy(PolicyName="attached", PolicyDocument=json.dumps(STREAM))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="stream", PolicyArn=policy)
    world.client("logs").create_log_group(logGroupName="trail")
    topic = world.client("sns").create_topic(Name="private")["TopicArn"]
    group = f"arn:aws:logs:{world.region}:{world.account}:log-group:trail:*"
    return account["CreateAccountStatus"]["AccountId"], group, role, topic


def _open_folder(world: OpenTrail, organization: str) -> None:
    """Let CloudTrail write an organization's folder, as the option ``organizationId`` does."""
    s3, bucket = world.client("s3"), world.runtime.outputs["LogBucketName"]
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    (write,) = (s for s in policy["Statement"] if s.get("Sid") == "AWSCloudTrailWrite20150319")
    folder = f"arn:aws:s3:::{bucket}/AWSLogs/{organization}/*"
    policy["Statement"].append({**write, "Sid": "Organization", "Resource": folder})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
