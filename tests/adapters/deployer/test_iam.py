"""Roles and policies: what the template asks for is what IAM shows."""

from __future__ import annotations

from typing import Any

import pytest

from opentrail.errors import DeployError
from tests.adapters.deployer.conftest import ACCOUNT, Deployer, resource

ROLE = "AWS::IAM::Role"


def trust(service: str = "lambda") -> dict[str, Any]:
    """Return a trust policy for one AWS service."""
    principal = {"Service": f"{service}.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(action: str) -> dict[str, Any]:
    """Return a policy that allows one action everywhere."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def inline(deployer: Deployer, role: str) -> dict[str, Any]:
    """Return the inline policies of a role, by name."""
    iam = deployer.clients("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}


def attached(deployer: Deployer, role: str) -> list[str]:
    """Return the ARNs of the managed policies of a role."""
    found = deployer.clients("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return sorted(policy["PolicyArn"] for policy in found)


def managed(name: str, action: str = "s3:GetObject", **properties: Any) -> dict[str, Any]:
    """Return a managed policy resource."""
    return resource(
        "AWS::IAM::ManagedPolicy", ManagedPolicyName=name, PolicyDocument=allow(action), **properties
    )


def test_role_with_everything(deployer: Deployer) -> None:
    role = resource(
        ROLE,
        RoleName="digest",
        Path="/opentrail/",
        Description="signs",
        MaxSessionDuration="7200",
        AssumeRolePolicyDocument=trust(),
        Policies=[{"PolicyName": "sign", "PolicyDocument": allow("kms:Sign")}],
        ManagedPolicyArns=[{"Ref": "Managed"}],
        PermissionsBoundary={"Ref": "Managed"},
        Tags=[{"Key": "k", "Value": "v"}],
    )

    deployer.deploy({"Role": role, "Managed": managed("read")})

    found = deployer.clients("iam").get_role(RoleName="digest")["Role"]
    arn = f"arn:aws:iam::{ACCOUNT}:policy/read"
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/opentrail/digest"
    assert (found["Description"], found["MaxSessionDuration"]) == ("signs", 7200)
    assert found["AssumeRolePolicyDocument"] == trust()
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    assert found["Tags"] == [{"Key": "k", "Value": "v"}]
    assert inline(deployer, "digest") == {"sign": allow("kms:Sign")}
    assert attached(deployer, "digest") == [arn]


def test_role_changes_in_place(deployer: Deployer) -> None:
    def resources(**properties: Any) -> dict[str, Any]:
        return {"Role": resource(ROLE, RoleName="r", **properties), "A": managed("a"), "B": managed("b")}

    deployer.deploy(
        resources(
            AssumeRolePolicyDocument=trust(),
            Policies=[
                {"PolicyName": "gone", "PolicyDocument": allow("s3:Get*")},
                {"PolicyName": "kept", "PolicyDocument": allow("s3:List*")},
            ],
            ManagedPolicyArns=[{"Ref": "A"}],
            PermissionsBoundary={"Ref": "A"},
        )
    )

    deployer.deploy(
        resources(
            AssumeRolePolicyDocument=trust("scheduler"),
            Policies=[{"PolicyName": "kept", "PolicyDocument": allow("s3:Put*")}],
            ManagedPolicyArns=[{"Ref": "B"}],
            MaxSessionDuration=3601,
        )
    )

    found = deployer.clients("iam").get_role(RoleName="r")["Role"]
    assert found["AssumeRolePolicyDocument"] == trust("scheduler")
    assert found["MaxSessionDuration"] == 3601
    assert "PermissionsBoundary" not in found
    assert inline(deployer, "r") == {"kept": allow("s3:Put*")}
    assert attached(deployer, "r") == [f"arn:aws:iam::{ACCOUNT}:policy/b"]


def test_role_is_deleted_with_what_it_was_given(deployer: Deployer) -> None:
    role = resource(
        ROLE,
        AssumeRolePolicyDocument=trust(),
        Policies=[{"PolicyName": "sign", "PolicyDocument": allow("kms:Sign")}],
        ManagedPolicyArns=[{"Ref": "Managed"}],
    )
    deployer.deploy({"Role": role, "Managed": managed("read")})

    deployer.engine.delete("Stack")

    assert deployer.clients("iam").list_roles()["Roles"] == []
    assert deployer.clients("iam").list_policies(Scope="Local")["Policies"] == []


def test_missing_managed_policy_fails_the_role(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match=r"It \(AWS::IAM::Role\): .*NoSuchEntity"):
        deployer.one(
            ROLE,
            AssumeRolePolicyDocument=trust(),
            ManagedPolicyArns=[f"arn:aws:iam::{ACCOUNT}:policy/nothing"],
        )

    assert deployer.clients("iam").list_roles()["Roles"] == []


def test_policy_follows_its_roles(deployer: Deployer) -> None:
    def resources(role: str, action: str) -> dict[str, Any]:
        policy = resource(
            "AWS::IAM::Policy", PolicyName="p", PolicyDocument=allow(action), Roles=[{"Ref": role}]
        )
        roles = {
            name: resource(ROLE, RoleName=name, AssumeRolePolicyDocument=trust()) for name in ("One", "Two")
        }
        return {**roles, "Policy": policy}

    deployer.deploy(resources("One", "s3:GetObject"))
    assert inline(deployer, "One") == {"p": allow("s3:GetObject")}

    deployer.deploy(resources("One", "s3:PutObject"))
    assert inline(deployer, "One") == {"p": allow("s3:PutObject")}

    deployer.deploy(resources("Two", "s3:PutObject"))
    assert (inline(deployer, "One"), inline(deployer, "Two")) == ({}, {"p": allow("s3:PutObject")})

    deployer.engine.delete("Stack")
    assert deployer.clients("iam").list_roles()["Roles"] == []


def test_policy_for_nobody_is_refused(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match="one of the properties Roles, Users, Groups is required"):
        deployer.one("AWS::IAM::Policy", PolicyName="p", PolicyDocument=allow("s3:*"))


def test_managed_policy_gets_a_new_default_version(deployer: Deployer) -> None:
    iam = deployer.clients("iam")
    role = resource(ROLE, RoleName="r", AssumeRolePolicyDocument=trust())
    holder = {"Roles": [{"Ref": "Role"}]}

    for number in range(7):  # more than the five versions IAM keeps
        deployer.deploy({"Role": role, "Policy": managed("m", f"s3:Get{number}", **holder)})

    arn = f"arn:aws:iam::{ACCOUNT}:policy/m"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert document == allow("s3:Get6")
    assert attached(deployer, "r") == [arn]

    deployer.deploy({"Role": role, "Policy": managed("m", "s3:Get6")})
    assert attached(deployer, "r") == []


@pytest.mark.parametrize(
    ("type_name", "properties"),
    [
        (ROLE, {"AssumeRolePolicyDocument": {}, "Oops": 1}),
        ("AWS::IAM::Policy", {"PolicyName": "p", "PolicyDocument": {}, "Roles": ["r"], "Oops": 1}),
        ("AWS::IAM::ManagedPolicy", {"PolicyDocument": {}, "Oops": 1}),
    ],
)
def test_unknown_property_is_refused(deployer: Deployer, type_name: str, properties: dict[str, Any]) -> None:
    with pytest.raises(DeployError, match=rf"It \({type_name}\): property Oops is not supported"):
        deployer.one(type_name, **properties)
