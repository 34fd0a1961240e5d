"""The signing key as CloudTrail lists it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from opentrail.adapters.aws.public_keys import VALIDITY, KmsPublicKeys, to_pkcs1
from tests.adapters.api.conftest import ACCOUNT, ClientsFor

CREATED = datetime(2026, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
RSA_KEY = rsa.generate_private_key(65537, 2048).public_key()


class FakeKms:
    """One key, created at a known moment."""

    def __init__(self) -> None:
        self.calls = 0

    def describe_key(self, KeyId: str) -> dict[str, Any]:
        self.calls += 1
        return {"KeyMetadata": {"CreationDate": CREATED}}

    def get_public_key(self, KeyId: str) -> dict[str, Any]:
        return {"PublicKey": RSA_KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}


@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
def test_spki_becomes_pkcs1(bits: int) -> None:
    key = rsa.generate_private_key(65537, bits).public_key() if bits != 2048 else RSA_KEY

    found = to_pkcs1(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    assert found == key.public_bytes(Encoding.DER, PublicFormat.PKCS1)


def test_the_key_of_a_deployment_on_moto(clients_for: ClientsFor) -> None:
    kms = clients_for(ACCOUNT, "us-east-1")("kms")
    key = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    spki = kms.get_public_key(KeyId=key["KeyId"])["PublicKey"]
    now = key["CreationDate"]

    found = KmsPublicKeys(kms, [key["KeyId"]]).keys(now, now)

    expected = load_der_public_key(spki).public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert [key.der for key in found] == [expected]
    assert found[0].valid_from < now < found[0].valid_to


@pytest.mark.parametrize(
    ("start", "end", "windows"),
    [
        (0, 0, [-1]),
        (-1, -1, [-1]),
        (-2, -1.01, []),
        (28.5, 28.5, [-1, 28]),
        (0, 60, [-1, 28, 57]),
        (29.1, 30, [28]),
        (3650, 3650, [3624]),
    ],
)
def test_windows_of_30_days_follow_each_other_and_overlap(
    start: float, end: float, windows: list[float]
) -> None:
    keys = KmsPublicKeys(FakeKms(), ["k"]).keys(CREATED + start * DAY, CREATED + end * DAY)

    assert [(key.valid_from - CREATED) / DAY for key in keys] == windows
    assert {key.valid_to - key.valid_from for key in keys} <= {VALIDITY}


def test_keys_are_fetched_once() -> None:
    kms = FakeKms()
    keys = KmsPublicKeys(kms, ["k"])

    keys.keys(CREATED, CREATED)
    keys.keys(CREATED, CREATED)

    assert kms.calls == 1
