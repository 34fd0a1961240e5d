"""Whose changes are left alone, and where the mode comes from."""

from __future__ import annotations

import pytest

from opentrail.branches.remediation import Guard
from opentrail.branches.remediation.guard import read_modes
from opentrail.errors import SettingsError
from tests.unit.remediation.fakes import ACCOUNT, ROLE, by_role, event

ADMIN = f"arn:aws:iam::{ACCOUNT}:role/Admin"


@pytest.mark.parametrize(
    ("scope", "mode"),
    [("switch", "enforce"), (ACCOUNT, "enforce"), (f"{ACCOUNT}/switch", "enforce"), ("other", "observe")],
)
def test_modes_are_set_per_playbook_and_per_account(scope: str, mode: str) -> None:
    assert Guard(modes={scope: "enforce"}).mode_of("switch", ACCOUNT) == mode


def test_the_closest_mode_counts() -> None:
    guard = Guard(
        mode="enforce", modes={ACCOUNT: "enforce", "switch": "enforce", f"{ACCOUNT}/switch": "observe"}
    )

    assert guard.mode_of("switch", ACCOUNT) == "observe"


@pytest.mark.parametrize("entry", ["switch", "switch=", "=enforce", "switch=delete"])
def test_a_malformed_mode_is_refused(entry: str) -> None:
    with pytest.raises(SettingsError, match="remediation mode"):
        read_modes([entry])


def test_break_glass_roles_are_never_hindered() -> None:
    guard = Guard(break_glass=["arn:aws:iam::*:role/Admin"])

    assert guard.why_not("switch", event(userIdentity=by_role(ADMIN))) == (
        "the caller is a break-glass principal"
    )


@pytest.mark.parametrize("caller", ["user/Admin", "role/Administrator", "role/NotAdmin"])
def test_a_pattern_matches_the_whole_arn(caller: str) -> None:
    guard = Guard(break_glass=["arn:aws:iam::*:role/Admin"])

    assert guard.why_not("switch", event(caller=caller)) == ""


def test_a_session_without_its_issuer_is_known_by_its_own_arn() -> None:
    session = {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/alice"}

    assert Guard(own_roles=[ADMIN]).why_not("switch", event(userIdentity=session)) == (
        "it is a change of OpenTrail's own"
    )


def test_the_issuer_says_which_role_it_is() -> None:
    elsewhere = by_role(f"arn:aws:iam::{ACCOUNT}:role/elsewhere/Admin")

    assert Guard(break_glass=[ADMIN]).why_not("switch", event(userIdentity=elsewhere)) == ""


def test_a_session_name_does_not_make_a_role() -> None:
    session = {"type": "AssumedRole", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Evil/Admin"}

    assert Guard(break_glass=[ADMIN], own_roles=[ROLE]).why_not("switch", event(userIdentity=session)) == ""


@pytest.mark.parametrize(
    ("exempt", "reason"), [("*/mallory", "the caller is exempt"), ("other=*/mallory", "")]
)
def test_principals_are_exempt_from_all_playbooks_or_from_one(exempt: str, reason: str) -> None:
    assert Guard(exempt=[exempt]).why_not("switch", event()) == reason


@pytest.mark.parametrize("identity", [None, "root", {}, {"arn": 5}, {"sessionContext": {"sessionIssuer": 1}}])
def test_a_record_without_a_usable_caller_is_nobodys_exception(identity: object) -> None:
    guard = Guard(break_glass=["*"], exempt=["*"], own_roles=["*"])

    assert guard.why_not("switch", event(userIdentity=identity)) == ""
