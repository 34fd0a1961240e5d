"""Each playbook under its own deployed role, with IAM enforced: enough, and nothing to spare."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch

import pytest

from opentrail.branches.remediation.catalog import built_in
from opentrail.local.runtime import Options
from opentrail.testing.world import OpenTrail, opened
from tests.remediation.alerts import ROOT_KEY, login
from tests.remediation.cases import CASES
from tests.remediation.cases_further import FURTHER
from tests.remediation.playbook import Deployed
from tests.remediation.rehearsal import Rehearsal, Story
from tests.support.judged import Judged, Part, judging, parts

LAMBDAS = "Lambda does it in the role's name; the laptop's asks nobody"
DYNAMODBS = "DynamoDB asks for it beside kms:Decrypt; the laptop's does not"
# What cannot be proven here, "action resource", and why. All but the last are in every role.
UNPROVEN = {
    "logs:CreateLogStream *": LAMBDAS,
    "logs:PutLogEvents *": LAMBDAS,
    "sqs:SendMessage *-GivenUp*": LAMBDAS,
    "kms:DescribeKey *:key/????????-*": DYNAMODBS,
    "kms:Encrypt *:key/????????-*": DYNAMODBS,
    "iam:CreateServiceLinkedRole *": "GuardDuty makes its role with the first detector; moto's makes none",
}


@pytest.fixture(scope="module")
def laptop() -> Iterator[OpenTrail]:
    with opened(Options(remediation="enforce", iam=True)) as world:
        yield world


@pytest.fixture(scope="module")
def judged(laptop: OpenTrail) -> Iterator[list[Judged]]:
    with judging() as asked:
        yield asked


@pytest.fixture(scope="module")
def proven() -> set[str]:
    return set()


@pytest.fixture(scope="module", params=built_in())
def rehearsal(
    request: pytest.FixtureRequest, laptop: OpenTrail, judged: list[Judged], proven: set[str]
) -> Rehearsal:
    one = Rehearsal(laptop, Deployed(laptop, request.param), proven=proven)
    for case in (*CASES, *FURTHER):
        if case.playbook == request.param:
            start_afresh(laptop)
            one.play(one.tell(case), judged)
    for record in alerts(laptop, request.param):
        one.play(Story(record), judged)
    return one


def start_afresh(aws: OpenTrail) -> None:
    """Leave nothing of the story before: no trail, no record on its way, no event for a function."""
    cloudtrail = aws.client("cloudtrail")
    with aws.runtime.unrecorded():
        for trail in cloudtrail.describe_trails()["trailList"]:
            cloudtrail.delete_trail(Name=trail["TrailARN"])
    aws.runtime.drain()
    aws.runtime.asynchronous.stop()
    aws.forget()


def alerts(aws: OpenTrail, playbook: str) -> Iterator[dict[str, object]]:
    """The records that an alerting playbook tells of."""
    if playbook == "root-access-key":
        aws.forget()
        aws.client("sts", credentials=ROOT_KEY).get_caller_identity()
        yield from aws.events("GetCallerIdentity")
    if playbook == "login-without-mfa":
        aws.client("iam").create_user(UserName="hasty")
        yield login(aws, "hasty-login", "hasty")
        yield login(aws, "root-login", "root")


def test_its_role_is_enough(rehearsal: Rehearsal) -> None:
    denied = [(one.request.action, one.request.resource) for one in rehearsal.asked if one.verdict()]

    alerting = rehearsal.deployed.playbook.fix is None
    assert set(rehearsal.played) == {"alerted" if alerting else "undone"}
    assert denied == []


def test_it_fails_without_any_part_of_its_role(rehearsal: Rehearsal) -> None:
    assert rehearsal.unharmed == []


def test_its_role_has_nothing_to_spare(rehearsal: Rehearsal) -> None:
    assert [str(part) for part in rehearsal.spare() if not is_listed(part)] == []


def test_what_is_listed_as_unproven_is_so(rehearsal: Rehearsal) -> None:
    assert [str(part) for part in rehearsal.needed() if is_listed(part)] == []


def test_what_is_listed_as_unproven_is_in_some_role(laptop: OpenTrail) -> None:
    given = {
        str(part)
        for id_ in built_in()
        for part in parts(Rehearsal(laptop, Deployed(laptop, id_)).statements())
    }

    assert [pattern for pattern in UNPROVEN if not any(fnmatch(one, pattern) for one in given)] == []


def is_listed(part: Part) -> bool:
    return any(fnmatch(str(part), pattern) for pattern in UNPROVEN)
