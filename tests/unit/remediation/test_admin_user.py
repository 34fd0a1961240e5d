"""AWS's own AdministratorAccess, which moto does not have unless asked to load it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentrail.branches.remediation import Target
from opentrail.branches.remediation.playbooks.iam_admin_user import check, fix, undo

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ALICE = Target(
    name="alice", arn="arn:alice", type="AWS::IAM::User", account="123456789012", region="us-east-1"
)


class Iam:
    """One user and the policies attached to it."""

    def __init__(self, *attached: str) -> None:
        self.attached = set(attached)

    def __call__(self, service: str, method: str, /, **parameters: Any) -> Mapping[str, Any]:
        match method:
            case "list_attached_user_policies":
                return {"AttachedPolicies": [{"PolicyArn": arn} for arn in sorted(self.attached)]}
            case "list_user_policies":
                return {"PolicyNames": []}
            case "detach_user_policy":
                self.attached.remove(parameters["PolicyArn"])
            case "attach_user_policy":
                self.attached.add(parameters["PolicyArn"])
        return {}


def test_administrator_access_is_taken_away_and_other_policies_stay() -> None:
    iam = Iam(ADMINISTRATOR, READ_ONLY)
    danger = check(iam, ALICE)
    assert danger is not None

    fix(iam, ALICE, danger)

    assert danger.problem == "user alice may do everything: AdministratorAccess"
    assert iam.attached == {READ_ONLY}
    assert check(iam, ALICE) is None


def test_undone_the_user_has_it_again() -> None:
    iam = Iam()

    undo(iam, ALICE, {"attached": [ADMINISTRATOR], "inline": {}})

    assert iam.attached == {ADMINISTRATOR}
