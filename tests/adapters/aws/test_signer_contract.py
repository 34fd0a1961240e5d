"""What digest relies on in a signer; the tests' own double and KMS keep it alike."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from opentrail.adapters.aws.kms import KmsSigner
from opentrail.errors import StorageError
from opentrail.format import digest_file
from tests.support.aws import Clients
from tests.support.fakes import FakeSigner

AnySigner = FakeSigner | KmsSigner


@pytest.fixture(scope="module")
def key_id(clients: Clients) -> str:
    made = clients("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    name: str = made["KeyMetadata"]["KeyId"]
    return name


@pytest.fixture(params=["fake", "kms"])
def signer(request: pytest.FixtureRequest, clients: Clients, key_id: str) -> AnySigner:
    return FakeSigner() if request.param == "fake" else KmsSigner(clients("kms"), key_id)


def verify(signer: AnySigner, signature: bytes, message: bytes) -> None:
    key = load_der_public_key(signer.public_key())
    assert isinstance(key, RSAPublicKey)
    key.verify(signature, message, PKCS1v15(), SHA256())


def test_a_signature_verifies_with_the_published_key(signer: AnySigner) -> None:
    message = b"2026-01-10T01:01:31Z\nb/k\n" + b"0" * 64 + b"\nnull"

    signature = signer.sign(message)

    verify(signer, signature, message)
    assert len(signature) == 256


def test_a_signature_is_of_this_message_only(signer: AnySigner) -> None:
    signature = signer.sign(b"one")

    with pytest.raises(InvalidSignature):
        verify(signer, signature, b"two")


def test_a_message_has_one_signature(signer: AnySigner) -> None:
    assert signer.sign(b"message") == signer.sign(b"message")


def test_the_key_is_one_that_digests_can_name(signer: AnySigner) -> None:
    pkcs1 = digest_file.pkcs1_of(signer.public_key())

    assert len(pkcs1) == 270
    assert len(digest_file.fingerprint_of(pkcs1)) == 32


def test_a_key_that_is_not_there_is_a_storage_error(clients: Clients) -> None:
    gone = KmsSigner(clients("kms"), "00000000-0000-0000-0000-000000000000")

    for ask in (gone.public_key, lambda: gone.sign(b"message")):
        with pytest.raises(StorageError) as caught:
            ask()
        assert caught.value.code == "NotFoundException"
