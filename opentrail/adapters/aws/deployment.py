"""A deployed OpenTrail, found by its stacks: queues, functions and alarms, as their own services tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import StorageError

QUEUE_URL, DEAD_URL, FUNCTION = "QueueUrl", "DeadLetterQueueUrl", "FunctionName"
STACKS = ("Storage", "Pipeline", "Api", "Integrity", "Ingest", "Remediation", "Detections", "Cis")
ERRORS_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue between two stages, with its dead letters. Counts are SQS's own approximations."""

    name: str  # "Intake"
    url: str
    dead_url: str
    waiting: int
    in_flight: int
    dead: int


@dataclass(frozen=True, slots=True)
class FunctionState:
    """One function; ``errors`` within the last hour."""

    name: str
    state: str  # "Active", "Pending", "Inactive", "Failed"
    errors: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """The outputs of every stack that is there."""

    outputs: Mapping[str, str]
    statuses: Mapping[str, str]  # stack name -> its status

    @property
    def queue_names(self) -> tuple[str, ...]:
        """What has a queue and a dead-letter queue: ``Intake``, ``Delivery``."""
        return tuple(name.removesuffix(DEAD_URL) for name in self.outputs if name.endswith(DEAD_URL))

    @property
    def function_names(self) -> tuple[str, ...]:
        """The functions, by the names Lambda knows."""
        return tuple(value for name, value in sorted(self.outputs.items()) if name.endswith(FUNCTION))


def find_deployment(clients: Any, prefix: str) -> Deployment:
    """Read the outputs of the stacks whose names begin with ``prefix``.

    Raises:
        StorageError: there is no such deployment here, or CloudFormation refused.
    """
    outputs: dict[str, str] = {}
    statuses: dict[str, str] = {}
    for suffix in STACKS:
        stack = _describe(clients("cloudformation"), prefix + suffix)
        if stack is not None:
            statuses[prefix + suffix] = stack["StackStatus"]
            outputs |= {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
    if not statuses:
        raise StorageError(f"no stack {prefix}Pipeline in this account and Region", "NotDeployed")
    return Deployment(outputs, statuses)


def storage_output(clients: Any, prefix: str, name: str) -> str:
    """One output of the storage stack.

    Raises:
        StorageError: there is no such stack here, it is older than this output, or CloudFormation refused.
    """
    stack = _describe(clients("cloudformation"), f"{prefix}Storage")
    found = {o["OutputKey"]: str(o["OutputValue"]) for o in (stack or {}).get("Outputs", [])}
    if name not in found:
        raise StorageError(f"no stack {prefix}Storage with {name} in this account and Region", "NotDeployed")
    return found[name]


def find_installed(clients: Any, prefix: str) -> tuple[datetime, Mapping[str, str]]:
    """Since when there is the storage stack, and the outputs of every stack, by one call.

    Raises:
        StorageError: there is no storage stack here, or CloudFormation refused.
    """
    names = {prefix + suffix for suffix in STACKS}
    with storage_errors("describe the stacks"):
        pages = clients("cloudformation").get_paginator("describe_stacks").paginate()
        found = {stack["StackName"]: stack for page in pages for stack in page["Stacks"]}
    if f"{prefix}Storage" not in found:
        raise StorageError(f"no stack {prefix}Storage in this account and Region", "NotDeployed")
    stacks = [found[name] for name in sorted(names & found.keys())]
    outputs = {o["OutputKey"]: o["OutputValue"] for stack in stacks for o in stack.get("Outputs", [])}
    return found[f"{prefix}Storage"]["CreationTime"], outputs


def read_queues(clients: Any, deployment: Deployment) -> Iterator[QueueState]:
    """Every queue with its dead letters.

    Raises:
        StorageError: SQS refused or did not answer.
    """
    for name in deployment.queue_names:
        url, dead_url = deployment.outputs[name + QUEUE_URL], deployment.outputs[name + DEAD_URL]
        with storage_errors(f"look at the {name} queue"):
            work, dead = (_attributes(clients("sqs"), u) for u in (url, dead_url))
        yield QueueState(name, url, dead_url, work[0], work[1], dead[0] + dead[1])


def read_functions(clients: Any, deployment: Deployment, now: datetime) -> Iterator[FunctionState]:
    """Every function.

    Raises:
        StorageError: Lambda or CloudWatch refused or did not answer.
    """
    for name in deployment.function_names:
        with storage_errors(f"look at function {name}"):
            found = clients("lambda").get_function_configuration(FunctionName=name)
            statistics = clients("cloudwatch").get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName="Errors",
                Dimensions=[{"Name": "FunctionName", "Value": name}],
                StartTime=now - ERRORS_WITHIN,
                EndTime=now,
                Period=int(ERRORS_WITHIN.total_seconds()),
                Statistics=["Sum"],
            )
        errors = sum(point["Sum"] for point in statistics["Datapoints"])
        yield FunctionState(name, found.get("State", "Active"), int(errors))


def alarms_ringing(clients: Any, prefix: str) -> list[str]:
    """The names of this deployment's alarms that are in state ALARM.

    Raises:
        StorageError: CloudWatch refused or did not answer.
    """
    pages = clients("cloudwatch").get_paginator("describe_alarms")
    with storage_errors("look at the alarms"):
        found = pages.paginate(AlarmNamePrefix=prefix, StateValue="ALARM")
        return [alarm["AlarmName"] for page in found for alarm in page.get("MetricAlarms", [])]


def _describe(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        with storage_errors(f"describe stack {name}"):
            stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except StorageError as error:
        if error.code == "ValidationError":  # CloudFormation API, DescribeStacks: "does not exist"
            return None
        raise
    return stack


def messages_on(clients: Any, queue_url: str) -> int:
    """How many messages a queue holds, in flight or not; SQS's own approximation.

    Raises:
        StorageError: SQS refused or did not answer.
    """
    with storage_errors(f"look at {queue_url}"):
        return sum(_attributes(clients("sqs"), queue_url))


def _attributes(sqs: Any, url: str) -> tuple[int, int]:
    waiting = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    in_flight = "ApproximateNumberOfMessagesNotVisible"
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[*waiting, in_flight])["Attributes"]
    return sum(int(found[name]) for name in waiting), int(found[in_flight])
