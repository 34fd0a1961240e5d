"""OpenTrail: AWS CloudTrail that belongs to its user.

``opentrail.client(session)`` and ``opentrail.register(session)`` point boto3 at an
OpenTrail API in AWS; see ``opentrail.execute_api``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentrail.execute_api import client, register

__all__ = ["__version__", "client", "register"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Every function of the pipeline imports this package; botocore only comes with what needs it.
    if name in ("client", "register"):
        from opentrail import execute_api

        return getattr(execute_api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
