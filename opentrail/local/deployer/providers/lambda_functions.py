"""Lambda functions and layers."""

from __future__ import annotations

import io
import zipfile
from typing import Any, Final

from botocore.exceptions import ClientError

from opentrail.errors import DeployError
from opentrail.local.deployer.archive import EARLIEST_ZIP_TIME
from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import EVERYTHING, Provider, Site, Wanted, retag
from opentrail.local.deployer.state import Made

_MAX_FUNCTION_NAME: Final = 64  # characters
_MAX_LAYER_NAME: Final = 140
# What a setting becomes when the template no longer names it: Lambda's own defaults.
_ABSENT: Final[dict[str, Any]] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "FileSystemConfigs": [],
    "KMSKeyArn": "",
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
# Inline source goes into this file, as Lambda's handlers for inline code expect.
_INLINE_FILES: Final = {"nodejs": "index.js", "python": "index.py"}


class Function(Provider):
    """A function; code and configuration change in place."""

    type_name = "AWS::Lambda::Function"
    replaced_by = frozenset({"FunctionName", "PackageType"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``code`` and ``function`` as CreateFunction takes them, ``reserved`` and ``tags``."""
        source = properties.child("Code")
        if source is None:
            raise DeployError("property Code is required")
        inline = source.text("ZipFile")
        runtime = str(properties.take("Runtime", ""))
        shape = site.shape("lambda", "CreateFunction")
        wanted: Wanted = {
            "code": source.rest(shape.members["Code"]),
            "reserved": properties.whole("ReservedConcurrentExecutions"),
            "tags": properties.tags(),
            "function": properties.rest(shape),
        }
        if runtime:
            wanted["function"]["Runtime"] = runtime
        if inline is not None:
            wanted["code"]["ZipFile"] = _inline_archive(inline, runtime)
        return wanted

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the function."""
        _require_object(wanted["code"], site)
        request = {"FunctionName": site.name(_MAX_FUNCTION_NAME), **wanted["function"]}
        function = site.client("lambda").create_function(Code=wanted["code"], **request)
        return Made(function["FunctionName"], {"Arn": function["FunctionArn"]})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Update code and configuration where they changed, then concurrency and tags."""
        client, name = site.client("lambda"), made.physical_id
        if before is not None:
            _update_code(client, name, before, wanted, site)
            _update_configuration(client, name, before, wanted, site)
        if wanted["reserved"] != (before["reserved"] if before else None):
            if wanted["reserved"] is None:
                client.delete_function_concurrency(FunctionName=name)
            else:
                client.put_function_concurrency(
                    FunctionName=name, ReservedConcurrentExecutions=wanted["reserved"]
                )
        arn = made.attributes["Arn"]
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(Resource=arn, Tags=tags),
            remove=lambda keys: client.untag_resource(Resource=arn, TagKeys=keys),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the function."""
        site.client("lambda").delete_function(FunctionName=made.physical_id)


class LayerVersion(Provider):
    """One version of a layer; versions never change."""

    type_name = "AWS::Lambda::LayerVersion"
    replaced_by = EVERYTHING

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return PublishLayerVersion's parameters under ``layer``."""
        return {"layer": properties.rest(site.shape("lambda", "PublishLayerVersion"))}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Publish the version; its id is the ARN with the version number, as Ref gives it in AWS."""
        _require_object(wanted["layer"]["Content"], site)
        request = {"LayerName": site.name(_MAX_LAYER_NAME), **wanted["layer"]}
        arn = site.client("lambda").publish_layer_version(**request)["LayerVersionArn"]
        return Made(arn, {"LayerVersionArn": arn})

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the version; functions that use it keep working."""
        layer, _, number = made.physical_id.rpartition(":")
        name = layer.rpartition(":")[2]
        site.client("lambda").delete_layer_version(LayerName=name, VersionNumber=int(number))


def _inline_archive(source: str, runtime: str) -> bytes:
    file_name = next((name for prefix, name in _INLINE_FILES.items() if runtime.startswith(prefix)), None)
    if file_name is None:
        raise DeployError(f"property Code.ZipFile: inline code is not supported for runtime {runtime!r}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(file_name, EARLIEST_ZIP_TIME), source)
    return buffer.getvalue()


def _require_object(code: dict[str, Any], site: Site) -> None:
    """Raise unless the archive in S3 is there: moto takes a function without code, Lambda does not."""
    if "S3Key" not in code:
        return
    bucket, key = code["S3Bucket"], code["S3Key"]
    version = {"VersionId": code["S3ObjectVersion"]} if "S3ObjectVersion" in code else {}
    try:
        site.client("s3").head_object(Bucket=bucket, Key=key, **version)
    except ClientError as error:
        code_name = error.response["Error"]["Code"]
        raise DeployError(f"no code at s3://{bucket}/{key}: {code_name}") from error


def _update_code(client: Any, name: str, before: Wanted, wanted: Wanted, site: Site) -> None:
    architectures = wanted["function"].get("Architectures", ["x86_64"])
    if wanted["code"] == before["code"] and architectures == before["function"].get(
        "Architectures", ["x86_64"]
    ):
        return
    _require_object(wanted["code"], site)
    client.update_function_code(FunctionName=name, Architectures=architectures, **wanted["code"])


def _update_configuration(client: Any, name: str, before: Wanted, wanted: Wanted, site: Site) -> None:
    old, new = before["function"], wanted["function"]
    updatable = site.shape("lambda", "UpdateFunctionConfiguration").members
    request: dict[str, Any] = {}
    for setting in sorted(old.keys() | new.keys()):
        if old.get(setting) == new.get(setting) or setting == "Architectures":
            continue
        if setting not in updatable or (setting not in new and setting not in _ABSENT):
            raise DeployError(f"property {setting} cannot be changed or removed in place")
        request[setting] = new.get(setting, _ABSENT.get(setting))
    if request:
        client.update_function_configuration(FunctionName=name, **request)
