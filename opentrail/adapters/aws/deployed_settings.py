"""What a deployed function was told: its environment, as the function itself reads it."""

from __future__ import annotations

from typing import Any, TypeVar

from opentrail.adapters.aws.failure import storage_errors
from opentrail.settings import Settings

Kind = TypeVar("Kind", bound=Settings)


def deployed_settings(clients: Any, function_name: str, kind: type[Kind]) -> Kind:
    """Read the settings of a function. Needs ``lambda:GetFunctionConfiguration``.

    Raises:
        StorageError: Lambda refused or did not answer.
        SettingsError: the function is of another version, which is told otherwise.
    """
    with storage_errors(f"look at function {function_name}"):
        found = clients("lambda").get_function_configuration(FunctionName=function_name)
    return kind.from_env(found.get("Environment", {}).get("Variables", {}))
