"""The option ``regions``: one deployment that also forwards the account's other Regions."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest

from opentrail.errors import SettingsError
from stacks.application import build
from tests.stacks.conftest import Forwarders, Templates, synthesise


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Home is us-east-1; it may be named among the Regions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_DEFAULT_REGION", "us-east-1")
        regions = "eu-west-1,us-east-1,ap-southeast-2"
        return synthesise(tmp_path_factory.mktemp("spread"), {"regions": regions})


def test_every_region_but_home_has_a_forwarder(spread: Templates) -> None:
    forwarders = {name: a for name, a in artifacts(spread).items() if "RegionForwarder" in name}

    assert {name: artifact["environment"] for name, artifact in forwarders.items()} == {
        "OpenTrailRegionForwarder-eu-west-1": "aws://unknown-account/eu-west-1",
        "OpenTrailRegionForwarder-ap-southeast-2": "aws://unknown-account/ap-southeast-2",
    }


def test_it_is_deployed_after_the_bus_it_forwards_to(spread: Templates) -> None:
    found = artifacts(spread)["OpenTrailRegionForwarder-eu-west-1"]

    assert "OpenTrailPipeline" in found["dependencies"]
    assert found["properties"]["stackName"] == "OpenTrailRegionForwarder"


def test_it_is_the_forwarder_of_the_second_application_and_knows_home(
    spread: Templates, forwarders: Forwarders
) -> None:
    template = spread.read("OpenTrailRegionForwarder-eu-west-1").body

    assert template["Parameters"]["HomeRegion"].pop("Default") == "us-east-1"
    assert template["Resources"] == forwarders.region.body["Resources"]
    assert template["Parameters"] == forwarders.region.body["Parameters"]


def test_without_a_home_region_synthesis_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDK_DEFAULT_REGION", raising=False)

    with pytest.raises(SettingsError, match="set AWS_REGION"):
        build(cdk.App(context={"regions": "eu-west-1", "bundleLayer": False}))


def artifacts(installation: Templates) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((installation.directory / "manifest.json").read_text())["artifacts"]
    return found
