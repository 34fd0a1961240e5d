"""botocore's model of CloudTrail: the 60 operations, their shapes and their errors."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

API_VERSION = "2013-11-01"


@cache
def service_model() -> ServiceModel:
    """The model, read once per process from the botocore that is installed."""
    return ServiceModel(Loader().load_service_model("cloudtrail", "service-2", API_VERSION))


def find_operation(target: str) -> OperationModel | None:
    """The operation a request names, or None.

    Args:
        target: an ``X-Amz-Target`` value, ``<prefix>.GetTrail``, or the bare name
            as a route of the HTTP API has it.
    """
    model = service_model()
    prefix, dot, name = target.rpartition(".")
    if dot and prefix != model.metadata["targetPrefix"]:
        return None
    return model.operation_model(name) if name in model.operation_names else None


@cache
def modeled_errors(operation: str) -> frozenset[str]:
    """The exceptions the model lists for ``operation``."""
    return frozenset(shape.name for shape in service_model().operation_model(operation).error_shapes)
