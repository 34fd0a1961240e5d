"""The generated parts of docs/compatibility.md: ``make docs``, or ``python -m tests.docs.compatibility``."""

from __future__ import annotations

import re
from pathlib import Path

import boto3

from opentrail.api.app import ACTIONS
from tests.conformance.capture.fidelity import table
from tests.conformance.capture.measure import measure
from tests.conformance.capture.oracle import real_records
from tests.support.records import SAMPLES

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


def operations() -> str:
    """What is built and what is not, from botocore's model and the action table."""
    model = boto3.Session().client("cloudtrail", region_name="us-east-1").meta.service_model
    names = sorted(model.operation_names)
    built = [name for name in names if name in ACTIONS]
    unbuilt = [name for name in names if name not in ACTIONS]
    return (
        f"Built, {len(built)} of {len(names)}: {_listed(built)}.\n\n"
        f"Not built, answered with `UnsupportedOperationException`: {_listed(unbuilt)}."
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def replace_part(page: str, part: str, text: str) -> str:
    """``page`` with the generated part of that name replaced."""
    pattern = rf"(<!-- generated: {part} -->\n).*?(\n<!-- end -->)"
    return re.sub(pattern, lambda found: f"{found[1]}{text}{found[2]}", page, flags=re.DOTALL)


def main() -> None:
    """Write the page anew; without the sample records the fidelity table stays as it is."""
    page = replace_part(PAGE.read_text(), "operations", operations())
    if SAMPLES.exists():
        page = replace_part(page, "fidelity", table(measure(real_records())))
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
