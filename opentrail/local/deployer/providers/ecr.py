"""Container image repositories: CDK's bootstrap stack has one, for images no stack of OpenTrail uses."""

from __future__ import annotations

from typing import Final

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag, tag_list
from opentrail.local.deployer.state import Made

_MAX_NAME: Final = 256  # characters


class Repository(Provider):
    """An image repository."""

    type_name = "AWS::ECR::Repository"
    replaced_by = frozenset({"RepositoryName", "EncryptionConfiguration"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``repository`` (CreateRepository), ``lifecycle``, ``policy`` and ``tags``."""
        lifecycle = properties.child("LifecyclePolicy")
        if lifecycle is not None and lifecycle.text("RegistryId") not in {None, site.account}:
            raise DeployError("property LifecyclePolicy.RegistryId names another account")
        return {
            "lifecycle": lifecycle.text("LifecyclePolicyText") if lifecycle else None,
            "policy": properties.text("RepositoryPolicyText"),
            "empty": properties.flag("EmptyOnDelete"),
            "tags": properties.tags(),
            "repository": properties.rest(site.shape("ecr", "CreateRepository")),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the repository."""
        request = {"repositoryName": site.name(_MAX_NAME).lower(), **wanted["repository"]}
        made = site.client("ecr").create_repository(**request)["repository"]
        attributes = {"Arn": made["repositoryArn"], "RepositoryUri": made["repositoryUri"]}
        return Made(made["repositoryName"], attributes)

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Bring scanning, mutability, lifecycle, policy and tags to what is wanted."""
        client, name = site.client("ecr"), {"repositoryName": made.physical_id}
        old = before or {"lifecycle": None, "policy": None}
        if before is not None and before["repository"] != wanted["repository"]:
            _update(made, wanted, site)
        if wanted["lifecycle"] != old["lifecycle"]:
            if wanted["lifecycle"] is None:
                client.delete_lifecycle_policy(**name)
            else:
                client.put_lifecycle_policy(**name, lifecyclePolicyText=wanted["lifecycle"])
        if wanted["policy"] != old["policy"]:
            if wanted["policy"] is None:
                client.delete_repository_policy(**name)
            else:
                client.set_repository_policy(**name, policyText=wanted["policy"])
        arn = made.attributes["Arn"]
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(resourceArn=arn, tags=tag_list(tags)),
            remove=lambda keys: client.untag_resource(resourceArn=arn, tagKeys=keys),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the repository; ECR refuses while it holds images, unless the template says otherwise."""
        site.client("ecr").delete_repository(repositoryName=made.physical_id, force=wanted["empty"])


def _update(made: Made, wanted: Wanted, site: Site) -> None:
    client, name, repository = site.client("ecr"), made.physical_id, wanted["repository"]
    client.put_image_tag_mutability(
        repositoryName=name, imageTagMutability=repository.get("imageTagMutability", "MUTABLE")
    )
    client.put_image_scanning_configuration(
        repositoryName=name,
        imageScanningConfiguration=repository.get("imageScanningConfiguration", {"scanOnPush": False}),
    )
