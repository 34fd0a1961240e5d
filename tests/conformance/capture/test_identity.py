"""Who called: every kind of credential, as a record shows it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.capture.oracle import Laptop
from tests.conformance.capture.settings import ACCOUNT, TRUST
from tests.conformance.capture.transport import ENDPOINT, session_for

ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"


def identity_of(laptop: Laptop) -> dict[str, Any]:
    """Who the last record says called."""
    identity: dict[str, Any] = json.loads(laptop.captured[-1].detail)["userIdentity"]
    return identity


def call_as(laptop: Laptop, credentials: dict[str, Any]) -> None:
    """Make one harmless call with credentials from an AWS answer."""
    session = session_for(
        laptop.gateway, access_key=credentials["AccessKeyId"], token=credentials.get("SessionToken")
    )
    session.client("sqs", endpoint_url=ENDPOINT).list_queues()


def test_an_unknown_key_is_the_root_user_of_the_default_account(laptop: Laptop) -> None:
    call_as(laptop, {"AccessKeyId": "AKIAUNKNOWN"})

    assert identity_of(laptop) == {
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT,
        "accessKeyId": "AKIAUNKNOWN",
    }


def test_an_access_key_of_a_user_is_that_user(laptop: Laptop) -> None:
    iam = laptop.client("iam")
    user = iam.create_user(UserName="alice", Path="/team/")["User"]
    key = iam.create_access_key(UserName="alice")["AccessKey"]

    call_as(laptop, key)

    assert identity_of(laptop) == {
        "type": "IAMUser",
        "principalId": user["UserId"],
        "arn": f"arn:aws:iam::{ACCOUNT}:user/team/alice",
        "accountId": ACCOUNT,
        "accessKeyId": key["AccessKeyId"],
        "userName": "alice",
    }


def test_the_caller_of_a_call_that_deletes_its_caller_is_known(laptop: Laptop) -> None:
    iam = laptop.client("iam")
    iam.create_user(UserName="alice")
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    own = session_for(laptop.gateway, access_key=key["AccessKeyId"]).client("iam", endpoint_url=ENDPOINT)

    own.delete_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"])

    assert identity_of(laptop)["userName"] == "alice"


def test_a_role_session_names_its_role_source_identity_and_mfa(laptop: Laptop) -> None:
    role = laptop.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=TRUST)["Role"]
    credentials = laptop.client("sts").assume_role(
        RoleArn=ROLE,
        RoleSessionName="ci",
        SourceIdentity="alice",
        SerialNumber="arn:aws:iam::1:mfa/a",
        TokenCode="123456",
    )["Credentials"]

    call_as(laptop, credentials)

    identity = identity_of(laptop)
    created = identity["sessionContext"]["attributes"].pop("creationDate")
    assert created.endswith("Z")
    assert identity == {
        "type": "AssumedRole",
        "principalId": f"{role['RoleId']}:ci",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/ci",
        "accountId": ACCOUNT,
        "accessKeyId": credentials["AccessKeyId"],
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role["RoleId"],
                "arn": ROLE,
                "accountId": ACCOUNT,
                "userName": "deploy",
            },
            "attributes": {"mfaAuthenticated": "true"},
            "sourceIdentity": "alice",
        },
    }


def test_federated_users_get_credentials_of_their_own(laptop: Laptop) -> None:
    iam = laptop.client("iam")
    user = iam.create_user(UserName="broker")["User"]
    key = iam.create_access_key(UserName="broker")["AccessKey"]
    sts = session_for(laptop.gateway, access_key=key["AccessKeyId"]).client("sts", endpoint_url=ENDPOINT)
    first, second = (sts.get_federation_token(Name=name)["Credentials"] for name in ("bob", "eve"))

    call_as(laptop, first)

    assert first["AccessKeyId"] != second["AccessKeyId"]
    identity = identity_of(laptop)
    assert identity["type"] == "FederatedUser"
    assert identity["principalId"] == f"{ACCOUNT}:bob"
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    assert identity["sessionContext"]["sessionIssuer"] == {
        "type": "IAMUser",
        "principalId": user["UserId"],
        "arn": user["Arn"],
        "accountId": ACCOUNT,
        "userName": "broker",
    }


def test_a_session_token_of_a_user_is_the_user_with_a_session(laptop: Laptop) -> None:
    iam = laptop.client("iam")
    iam.create_user(UserName="alice")
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    sts = session_for(laptop.gateway, access_key=key["AccessKeyId"]).client("sts", endpoint_url=ENDPOINT)
    credentials = sts.get_session_token()["Credentials"]

    call_as(laptop, credentials)

    identity = identity_of(laptop)
    assert (identity["type"], identity["userName"]) == ("IAMUser", "alice")
    assert identity["accessKeyId"] == credentials["AccessKeyId"]
    assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"


def test_a_web_identity_is_named_by_its_token_and_the_token_is_not_recorded(laptop: Laptop) -> None:
    claims = {"iss": "accounts.google.com", "aud": "app", "sub": "1234"}
    token = (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({}, claims))
        + ".sig"
    )
    laptop.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=TRUST)

    laptop.client("sts").assume_role_with_web_identity(
        RoleArn=ROLE, RoleSessionName="web", WebIdentityToken=token
    )

    assert identity_of(laptop) == {
        "type": "WebIdentityUser",
        "principalId": "accounts.google.com:app:1234",
        "userName": "1234",
        "identityProvider": "accounts.google.com",
    }
    assert token.encode() not in laptop.captured[-1].detail


def test_a_session_of_an_oidc_provider_names_the_accounts_provider(laptop: Laptop) -> None:
    claims = {"iss": "https://oidc.example.com/id/A", "aud": "sts.amazonaws.com", "sub": "repo:x"}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({}, claims))
    laptop.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=TRUST)
    credentials = laptop.client("sts").assume_role_with_web_identity(
        RoleArn=ROLE, RoleSessionName="web", WebIdentityToken=".".join((*parts, "s"))
    )["Credentials"]
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.com/id/A"
    assert identity_of(laptop)["identityProvider"] == provider
    assert identity_of(laptop)["principalId"] == f"{provider}:sts.amazonaws.com:repo:x"

    call_as(laptop, credentials)

    assert identity_of(laptop)["sessionContext"]["webIdFederationData"] == {
        "federatedProvider": provider,
        "attributes": {},
    }


def test_assuming_a_role_of_another_account_is_recorded_in_both(laptop: Laptop) -> None:
    other = "111122223333"
    laptop.client("sts").assume_role(RoleArn=f"arn:aws:iam::{other}:role/theirs", RoleSessionName="visit")

    ours, theirs = (json.loads(captured.detail) for captured in laptop.captured[-2:])
    assert [captured.account for captured in laptop.captured[-2:]] == [ACCOUNT, other]
    assert ours["userIdentity"]["type"] == "Root"
    assert theirs["userIdentity"] == {"type": "AWSAccount", "principalId": ACCOUNT, "accountId": ACCOUNT}
    assert (ours["recipientAccountId"], theirs["recipientAccountId"]) == (ACCOUNT, other)
    assert ours["sharedEventID"] == theirs["sharedEventID"]
    assert ours["eventID"] != theirs["eventID"]


def test_a_session_of_another_account_calls_as_that_account(laptop: Laptop) -> None:
    other = "111122223333"
    credentials = laptop.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{other}:role/theirs", RoleSessionName="visit"
    )["Credentials"]

    call_as(laptop, credentials)

    assert laptop.captured[-1].account == other
    assert identity_of(laptop)["arn"] == f"arn:aws:sts::{other}:assumed-role/theirs/visit"


def test_a_call_on_a_bucket_of_another_account_is_shared_with_its_owner(laptop: Laptop) -> None:
    other = "111122223333"
    credentials = laptop.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{other}:role/theirs", RoleSessionName="visit"
    )["Credentials"]
    visitor = session_for(
        laptop.gateway, access_key=credentials["AccessKeyId"], token=credentials["SessionToken"]
    )
    laptop.client("s3").create_bucket(Bucket="ours-only")
    before = len(laptop.captured)

    with pytest.raises(ClientError, match="NoSuchLifecycle|AccessDenied|Forbidden|does not exist"):
        visitor.client("s3", endpoint_url=ENDPOINT).get_bucket_lifecycle_configuration(Bucket="ours-only")

    assert [captured.account for captured in laptop.captured[before:]] == [other, ACCOUNT]
