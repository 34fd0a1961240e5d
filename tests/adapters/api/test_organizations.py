"""AWS Organizations on moto."""

from __future__ import annotations

import pytest
from moto.organizations.models import FakeDelegatedAdministrator

from opentrail.adapters.aws.organizations import CLOUDTRAIL, AwsOrganizations
from opentrail.model.resource import Organization
from tests.adapters.api.conftest import ACCOUNT, ClientsFor

HOME = "us-east-1"


def test_an_account_without_organization(clients_for: ClientsFor) -> None:
    assert AwsOrganizations(clients_for, HOME).of(ACCOUNT) is None


def test_an_organization_its_members_and_administrators(
    clients_for: ClientsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    supported = [*FakeDelegatedAdministrator.SUPPORTED_SERVICES, CLOUDTRAIL]  # moto's list is out of date
    monkeypatch.setattr(FakeDelegatedAdministrator, "SUPPORTED_SERVICES", supported)
    client = clients_for(ACCOUNT, HOME)("organizations")
    created = client.create_organization(FeatureSet="ALL")["Organization"]
    member = client.create_account(Email="a@example.com", AccountName="a")["CreateAccountStatus"]["AccountId"]
    port = AwsOrganizations(clients_for, HOME)

    found = port.of(ACCOUNT)

    expected = Organization(id=created["Id"], management_account=ACCOUNT, all_features=True)
    assert found == expected
    assert port.has_account(expected, member)
    assert not port.has_account(expected, "999999999999")
    assert not port.trusts_cloudtrail(expected)
    client.enable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    assert port.trusts_cloudtrail(expected)
    port.add_admin(expected, member)
    assert port.delegated_admins(expected) == {member}
    port.remove_admin(expected, member)
    assert port.delegated_admins(expected) == set()
