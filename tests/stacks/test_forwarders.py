"""Forwarding by the synthesised templates: what is sent home, by whom, and why no loop can close."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from opentrail.local.deployer.intrinsics import resolve
from opentrail.local.patterns import compile_pattern
from tests.stacks.conftest import Forwarders, Template, Templates

HOME_ACCOUNT, MEMBER, OTHER_MEMBER = "111111111111", "222222222222", "333333333333"
HOME_REGION, OTHER_REGION = "us-east-1", "eu-west-1"
SITES = list(product((HOME_ACCOUNT, MEMBER, OTHER_MEMBER), (HOME_REGION, OTHER_REGION)))
HOME = (HOME_ACCOUNT, HOME_REGION)
HOME_BUS = f"arn:aws:events:{HOME_REGION}:{HOME_ACCOUNT}:event-bus/OpenTrail-calls"
FOURTEEN_DAYS = 14 * 86_400
EVERY_CALL = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

KINDS = ("region", "member")
each_kind = pytest.mark.parametrize("kind", KINDS)


@dataclass(frozen=True)
class Names:
    """What names in a forwarder's template mean where it is deployed."""

    account: str
    region: str

    def ref(self, name: str) -> str:
        known = {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": "aws",
            "HomeAccount": HOME_ACCOUNT,
            "HomeRegion": HOME_REGION,
        }
        return known.get(name, name)

    def attribute(self, logical_id: str, name: str) -> str:
        return f"{logical_id}.{name}"

    def condition(self, name: str) -> bool:
        raise NotImplementedError

    def mapping(self, name: str, first: str, second: str) -> str:
        raise NotImplementedError

    def imported(self, name: str) -> str:
        raise NotImplementedError


def forwarder(forwarders: Forwarders, kind: str) -> Template:
    chosen: Template = getattr(forwarders, kind)
    return chosen


def rule_at(forwarders: Forwarders, kind: str, site: tuple[str, str]) -> dict[str, Any] | None:
    """The forwarding rule as it is at an account and Region; None where none is made."""
    template, names = forwarder(forwarders, kind), Names(*site)
    if not resolve(template.body["Conditions"]["Elsewhere"], names):
        return None
    rule: dict[str, Any] = resolve(template.only("AWS::Events::Rule", "Forwarder"), names)
    return rule


def call(site: tuple[str, str]) -> dict[str, Any]:
    """A call made in an account and Region, as it is on every bus it passes."""
    account, region = site
    return {
        "source": "aws.iam",
        "detail-type": "AWS API Call via CloudTrail",
        "account": account,
        "region": region,
        "detail": {"eventName": "CreateUser"},
    }


def takes(rule: dict[str, Any] | None, event: dict[str, Any]) -> bool:
    return rule is not None and compile_pattern(json.dumps(rule["EventPattern"]))(event)


def sent_by(forwarders: Forwarders, site: tuple[str, str], event: dict[str, Any]) -> list[str]:
    """Where the forwarding rules at ``site``, with every forwarder deployed, send an event on a bus there."""
    rules = [rule_at(forwarders, kind, site) for kind in KINDS]
    return [rule["Targets"][0]["Arn"] for rule in rules if rule is not None and takes(rule, event)]


# Where calls go


@pytest.mark.parametrize("site", [site for site in SITES if site[0] != HOME_ACCOUNT])
def test_a_members_call_is_sent_home_in_one_hop(forwarders: Forwarders, site: tuple[str, str]) -> None:
    rule = rule_at(forwarders, "member", site)

    assert rule is not None
    assert takes(rule, call(site))
    assert [target["Arn"] for target in rule["Targets"]] == [HOME_BUS]


def test_a_call_in_another_region_of_the_home_account_is_sent_home_once(forwarders: Forwarders) -> None:
    site = (HOME_ACCOUNT, OTHER_REGION)

    assert sent_by(forwarders, site, call(site)) == [HOME_BUS]


def test_nothing_is_forwarded_at_home(forwarders: Forwarders) -> None:
    assert [rule_at(forwarders, kind, HOME) for kind in KINDS] == [None, None]


@pytest.mark.parametrize("origin", SITES)
def test_a_forwarded_call_matches_no_forwarding_rule_anywhere_else(
    forwarders: Forwarders, origin: tuple[str, str]
) -> None:
    """So not at its destination, even if home were moved there or forwarders of another home are deployed."""
    elsewhere = [site for site in SITES if site != origin]

    assert [sent_by(forwarders, site, call(origin)) for site in elsewhere] == [[]] * len(elsewhere)


def test_no_rule_on_the_home_bus_sends_to_a_bus(pipeline: Template) -> None:
    bus = pipeline.id_of("AWS::Events::EventBus", "HomeBus")
    rules = pipeline.of_type("AWS::Events::Rule").values()

    targets = [t["Arn"] for r in rules if r.get("EventBusName") == {"Ref": bus} for t in r["Targets"]]

    assert targets == [{"Fn::GetAtt": [pipeline.id_of("AWS::SQS::Queue", "IntakeQueue"), "Arn"]}]


# Both hops


@each_kind
def test_both_hops_carry_read_only_calls_and_all_that_cloudtrail_reports(
    forwarders: Forwarders, pipeline: Template, kind: str
) -> None:
    first = forwarder(forwarders, kind).only("AWS::Events::Rule", "Forwarder")
    second = pipeline.only("AWS::Events::Rule", "HomeBus")

    assert (first["State"], second["State"]) == (EVERY_CALL, EVERY_CALL)
    assert first["EventPattern"]["source"] == second["EventPattern"]["source"] == [{"prefix": "aws."}]
    assert first["EventPattern"]["detail-type"] == second["EventPattern"]["detail-type"]


@each_kind
def test_what_cannot_be_sent_is_tried_for_a_day_and_kept_for_fourteen(
    forwarders: Forwarders, kind: str
) -> None:
    template = forwarder(forwarders, kind)
    (target,) = template.only("AWS::Events::Rule", "Forwarder")["Targets"]
    queue = template.id_of("AWS::SQS::Queue", "Forwarder")

    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}
    assert template.of_type("AWS::SQS::Queue")[queue]["MessageRetentionPeriod"] == FOURTEEN_DAYS


# Who may


@each_kind
def test_only_its_own_rule_may_fill_the_dead_letter_queue(forwarders: Forwarders, kind: str) -> None:
    template = forwarder(forwarders, kind)
    policy = template.only("AWS::SQS::QueuePolicy", "Forwarder")["PolicyDocument"]["Statement"]

    (allowed,) = (statement for statement in policy if statement["Effect"] == "Allow")

    rule = template.id_of("AWS::Events::Rule", "Forwarder")
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": [{"Fn::GetAtt": [rule, "Arn"]}]}}


@each_kind
def test_the_forwarders_role_may_put_events_on_the_home_bus_alone(forwarders: Forwarders, kind: str) -> None:
    role = resolve(
        forwarder(forwarders, kind).only("AWS::IAM::Role", "Forwarder"), Names(HOME_ACCOUNT, OTHER_REGION)
    )

    statements = [s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"]]
    assert [(s["Effect"], s["Action"], s["Resource"]) for s in statements] == [
        ("Allow", "events:PutEvents", HOME_BUS)
    ]
    assert [s["Principal"] for s in role["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "events.amazonaws.com"}
    ]
    assert role["RoleName"] == f"OpenTrail-forward-{OTHER_REGION}"


def test_the_home_bus_admits_forwarders_of_the_organization_and_nobody_else(configured: Templates) -> None:
    (statement,) = configured.pipeline.only("AWS::Events::EventBus", "HomeBus")["Policy"]["Statement"]

    conditions = statement.pop("Condition")
    statement.pop("Resource")
    assert statement == {
        "Sid": "ForwardersOfTheOrganization",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "events:PutEvents",
    }
    assert conditions["StringEquals"] == {"aws:PrincipalOrgID": "o-abcdefghij"}
    assert resolve(conditions["ArnLike"], Names(*HOME)) == {
        "aws:PrincipalArn": "arn:aws:iam::*:role/Audit-forward-*"
    }


def test_without_an_organization_no_other_account_may_put_events(pipeline: Template) -> None:
    assert "Policy" not in pipeline.only("AWS::Events::EventBus", "HomeBus")


# As a StackSet


@each_kind
def test_the_template_stands_alone(forwarders: Forwarders, kind: str) -> None:
    """No assets, no bootstrapping, no other stack: what a StackSet deploys to accounts nobody prepared."""
    body = forwarder(forwarders, kind).body
    text = json.dumps(body)

    assert set(body) == {"Description", "Parameters", "Conditions", "Resources"}
    assert set(body["Parameters"]) <= {"HomeAccount", "HomeRegion"}
    assert "Fn::ImportValue" not in text
    assert "cdk-" not in text
    assert len(text) < 51_200  # CloudFormation quotas, "Template body size in a request"


@each_kind
def test_everything_is_left_out_where_the_condition_fails(forwarders: Forwarders, kind: str) -> None:
    resources = forwarder(forwarders, kind).body["Resources"].values()

    assert {resource.get("Condition") for resource in resources} == {"Elsewhere"}
