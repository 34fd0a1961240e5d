"""Publish the file assets of a CDK cloud assembly, as ``cdk deploy`` does before it deploys.

Source: the cloud assembly schema's asset manifest (``*.assets.json``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from opentrail.errors import DeployError
from opentrail.local.deployer.archive import zip_directory
from opentrail.local.deployer.providers.s3 import ADOPTABLE_TAG

Clients = Callable[[str], Any]

_HOME_REGION: Final = "us-east-1"  # the one Region whose buckets have no location constraint


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAsset:
    """One file or directory, and one place it goes to."""

    source: Path
    zipped: bool
    bucket: str
    key: str

    def body(self) -> bytes:
        """Return the bytes to upload; a zipped directory's depend on its files alone."""
        return zip_directory(self.source) if self.zipped else self.source.read_bytes()


def publish_assets(assembly_dir: Path, clients: Clients, account: str, region: str) -> list[str]:
    """Upload every file asset of the assembly that is not there yet.

    Buckets that are missing are made, with a tag by which a bootstrap stack
    deployed later recognises and takes them over. Keys are hashes of the
    contents, so an object that exists is the right one.

    Args:
        assembly_dir: what ``cdk synth`` wrote.
        clients: service name -> boto3 client.
        account: 12 digits, for ``${AWS::AccountId}``.
        region: for ``${AWS::Region}``.

    Returns:
        list: ``bucket/key`` of what was uploaded, in the order it was.

    Raises:
        DeployError: a manifest asks for a container image, a build command, another
            Region, or a file that is not there.
        ClientError: S3 refused.
    """
    pseudo = {"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws"}
    assets = [
        asset
        for manifest in sorted(assembly_dir.glob("*.assets.json"))
        for asset in _file_assets(manifest, pseudo)
    ]
    client = clients("s3")
    for bucket in sorted({asset.bucket for asset in assets}):
        _ensure_bucket(client, bucket, region)
    return [f"{asset.bucket}/{asset.key}" for asset in assets if _upload(client, asset)]


def _file_assets(manifest: Path, pseudo: Mapping[str, str]) -> Iterator[FileAsset]:
    content = json.loads(manifest.read_bytes())
    if content.get("dockerImages"):
        raise DeployError(f"{manifest.name}: container images are not supported")
    for name, entry in content.get("files", {}).items():
        source = entry["source"]
        if "path" not in source:
            raise DeployError(f"{manifest.name}: asset {name} is built by a command; that is not supported")
        for destination in entry["destinations"].values():
            place = {key: _substitute(str(value), pseudo) for key, value in destination.items()}
            if place.get("region", pseudo["AWS::Region"]) != pseudo["AWS::Region"]:
                raise DeployError(f"{manifest.name}: asset {name} is for Region {place['region']}")
            path = manifest.parent / source["path"]
            if not path.exists():
                raise DeployError(f"{manifest.name}: asset {name} has no file {path}; synthesise again")
            yield FileAsset(
                source=path,
                zipped=source.get("packaging", "file") == "zip",
                bucket=place["bucketName"],
                key=place["objectKey"],
            )


def _substitute(text: str, pseudo: Mapping[str, str]) -> str:
    for name, value in pseudo.items():
        text = text.replace("${" + name + "}", value)
    return text


def _ensure_bucket(client: Any, bucket: str, region: str) -> None:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
    else:
        return
    elsewhere = {} if region == _HOME_REGION else {"LocationConstraint": region}
    client.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": elsewhere} if elsewhere else {}))
    client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": ADOPTABLE_TAG, "Value": "assets"}]})


def _upload(client: Any, asset: FileAsset) -> bool:
    try:
        client.head_object(Bucket=asset.bucket, Key=asset.key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
            raise
        client.put_object(Bucket=asset.bucket, Key=asset.key, Body=asset.body())
        return True
    return False
