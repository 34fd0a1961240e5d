"""The one error an action raises, and how it reads on the wire."""

from __future__ import annotations

from opentrail.errors import OpenTrailError

# Errors every operation may answer that are not in its model, with their HTTP status.
# Modeled errors are all 400. Source: API reference, "Common Errors".
COMMON_STATUS = {
    "AccessDeniedException": 403,
    "InternalFailure": 500,
    "RequestEntityTooLargeException": 413,
    "SerializationException": 400,
    "ServiceUnavailable": 503,
    "ThrottlingException": 400,
    "UnknownOperationException": 404,
    "ValidationException": 400,
}


class ApiError(OpenTrailError):
    """The request is refused; ``code`` is CloudTrail's name for the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status that goes with ``code``."""
        return COMMON_STATUS.get(self.code, 400)
