"""A Python function with its role and its rule, deployed as a user would: through the APIs."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def deploy_function(
    client: Any,
    source: ModuleType | Path,
    *,
    handler: str,
    on: Mapping[str, Any] | None,
    name: str,
    environment: Mapping[str, str],
) -> str:
    """Deploy as ``OpenTrail.function`` says; ``client(service)`` answers clients. Return the ARN.

    Raises:
        ValueError: a directory without a ``handler``, or a module that is not made of a file.
        ClientError: Lambda or EventBridge refuses something.
    """
    path = _path_of(source)
    if path.is_dir() and not handler:
        raise ValueError(f"{path} is a directory: say which handler")
    name = name or path.stem.replace("_", "-")
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    arn: str = client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler=handler or f"{path.stem}.handler",
        Role=role,
        Code={"ZipFile": zipped(path)},
        Environment={"Variables": dict(environment)},
    )["FunctionArn"]
    if on is not None:
        client("events").put_rule(Name=name, EventPattern=json.dumps(on))
        client("events").put_targets(Rule=name, Targets=[{"Id": "function", "Arn": arn}])
    return arn


def _path_of(source: ModuleType | Path) -> Path:
    if isinstance(source, Path):
        return source
    if not source.__file__:
        raise ValueError(f"{source.__name__} is not made of a file")
    file = Path(source.__file__)
    return file.parent if file.name == "__init__.py" else file


def zipped(path: Path) -> bytes:
    """Return a deployment package of a file, or of all files in a directory."""
    files = [file for file in sorted(path.rglob("*")) if file.is_file()] if path.is_dir() else [path]
    root = path if path.is_dir() else path.parent
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for file in files:
            if "__pycache__" not in file.parts:
                package.write(file, file.relative_to(root))
    return buffer.getvalue()
