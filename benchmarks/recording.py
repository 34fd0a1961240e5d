"""What recording costs a caller: calls to the gateway against the same calls without recording.

Three HTTP servers of the same kind in this process, one moto behind all: the gateway; the gateway
with recording off, which still parses each request and finds its caller; moto alone. With recording
on, the record is built, put on the bus, matched against the rules and queued for the pipeline.
boto3 makes each call to all three, turn about and every time in another order. Ratios are taken
within a round, and their median over all, by the clock and in CPU time of the process (client and
server), which neighbours on the same cores do not spoil. Nothing else runs meanwhile: the queue is
drained between rounds, outside of what is measured.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from opentrail.local.call import Counters, Reply
from opentrail.local.capture.capture import Understood
from opentrail.local.gateway import Gateway
from opentrail.local.runtime import Options
from opentrail.local.server import Server
from opentrail.testing.runtime import InProcessRuntime
from opentrail.testing.world import opened

AIM = 1.15  # a call with recording against the same without
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})

Call = Callable[["Side", int], Any]


class Side:
    """One endpoint, its clients, and resources of its own there."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url
        self._session: Any = boto3.Session(
            aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1"
        )
        self._clients: dict[str, Any] = {}
        self.client("s3").create_bucket(Bucket=f"things-{name}")
        self.queue = self.client("sqs").create_queue(QueueName=f"inbox-{name}")["QueueUrl"]
        self.key = self.client("kms").create_key()["KeyMetadata"]["KeyId"]
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def client(self, service: str) -> Any:
        """The client of ``service`` at this endpoint, made once."""
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service,
                endpoint_url=self._url,
                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return self._clients[service]


KINDS: dict[str, Call] = {
    "sts GetCallerIdentity": lambda side, n: side.client("sts").get_caller_identity(),
    "iam CreateUser": lambda side, n: side.client("iam").create_user(UserName=f"{side.name}-{n}"),
    "iam CreateRole": lambda side, n: side.client("iam").create_role(
        RoleName=f"{side.name}-{n}", AssumeRolePolicyDocument=TRUST
    ),
    "s3 PutObject": lambda side, n: side.client("s3").put_object(
        Bucket=f"things-{side.name}", Key=f"{n}", Body=b"x" * 10_000
    ),
    "s3 GetObject": lambda side, n: (
        side.client("s3").get_object(Bucket=f"things-{side.name}", Key=f"{n}")["Body"].read()
    ),
    "sqs TagQueue": lambda side, n: side.client("sqs").tag_queue(QueueUrl=side.queue, Tags={"n": str(n)}),
    "dynamodb PutItem": lambda side, n: side.client("dynamodb").put_item(
        TableName=side.name, Item={"pk": {"S": f"{n}"}}
    ),
    "kms DescribeKey": lambda side, n: side.client("kms").describe_key(KeyId=side.key),
    "ec2 CreateSecurityGroup": lambda side, n: side.client("ec2").create_security_group(
        GroupName=f"{side.name}-{n}", Description="for nobody"
    ),
    "lambda ListFunctions": lambda side, n: side.client("lambda").list_functions(),
}


class Silent(Gateway):
    """A gateway that leaves no records."""

    def _record(self, understood: Understood, reply: Reply) -> Reply:
        return reply


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call, in seconds."""

    clock: float
    cpu: float


Costs = dict[str, list[Cost]]  # by side; the costs of one round have the same position


def ratios(costs: Costs, over: str, under: str, by: str) -> list[float]:
    """One per round."""
    return [getattr(a, by) / getattr(b, by) for a, b in zip(costs[over], costs[under], strict=True)]


def measure(call: Call, sides: list[Side], number: int, costs: Costs) -> None:
    """Make one call on every side, beginning with another one each time."""
    first = number % len(sides)
    for side in sides[first:] + sides[:first]:
        clock, cpu = time.perf_counter(), time.process_time()
        call(side, number)
        spent = Cost(time.perf_counter() - clock, time.process_time() - cpu)
        costs.setdefault(side.name, []).append(spent)


def run(runtime: InProcessRuntime, sides: list[Side], rounds: int) -> dict[str, Costs]:
    """Measure every kind of call once a round; the first two rounds warm up and are forgotten."""
    measured: dict[str, Costs] = {kind: {} for kind in KINDS}
    for number in range(rounds + 2):
        if number == 2:
            measured = {kind: {} for kind in KINDS}
        for kind, call in KINDS.items():
            measure(call, sides, number, measured[kind])
        if number % 20 == 0:
            runtime.settle()
            gc.collect()
    return measured


def report(measured: dict[str, Costs]) -> None:
    """Print median milliseconds of CPU, and median ratios."""
    print(f"{'CPU, median':<26}{'moto ms':>9}{'off ms':>9}{'on ms':>9}{'on/off':>9}{'on/moto':>9}")
    for kind, costs in measured.items():
        spent = [statistics.median(cost.cpu for cost in costs[side]) * 1000 for side in ("moto", "off", "on")]
        found = [statistics.median(ratios(costs, "on", side, "cpu")) for side in ("off", "moto")]
        print(f"{kind:<26}" + "".join(f"{value:>9.2f}" for value in spent + found))
    for by in ("cpu", "clock"):
        to_off, to_moto = (
            statistics.median(ratio for costs in measured.values() for ratio in ratios(costs, "on", side, by))
            for side in ("off", "moto")
        )
        print(f"{by}: recording on / off {to_off:.3f}   aim <= {AIM}x;   on / moto alone {to_moto:.3f}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="calls of each kind to each server")
    rounds = parser.parse_args().rounds
    with opened(Options()) as world:
        runtime = world.runtime
        applications: dict[str, Any] = {"on": runtime, "off": silent(runtime), "moto": runtime._moto}
        servers = {name: Server("127.0.0.1", 0, application) for name, application in applications.items()}
        for server in servers.values():
            server.serve()
        try:
            before = runtime.counters.recorded
            measured = run(runtime, [Side(name, server.url) for name, server in servers.items()], rounds)
            recorded = runtime.counters.recorded - before
        finally:
            for server in servers.values():
                server.close()
    assert recorded >= rounds * len(KINDS), "not every call was recorded"
    report(measured)


def silent(runtime: InProcessRuntime) -> Silent:
    """The runtime's gateway, with recording off."""
    return Silent(
        moto=runtime._moto,
        services={},
        sink=lambda captured: None,
        counters=Counters(),
        default_account=runtime.options.account,
        default_region=runtime.options.region,
        unrecorded_roles=runtime.unrecorded_roles,
    )


if __name__ == "__main__":
    main()
