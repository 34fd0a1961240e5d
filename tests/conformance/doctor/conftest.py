"""The doctor looks at a real ``opentrail up``."""

from tests.conformance.laptop_recording.conftest import admin, laptop

__all__ = ["admin", "laptop"]
