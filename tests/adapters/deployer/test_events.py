"""Buses, rules and schedules: what the template asks for is what EventBridge and Scheduler show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, requests_of, resource

RULE = "AWS::Events::Rule"
PATTERN = {"source": [{"prefix": "aws."}], "detail-type": ["AWS API Call via CloudTrail"]}


def queue_arn(name: str) -> str:
    """Return the ARN of a queue of the test's account."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def targets(deployer: Deployer, rule: str, bus: str = "default") -> Any:
    """Return the targets of a rule."""
    return deployer.clients("events").list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]


def test_rule_for_all_management_events(deployer: Deployer) -> None:
    target = {"Id": "Intake", "Arn": queue_arn("intake"), "DeadLetterConfig": {"Arn": queue_arn("dead")}}

    name = deployer.one(
        RULE,
        Name="calls",
        Description="every call",
        EventPattern=PATTERN,
        State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        Targets=[target],
    )

    found = deployer.clients("events").describe_rule(Name="calls")
    assert name == "calls"
    assert json.loads(found["EventPattern"]) == PATTERN
    assert found["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    assert found["Description"] == "every call"
    assert targets(deployer, "calls") == [target]


def test_schedule_rule_with_constant_input(deployer: Deployer) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:digest"
    target = {"Id": "T", "Arn": arn, "Input": '{"close": true}', "RetryPolicy": {"MaximumRetryAttempts": "3"}}

    state = deployer.deploy(
        {"It": resource(RULE, ScheduleExpression="cron(5 * * * ? *)", State="ENABLED", Targets=[target])},
        Outputs={"Arn": {"Value": {"Fn::GetAtt": ["It", "Arn"]}}},
    )

    name = deployer.physical_id(state, "It")
    found = deployer.clients("events").describe_rule(Name=name)
    assert found["ScheduleExpression"] == "cron(5 * * * ? *)"
    assert state.outputs["Arn"] == found["Arn"] == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"
    assert targets(deployer, name)[0]["RetryPolicy"] == {"MaximumRetryAttempts": 3}
    assert targets(deployer, name)[0]["Input"] == '{"close": true}'


def test_rule_and_targets_change_in_place(deployer: Deployer) -> None:
    one, two, three = ({"Id": name, "Arn": queue_arn(name)} for name in ("one", "two", "three"))
    name = deployer.one(RULE, EventPattern=PATTERN, Targets=[one, two])

    changed = {**two, "InputPath": "$.detail"}
    again = deployer.one(
        RULE, EventPattern={"source": ["aws.s3"]}, State="DISABLED", Targets=[changed, three]
    )

    found = deployer.clients("events").describe_rule(Name=name)
    assert again == name
    assert json.loads(found["EventPattern"]) == {"source": ["aws.s3"]}
    assert found["State"] == "DISABLED"
    assert sorted(targets(deployer, name), key=lambda target: str(target["Id"])) == [three, changed]


def test_rule_of_a_custom_bus_goes_with_the_stack(deployer: Deployer) -> None:
    rule = resource(
        RULE,
        Name="calls",
        EventBusName={"Ref": "Bus"},
        EventPattern=PATTERN,
        Targets=[{"Id": "T", "Arn": queue_arn("q")}],
    )
    bus = resource("AWS::Events::EventBus", Name="other", Tags=[{"Key": "k", "Value": "v"}])

    state = deployer.deploy({"Bus": bus, "Rule": rule})

    assert deployer.physical_id(state, "Rule") == "other|calls"
    assert len(targets(deployer, "calls", "other")) == 1
    deployer.engine.delete("Stack")
    names = [one["Name"] for one in deployer.clients("events").list_event_buses()["EventBuses"]]
    assert names == ["default"]


def test_statements_of_a_bus_policy_come_and_go(deployer: Deployer) -> None:
    def statement(account: str) -> dict[str, Any]:
        body = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "events:PutEvents",
            "Resource": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default",
        }
        return resource("AWS::Events::EventBusPolicy", StatementId=f"From{account}", Statement=body)

    def accounts() -> list[str]:
        policy = json.loads(
            deployer.clients("events").describe_event_bus().get("Policy") or '{"Statement": []}'
        )
        return sorted(one["Sid"] for one in policy["Statement"])

    deployer.deploy({"One": statement("111111111111"), "Two": statement("222222222222")})
    assert accounts() == ["From111111111111", "From222222222222"]

    deployer.deploy({"Two": statement("222222222222")})
    assert accounts() == ["From222222222222"]


def test_schedule_changes_in_place(deployer: Deployer) -> None:
    def resources(**properties: Any) -> dict[str, Any]:
        target = {"Arn": queue_arn("q"), "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r", "Input": '{"a":1}'}
        schedule = resource(
            "AWS::Scheduler::Schedule",
            GroupName={"Ref": "Group"},
            FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": "5"},
            Target=target,
            **properties,
        )
        group = resource("AWS::Scheduler::ScheduleGroup", Name="trail", Tags=[{"Key": "k", "Value": "v"}])
        return {"Group": group, "Schedule": schedule}

    def shown(name: str) -> Any:
        return deployer.clients("scheduler").get_schedule(Name=name, GroupName="trail")

    state = deployer.deploy(resources(ScheduleExpression="rate(1 hour)", Description="digests"))
    name = deployer.physical_id(state, "Schedule")
    assert shown(name)["ScheduleExpression"] == "rate(1 hour)"
    assert shown(name)["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}
    assert shown(name)["Target"]["Input"] == '{"a":1}'

    state = deployer.deploy(resources(ScheduleExpression="rate(2 hours)", State="DISABLED"))
    assert deployer.physical_id(state, "Schedule") == name
    assert (shown(name)["ScheduleExpression"], shown(name)["State"]) == ("rate(2 hours)", "DISABLED")

    deployer.engine.delete("Stack")
    assert deployer.clients("scheduler").list_schedules()["Schedules"] == []


def test_refused_target_fails_the_rule(deployer: Deployer) -> None:
    class Refusing:
        """EventBridge, where every target is refused, with the 200 that EventBridge answers."""

        def __getattr__(self, name: str) -> Any:
            return getattr(deployer.clients("events"), name)

        def put_targets(self, **_: Any) -> Any:
            entry = {"TargetId": "T", "ErrorCode": "ResourceNotFoundException"}
            return {"FailedEntryCount": 1, "FailedEntries": [entry]}

    over = Deployer(lambda service: Refusing() if service == "events" else deployer.clients(service))

    with pytest.raises(DeployError, match="targets refused: .*ResourceNotFoundException"):
        over.one(RULE, EventPattern=PATTERN, Targets=[{"Id": "T", "Arn": queue_arn("q")}])

    assert deployer.clients("events").list_rules()["Rules"] == []


def test_only_changed_targets_are_sent(deployer: Deployer) -> None:
    same, old, new = (
        {"Id": name, "Arn": queue_arn(arn)} for name, arn in (("a", "a"), ("b", "b"), ("b", "c"))
    )
    deployer.one(RULE, EventPattern=PATTERN, Targets=[same, old])

    with requests_of("events", "PutTargets") as requests:
        deployer.one(RULE, EventPattern=PATTERN, Targets=[same, new])

    assert [request["Targets"] for request in requests] == [[new]]


@pytest.mark.parametrize(
    ("type_name", "properties", "path"),
    [
        (RULE, {"Oops": 1}, "Oops"),
        (RULE, {"Targets": [{"Id": "T", "Arn": "a", "Oops": 1}]}, r"Targets\[0\]\.Oops"),
        ("AWS::Events::EventBus", {"Name": "b", "Oops": 1}, "Oops"),
        ("AWS::Scheduler::Schedule", {"Target": {"Oops": 1}}, r"Target\.Oops"),
        ("AWS::Scheduler::ScheduleGroup", {"Oops": 1}, "Oops"),
    ],
)
def test_unknown_property_is_refused(
    deployer: Deployer, type_name: str, properties: dict[str, Any], path: str
) -> None:
    with pytest.raises(DeployError, match=rf"It \({type_name}\): property {path} is not supported"):
        deployer.one(type_name, **properties)


def test_bus_policy_changes_in_place(deployer: Deployer) -> None:
    def statement(account: str) -> dict[str, Any]:
        return {
            "Sid": "Put",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "events:PutEvents",
            "Resource": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/other",
        }

    def deploy(account: str | None) -> Any:
        policy = {"Version": "2012-10-17", "Statement": [statement(account)]} if account else None
        deployer.one("AWS::Events::EventBus", Name="other", **({"Policy": policy} if policy else {}))
        return deployer.clients("events").describe_event_bus(Name="other")

    assert "111111111111" in deploy("111111111111")["Policy"]
    changed = deploy("222222222222")
    assert "222222222222" in changed["Policy"]
    assert "111111111111" not in changed["Policy"]
    assert "Put" not in str(deploy(None).get("Policy"))


def test_bus_statement_in_its_short_form(deployer: Deployer) -> None:
    deployer.one(
        "AWS::Events::EventBusPolicy",
        StatementId="Short",
        Action="events:PutEvents",
        Principal="111111111111",
    )

    policy = json.loads(deployer.clients("events").describe_event_bus()["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == ["Short"]


def test_bus_statement_must_be_an_object(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match="property Statement is not an object"):
        deployer.one("AWS::Events::EventBusPolicy", StatementId="S", Statement="text")
