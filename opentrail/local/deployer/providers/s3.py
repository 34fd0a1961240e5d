"""S3 buckets and their policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from opentrail.errors import DeployError
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, tag_list
from opentrail.local.deployer.providers.s3_lifecycle import lifecycle_rules
from opentrail.local.deployer.providers.s3_notifications import notifications
from opentrail.local.deployer.state import Made

_MAX_BUCKET_NAME: Final = 63  # characters
_HOME_REGION: Final = "us-east-1"  # the one Region whose buckets have no location constraint

# A bucket with this tag was made to hold assets before anybody bootstrapped; a bootstrap stack takes it over.
ADOPTABLE_TAG: Final = "opentrail:made-for"

# CloudFormation's spelling of a canned ACL -> S3's.
_ACLS: Final = {
    "AuthenticatedRead": "authenticated-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
    "BucketOwnerRead": "bucket-owner-read",
    "LogDeliveryWrite": "log-delivery-write",
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
}

# setting -> (call that sets it, its parameter, call that removes it)
_SETTINGS: Final[dict[str, tuple[str, str, str]]] = {
    "encryption": ("put_bucket_encryption", "ServerSideEncryptionConfiguration", "delete_bucket_encryption"),
    "ownership": ("put_bucket_ownership_controls", "OwnershipControls", "delete_bucket_ownership_controls"),
    "public_access": (
        "put_public_access_block",
        "PublicAccessBlockConfiguration",
        "delete_public_access_block",
    ),
    "lifecycle": ("put_bucket_lifecycle_configuration", "LifecycleConfiguration", "delete_bucket_lifecycle"),
    "cors": ("put_bucket_cors", "CORSConfiguration", "delete_bucket_cors"),
    "tagging": ("put_bucket_tagging", "Tagging", "delete_bucket_tagging"),
}
# Settings that cannot be removed, only emptied: setting -> (call, its parameter, what empties it).
_EMPTIED: Final[dict[str, tuple[str, str, Mapping[str, Any]]]] = {
    "versioning": ("put_bucket_versioning", "VersioningConfiguration", {"Status": "Suspended"}),
    "lock": (
        "put_object_lock_configuration",
        "ObjectLockConfiguration",
        {"ObjectLockEnabled": "Enabled"},
    ),
    "logging": ("put_bucket_logging", "BucketLoggingStatus", {}),
    "notifications": ("put_bucket_notification_configuration", "NotificationConfiguration", {}),
}


class Bucket(Provider):
    """A bucket; each of its configurations is an S3 call of its own."""

    type_name = "AWS::S3::Bucket"
    replaced_by = frozenset({"BucketName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name``, ``acl``, ``locked`` and one entry per configuration, None when absent."""
        acl = properties.text("AccessControl")
        if acl is not None and acl not in _ACLS:
            raise DeployError(f"property AccessControl: {acl} is not supported")
        return {
            "name": properties.text("BucketName"),
            "acl": acl and _ACLS[acl],
            "locked": properties.flag("ObjectLockEnabled"),
            "versioning": _fitted(properties, site, "VersioningConfiguration", "PutBucketVersioning"),
            "public_access": _fitted(
                properties, site, "PublicAccessBlockConfiguration", "PutPublicAccessBlock"
            ),
            "ownership": _fitted(properties, site, "OwnershipControls", "PutBucketOwnershipControls"),
            "lock": _fitted(properties, site, "ObjectLockConfiguration", "PutObjectLockConfiguration"),
            "cors": _fitted(
                properties,
                site,
                "CorsConfiguration",
                "PutBucketCors",
                parameter="CORSConfiguration",
                names={"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds"},
            ),
            "encryption": _encryption(properties.child("BucketEncryption"), site),
            "lifecycle": lifecycle_rules(properties.child("LifecycleConfiguration")),
            "logging": _logging(properties.child("LoggingConfiguration")),
            "notifications": notifications(properties.child("NotificationConfiguration")),
            "tagging": _tagging(properties),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the bucket, or take over one that was made to hold assets."""
        name = wanted["name"] or site.name(_MAX_BUCKET_NAME).lower()
        request: dict[str, Any] = {"Bucket": name, "ObjectLockEnabledForBucket": wanted["locked"]}
        if wanted["acl"]:
            request["ACL"] = wanted["acl"]
            # With an ACL the ownership must allow ACLs from the first moment.
            if wanted["ownership"]:
                request["ObjectOwnership"] = wanted["ownership"]["Rules"][0]["ObjectOwnership"]
        if site.region != _HOME_REGION:
            request["CreateBucketConfiguration"] = {"LocationConstraint": site.region}
        if not _adoptable(name, site):
            site.client("s3").create_bucket(**request)
        return Made(name, _attributes(name, site))

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Put every configuration that changed; versioning first, since locks and rules build on it."""
        client, bucket = site.client("s3"), made.physical_id
        old = before or {}
        if before is not None and wanted["acl"] != before["acl"]:
            client.put_bucket_acl(Bucket=bucket, ACL=wanted["acl"] or "private")
        if before is not None and wanted["locked"] and not before["locked"]:
            client.put_object_lock_configuration(
                Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
            )
        for setting, (put, parameter, empty) in _EMPTIED.items():
            if wanted[setting] != old.get(setting):
                value = empty if wanted[setting] is None else wanted[setting]
                getattr(client, put)(Bucket=bucket, **{parameter: value})
        for setting, (put, parameter, remove) in _SETTINGS.items():
            if wanted[setting] == old.get(setting):
                continue
            if wanted[setting] is None:
                getattr(client, remove)(Bucket=bucket)
            else:
                getattr(client, put)(Bucket=bucket, **{parameter: wanted[setting]})

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the bucket; S3 refuses while it holds objects, as it does for CloudFormation."""
        site.client("s3").delete_bucket(Bucket=made.physical_id)


class BucketPolicy(Provider):
    """The policy of a bucket."""

    type_name = "AWS::S3::BucketPolicy"
    replaced_by = frozenset({"Bucket"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``bucket`` and ``policy`` (JSON text)."""
        properties.need("PolicyDocument")
        return {"bucket": properties.need("Bucket"), "policy": properties.text("PolicyDocument")}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Name the policy after its bucket; ``settle`` writes it."""
        return Made(wanted["bucket"])

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the policy."""
        site.client("s3").put_bucket_policy(Bucket=wanted["bucket"], Policy=wanted["policy"])

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Take the policy off the bucket."""
        site.client("s3").delete_bucket_policy(Bucket=wanted["bucket"])


def _adoptable(name: str, site: Site) -> bool:
    """Return whether a bucket of this name is there for adoption.

    CreateBucket in us-east-1 succeeds on a bucket the caller already owns, so
    without this look a second stack would share the bucket of the first.
    """
    client = site.client("s3")
    try:
        tags = client.get_bucket_tagging(Bucket=name)["TagSet"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchBucket":
            return False
        if code != "NoSuchTagSet":
            raise
        tags = []
    if any(tag["Key"] == ADOPTABLE_TAG for tag in tags):
        client.delete_bucket_tagging(Bucket=name)
        return True
    raise DeployError(f"bucket {name} already exists")


def _attributes(name: str, site: Site) -> dict[str, str]:
    host = "amazonaws.com.cn" if site.partition == "aws-cn" else "amazonaws.com"
    return {
        "Arn": f"arn:{site.partition}:s3:::{name}",
        "DomainName": f"{name}.s3.{host}",
        "RegionalDomainName": f"{name}.s3.{site.region}.{host}",
        "DualStackDomainName": f"{name}.s3.dualstack.{site.region}.{host}",
    }


def _fitted(
    properties: Properties,
    site: Site,
    name: str,
    operation: str,
    *,
    parameter: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Any:
    return properties.fitted(name, site.shape("s3", operation).members[parameter or name], names)


def _encryption(configuration: Properties | None, site: Site) -> dict[str, Any] | None:
    if configuration is None:
        return None
    shape = site.shape("s3", "PutBucketEncryption").members["ServerSideEncryptionConfiguration"]
    return configuration.rest(
        shape,
        {
            "ServerSideEncryptionConfiguration": "Rules",
            "ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
        },
    )


def _logging(configuration: Properties | None) -> dict[str, Any] | None:
    if configuration is None:
        return None
    target = configuration.text("DestinationBucketName")
    prefix = configuration.text("LogFilePrefix") or ""
    if target is None:
        raise DeployError("property LoggingConfiguration.DestinationBucketName is required")
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": prefix}}


def _tagging(properties: Properties) -> dict[str, Any] | None:
    tags = properties.tags()
    return {"TagSet": tag_list(tags)} if tags else None
