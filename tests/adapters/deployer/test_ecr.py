"""Image repositories: what the template asks for is what ECR shows."""

from __future__ import annotations

import json
from typing import Any

from tests.adapters.deployer.conftest import ACCOUNT, REGION, Deployer, resource

REPOSITORY = "AWS::ECR::Repository"
SELECTION = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}
LIFECYCLE = {"rules": [{"rulePriority": 1, "selection": SELECTION, "action": {"type": "expire"}}]}

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Pull",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": ["ecr:BatchGetImage"],
        }
    ],
}


def shown(deployer: Deployer, name: str) -> Any:
    """Return ECR's description of a repository."""
    (found,) = deployer.clients("ecr").describe_repositories(repositoryNames=[name])["repositories"]
    return found


def test_repository_changes_in_place(deployer: Deployer) -> None:
    name = deployer.one(
        REPOSITORY,
        RepositoryName="images",
        ImageTagMutability="IMMUTABLE",
        LifecyclePolicy={"LifecyclePolicyText": json.dumps(LIFECYCLE)},
        RepositoryPolicyText=POLICY,
        Tags=[{"Key": "k", "Value": "v"}],
    )
    ecr = deployer.clients("ecr")
    assert shown(deployer, name)["imageTagMutability"] == "IMMUTABLE"
    policy = ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    assert json.loads(policy)["rules"][0]["rulePriority"] == 1
    assert json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"]) == POLICY

    deployer.one(REPOSITORY, RepositoryName="images", ImageScanningConfiguration={"ScanOnPush": "true"})
    assert shown(deployer, name)["imageTagMutability"] == "MUTABLE"
    assert shown(deployer, name)["imageScanningConfiguration"] == {"scanOnPush": True}

    deployer.engine.delete("Stack")
    assert ecr.describe_repositories()["repositories"] == []


def test_attributes(deployer: Deployer) -> None:
    outputs = {name: {"Value": {"Fn::GetAtt": ["It", name]}} for name in ("Arn", "RepositoryUri")}

    state = deployer.deploy({"It": resource(REPOSITORY, RepositoryName="images")}, Outputs=outputs)

    assert state.outputs["Arn"] == f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/images"
    assert state.outputs["RepositoryUri"].endswith("/images")
