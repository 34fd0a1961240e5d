"""Every error this package raises on purpose.

* OpenTrailError
  + SettingsError     a variable is missing or malformed; fix the deployment
  + FormatError       bytes do not follow the published format; the input is at fault
  + IntegrityError    bytes are well formed but do not verify
  + StorageError      the store said no, or did not answer; a retry may help
    + ConflictError   somebody else wrote first; read again and decide anew
  + DeployError       a template asks for what the laptop runtime cannot build
"""


class OpenTrailError(Exception):
    """The root of the tree."""


class SettingsError(OpenTrailError):
    """A variable is missing or malformed."""


class FormatError(OpenTrailError):
    """Bytes do not follow the published format."""


class IntegrityError(OpenTrailError):
    """Bytes are well formed but do not verify."""


class StorageError(OpenTrailError):
    """The store refused, or did not answer.

    ``code`` is the store's own error code (``AccessDenied``, ``NoSuchBucket``),
    or empty when there was no answer.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ConflictError(StorageError):
    """A conditional write lost: somebody else wrote first."""


class DeployError(OpenTrailError):
    """A template asks for a resource type or property the laptop runtime cannot build."""
