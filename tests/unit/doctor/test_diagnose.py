"""What the doctor says of accounts that lack one thing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from opentrail.branches.doctor import AccountFacts, Diagnosis, GroupFacts, KeyFacts, Outcome, Unread, diagnose
from opentrail.branches.doctor.catalogue import SEVERITIES, checks
from tests.unit.doctor.conftest import (
    ACCOUNT,
    ALL_OBJECTS,
    ARN,
    KEY,
    NOW,
    TLS_ONLY,
    WRITE,
    make_bucket,
    make_facts,
    make_trail,
    policy,
)

ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*"}
UNNAMED = {**WRITE, "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}}
STATUS = make_trail().status
MANAGEMENT = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
OBJECTS = {
    "FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    ]
}


def failures(facts: AccountFacts) -> list[str]:
    return [d.check.id for d in diagnose(facts) if d.outcome is Outcome.FAIL]


def one(facts: AccountFacts, check: str) -> Diagnosis:
    (found,) = [d for d in diagnose(facts) if d.check.id == check]
    return found


def test_nothing_fails_on_a_trail_that_is_set_up_well() -> None:
    found = diagnose(make_facts())

    assert {d.outcome for d in found} == {Outcome.PASS}
    assert [d.check.id for d in found] == [name for name in checks() if name != "organization-trail"]


@pytest.mark.parametrize(
    ("facts", "check"),
    [
        (make_facts(make_trail(multi_region=False)), "multi-region-trail"),
        (make_facts(make_trail(global_events=False)), "multi-region-trail"),
        (make_facts(make_trail(selectors=({"ReadWriteType": "WriteOnly"},))), "multi-region-trail"),
        (make_facts(make_trail(status={**STATUS, "LatestDeliveryError": "AccessDenied"})), "delivery"),
        (make_facts(make_trail(validates=False)), "log-file-validation"),
        (make_facts(make_trail(status={**STATUS, "LatestDigestDeliveryError": "AccessDenied"})), "digests"),
        (
            make_facts(make_trail(status={**STATUS, "LatestDigestDeliveryTime": NOW - timedelta(hours=3)})),
            "digests",
        ),
        (make_facts(make_trail(bucket=make_bucket(blocks_public=False))), "bucket-not-public"),
        (
            make_facts(make_trail(bucket=make_bucket(policy=policy(WRITE, TLS_ONLY, ANYBODY)))),
            "bucket-not-public",
        ),
        (make_facts(make_trail(bucket=make_bucket(versioned=False))), "bucket-versioned"),
        (make_facts(make_trail(bucket=make_bucket(lock_days=0))), "bucket-locked"),
        (make_facts(make_trail(bucket=make_bucket(policy=policy(UNNAMED, TLS_ONLY)))), "bucket-policy"),
        (make_facts(make_trail(bucket=make_bucket(policy=policy(WRITE)))), "bucket-tls"),
        (make_facts(make_trail(bucket=make_bucket(logs_access_to=""))), "bucket-access-logs"),
        (
            make_facts(
                make_trail(
                    bucket=make_bucket(lifecycle=({"Status": "Enabled", "Expiration": {"Days": 364}},))
                )
            ),
            "retention",
        ),
        (make_facts(make_trail(key=None, key_arn="")), "encryption"),
        (make_facts(make_trail(key=KeyFacts(arn=KEY, state="Enabled", rotates=False))), "key-rotation"),
        (make_facts(make_trail(group=None, group_arn="")), "log-group"),
        (
            make_facts(make_trail(status={**STATUS, "LatestCloudWatchLogsDeliveryError": "AccessDenied"})),
            "log-group",
        ),
        (
            make_facts(
                make_trail(
                    group=GroupFacts(name="trail", retention_days=0, metric_filters=3, alarmed_filters=0)
                )
            ),
            "alarms",
        ),
        (make_facts(make_trail(insight_types=("ApiCallRateInsight",))), "insights"),
        (make_facts(make_trail(selectors=({"ReadWriteType": "All"},))), "data-events"),
        (make_facts(organization="o-abcdefghij"), "organization-trail"),
    ],
)
def test_one_thing_that_is_missing_fails_one_check(facts: AccountFacts, check: str) -> None:
    assert set(failures(facts)) <= {check, "data-events"}
    assert one(facts, check).outcome is Outcome.FAIL


def test_an_account_without_trails_fails_one_check_that_makes_one() -> None:
    facts = AccountFacts(account=ACCOUNT, region="eu-west-1", now=NOW, trails=())

    (found,) = diagnose(facts)

    assert (found.check.id, found.outcome) == ("multi-region-trail", Outcome.FAIL)
    assert [shlex.split(command)[1:3] for command in found.fix] == [
        ["s3api", "create-bucket"],
        ["s3api", "put-public-access-block"],
        ["s3api", "put-bucket-policy"],
        ["cloudtrail", "create-trail"],
        ["cloudtrail", "start-logging"],
    ]


def test_a_stopped_trail_is_started() -> None:
    facts = make_facts(make_trail(logging=False))

    assert failures(facts) == ["multi-region-trail", "trail-logging", "data-events"]
    assert one(facts, "trail-logging").fix == (
        f"aws cloudtrail start-logging --name {ARN} --region us-east-1",
    )


def test_a_key_that_waits_for_deletion_is_saved_first() -> None:
    facts = make_facts(make_trail(key=KeyFacts(arn=KEY, state="PendingDeletion", rotates=True)))

    assert one(facts, "encryption").fix == (
        f"aws kms cancel-key-deletion --region us-east-1 --key-id {KEY}",
        f"aws kms enable-key --region us-east-1 --key-id {KEY}",
    )


def test_what_may_not_be_read_is_unknown_and_fails_nothing() -> None:
    denied = Unread("AccessDenied: GetBucketPolicy")
    facts = make_facts(make_trail(bucket=denied, key=denied, group=denied), organization=denied)

    found = diagnose(facts)

    assert {d.outcome for d in found} == {Outcome.PASS, Outcome.UNKNOWN}
    assert one(facts, "bucket-tls").evidence == "AccessDenied: GetBucketPolicy"


def test_a_young_trail_needs_no_digest_yet() -> None:
    young = make_trail(status={"StartLoggingTime": NOW - timedelta(hours=2)})

    assert one(make_facts(young), "digests").outcome is Outcome.PASS


def test_another_account_may_not_be_asked_to_change_its_organizations_trail() -> None:
    theirs = make_trail(arn=ARN.replace(ACCOUNT, "999988887777"), of_organization=True, validates=False)

    found = diagnose(make_facts(theirs, organization="o-abcdefghij"))

    assert {d.outcome for d in found} == {Outcome.PASS}
    assert "log-file-validation" not in {d.check.id for d in found}


def test_fixes_of_one_policy_keep_each_other() -> None:
    facts = make_facts(make_trail(bucket=make_bucket(policy=policy(UNNAMED, ANYBODY))))

    first, second, third = (
        one(facts, check).fix for check in ("bucket-not-public", "bucket-policy", "bucket-tls")
    )

    assert _statements(first) == [UNNAMED]
    assert [s["Condition"]["StringEquals"].get("aws:SourceArn") for s in _statements(second)] == [[ARN]]
    assert [s["Effect"] for s in _statements(third)] == ["Allow", "Deny"]
    assert _statements(third)[0] == _statements(second)[0]


def test_fixes_of_selectors_keep_each_other() -> None:
    lambdas = {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}
    facts = make_facts(make_trail(selectors=({"ReadWriteType": "WriteOnly", "DataResources": [lambdas]},)))

    selectors = _option(one(facts, "data-events").fix[0], "--event-selectors")

    assert selectors == [
        {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [lambdas, ALL_OBJECTS]}
    ]


@pytest.mark.parametrize(
    ("advanced", "failing"),
    [
        ((MANAGEMENT, OBJECTS), []),
        ((MANAGEMENT,), ["data-events"]),
        ((OBJECTS,), ["multi-region-trail"]),
        (
            (
                MANAGEMENT,
                {
                    "FieldSelectors": [
                        *OBJECTS["FieldSelectors"],
                        {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::one/"]},
                    ]
                },
            ),
            ["data-events"],
        ),
        (
            (
                {
                    "FieldSelectors": [
                        *MANAGEMENT["FieldSelectors"],
                        {"Field": "readOnly", "Equals": ["true"]},
                    ]
                },
                {
                    "FieldSelectors": [
                        *MANAGEMENT["FieldSelectors"],
                        {"Field": "readOnly", "Equals": ["false"]},
                    ]
                },
                OBJECTS,
            ),
            [],
        ),
    ],
)
def test_advanced_selectors_are_read_as_selection_reads_them(
    advanced: tuple[Mapping[str, Any], ...], failing: list[str]
) -> None:
    assert failures(make_facts(make_trail(selectors=(), advanced=advanced))) == failing


def test_only_the_rule_that_expires_too_early_is_changed() -> None:
    early = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 30}}
    other = {"ID": "b", "Status": "Enabled", "Filter": {"Prefix": "y"}, "Expiration": {"Days": 900}}
    facts = make_facts(make_trail(bucket=make_bucket(lifecycle=(early, other))))

    rules = _option(one(facts, "retention").fix[0], "--lifecycle-configuration")["Rules"]

    assert rules == [{**early, "Expiration": {"Days": 365}}, other]


def test_every_check_says_how_bad_it_is_and_who_asks_for_it() -> None:
    for check in checks().values():
        assert check.severity in SEVERITIES
        assert check.mappings
        assert check.why.endswith(".")


def _option(command: str, name: str) -> Any:
    words = shlex.split(command)
    return json.loads(words[words.index(name) + 1])


def _statements(fix: tuple[str, ...]) -> list[dict[str, Any]]:
    (put,) = [command for command in fix if "put-bucket-policy" in command]
    statements: list[dict[str, Any]] = _option(put, "--policy")["Statement"]
    return statements
