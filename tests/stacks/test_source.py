"""The minimal trail of AWS's own: only when asked for, and never in the way of our own files."""

from __future__ import annotations

from stacks.source_stack import KEY_PREFIX
from tests.stacks.conftest import Templates, _read


def test_nobody_gets_one_unasked(templates: Templates) -> None:
    assert not (templates.directory / "OpenTrailSource.template.json").exists()


def test_it_logs_management_events_of_all_regions_into_a_folder_of_its_own(configured: Templates) -> None:
    trail = _read(configured.directory / "OpenTrailSource.template.json").only(
        "AWS::CloudTrail::Trail", "Trail"
    )

    assert trail["TrailName"] == "Audit-source"
    assert trail["IsLogging"] is True
    assert trail["IsMultiRegionTrail"] is True
    assert "EventSelectors" not in trail  # CloudTrail's default: management events, reads and writes
    assert trail["S3KeyPrefix"] == KEY_PREFIX != ""
