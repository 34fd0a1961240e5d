"""botocore's errors -> this package's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from opentrail.errors import ConflictError, StorageError

_CONDITION = "ConditionalCheckFailed"


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Raise what AWS refuses as ``StorageError``, a lost condition as ``ConflictError``.

    Args:
        doing: the call and the thing, ``put s3://audit-logs/k``; begins the message.
    """
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == f"{_CONDITION}Exception" or _lost(error):
            raise ConflictError(f"{doing}: somebody else wrote first", code) from error
        raise StorageError(f"{doing}: {code}: {error}", code) from error
    except (BotoCoreError, ResponseParserError) as error:  # the latter: what answers is not AWS
        raise StorageError(f"{doing}: {error}") from error


def _lost(error: ClientError) -> bool:
    # Typed stubs do not know that a cancelled transaction carries its reasons.
    reasons = dict(error.response).get("CancellationReasons", [])
    return isinstance(reasons, list) and any(reason.get("Code") == _CONDITION for reason in reasons)
