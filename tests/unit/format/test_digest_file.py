"""Digest files: their members, the text that is signed, the key's name."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format import digest_file
from opentrail.format.digest_file import Digest
from opentrail.model.digest import Link
from opentrail.model.event import Place
from opentrail.model.log_file import LogFile

MEMBERS = [
    "awsAccountId",
    "digestStartTime",
    "digestEndTime",
    "digestS3Bucket",
    "digestS3Object",
    "digestPublicKeyFingerprint",
    "digestSignatureAlgorithm",
    "newestEventTime",
    "oldestEventTime",
    "previousDigestS3Bucket",
    "previousDigestS3Object",
    "previousDigestHashValue",
    "previousDigestHashAlgorithm",
    "previousDigestSignature",
    "logFiles",
]


def log(name: str, oldest: str, newest: str) -> LogFile:
    return LogFile(
        bucket="audit-logs", key=name, sha256=name * 32, count=1, oldest=oldest, newest=newest, created_at=0.0
    )


def digest(*files: LogFile, previous: Link | None = None) -> Digest:
    return digest_file.make_digest(
        place=Place("111122223333", "us-east-1"),
        start=datetime(2026, 1, 10, 0, 1, 31, tzinfo=UTC),
        end=datetime(2026, 1, 10, 1, 1, 31, tzinfo=UTC),
        bucket="audit-logs",
        key="digest-key",
        fingerprint="f" * 32,
        previous=previous,
        files=files,
    )


def test_a_starting_digest_has_every_member_and_five_nulls() -> None:
    document = digest_file.encode_digest(digest())

    assert document.decode() == (
        '{"awsAccountId":"111122223333","digestStartTime":"2026-01-10T00:01:31Z",'
        '"digestEndTime":"2026-01-10T01:01:31Z","digestS3Bucket":"audit-logs",'
        '"digestS3Object":"digest-key","digestPublicKeyFingerprint":"' + "f" * 32 + '",'
        '"digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":null,"oldestEventTime":null,'
        '"previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,'
        '"previousDigestHashAlgorithm":null,"previousDigestSignature":null,"logFiles":[]}'
    )


def test_members_come_in_the_order_cloudtrail_writes_them() -> None:
    found = digest(log("a", "t1", "t2"), previous=Link(bucket="b", key="k", sha256="h", signature="s"))

    assert list(json.loads(digest_file.encode_digest(found))) == MEMBERS


def test_a_digest_names_its_predecessor_by_place_hash_and_signature() -> None:
    found = json.loads(
        digest_file.encode_digest(digest(previous=Link(bucket="b", key="k", sha256="h", signature="s")))
    )

    assert [found[name] for name in MEMBERS[9:14]] == ["b", "k", "h", "SHA-256", "s"]


def test_a_digest_lists_its_files_and_spans_their_times() -> None:
    found = json.loads(digest_file.encode_digest(digest(log("a", "t2", "t5"), log("b", "t1", "t4"))))

    assert (found["oldestEventTime"], found["newestEventTime"]) == ("t1", "t5")
    assert found["logFiles"][1] == {
        "s3Bucket": "audit-logs",
        "s3Object": "b",
        "hashValue": "b" * 32,
        "hashAlgorithm": "SHA-256",
        "newestEventTime": "t4",
        "oldestEventTime": "t1",
    }
    assert list(found["logFiles"][1]) == [
        "s3Bucket",
        "s3Object",
        "hashValue",
        "hashAlgorithm",
        "newestEventTime",
        "oldestEventTime",
    ]


def test_a_digest_is_read_back_as_it_was() -> None:
    made = digest(log("a", "t1", "t2"), previous=Link(bucket="b", key="k", sha256="h", signature="s"))

    assert digest_file.parse_digest(digest_file.encode_digest(made)) == made


def test_a_member_that_is_missing_is_a_format_error_and_one_that_is_new_is_not() -> None:
    whole = json.loads(digest_file.encode_digest(digest()))

    assert digest_file.parse_digest(json.dumps({**whole, "new": 1}).encode()) == digest()
    for name in MEMBERS:
        with pytest.raises(FormatError, match=name):
            digest_file.parse_digest(json.dumps({k: v for k, v in whole.items() if k != name}).encode())


@given(document=st.binary() | st.just(b'{"x":' + b"[" * 100_000))
def test_any_bytes_let_only_format_errors_out(document: bytes) -> None:
    with pytest.raises(FormatError):
        digest_file.parse_digest(document)


def test_the_text_to_sign_is_four_lines_without_an_end() -> None:
    text = digest_file.text_to_sign(
        end="2026-01-10T01:01:31Z", bucket="audit-logs", key="k", document=b"{}", previous_signature="abcd"
    )

    assert text.decode() == (
        "2026-01-10T01:01:31Z\naudit-logs/k\n" + hashlib.sha256(b"{}").hexdigest() + "\nabcd"
    )


def test_a_starting_digest_signs_the_word_null() -> None:
    text = digest_file.text_to_sign(end="e", bucket="b", key="k", document=b"", previous_signature=None)

    assert text.endswith(b"\nnull")


@pytest.fixture(scope="module")
def public_key() -> rsa.RSAPublicKey:
    return rsa.generate_private_key(65537, 2048).public_key()


def test_the_published_key_is_the_pkcs1_form_of_what_kms_answers(public_key: rsa.RSAPublicKey) -> None:
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert digest_file.pkcs1_of(spki) == public_key.public_bytes(Encoding.DER, PublicFormat.PKCS1)


def test_a_fingerprint_is_the_md5_of_the_published_key(public_key: rsa.RSAPublicKey) -> None:
    pkcs1 = public_key.public_bytes(Encoding.DER, PublicFormat.PKCS1)

    assert digest_file.fingerprint_of(pkcs1) == hashlib.md5(pkcs1).hexdigest()


def spki_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_another_key_than_rsa_2048_is_a_format_error() -> None:
    others = [
        spki_of(ec.generate_private_key(ec.SECP256R1())),
        spki_of(rsa.generate_private_key(65537, 1024)),
    ]

    for spki in [*others, b"", b64decode("MIIB"), bytes(294)]:
        with pytest.raises(FormatError):
            digest_file.pkcs1_of(spki)
