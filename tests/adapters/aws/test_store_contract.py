"""What deliver and digest rely on in an object store; the tests' own double and S3 keep it alike."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from opentrail.adapters.aws.s3 import S3Objects
from opentrail.errors import StorageError
from tests.support.aws import Clients, make_bucket
from tests.support.fakes import FakeStore

AnyStore = FakeStore | S3Objects


@pytest.fixture(params=["fake", "s3"])
def store(request: pytest.FixtureRequest, clients: Clients) -> AnyStore:
    if request.param == "s3":
        return S3Objects(clients("s3"))
    fake = FakeStore()
    fake.closed.add("never-made")
    return fake


@pytest.fixture
def bucket(clients: Clients) -> str:
    return make_bucket(clients)


def put(store: AnyStore, bucket: str, key: str = "a/b", body: bytes = b"\x1f\x8b1", **changes: Any) -> None:
    encryption = {"kms_key_arn": "", "trail_arn": ""} | changes
    store.put(bucket, key, body, metadata={}, **encryption)


def test_what_is_put_is_read(store: AnyStore, bucket: str) -> None:
    put(store, bucket)

    assert store.read(bucket, "a/b") == b"\x1f\x8b1"


def test_putting_again_replaces(store: AnyStore, bucket: str) -> None:
    put(store, bucket)

    put(store, bucket, body=b"\x1f\x8b2")

    assert store.read(bucket, "a/b") == b"\x1f\x8b2"


def test_what_was_never_put_is_not_there(store: AnyStore, bucket: str) -> None:
    put(store, bucket)

    assert store.read(bucket, "a") is None


def test_a_bucket_that_is_not_there_refuses_puts(store: AnyStore) -> None:
    with pytest.raises(StorageError, match="s3://never-made/a/b") as caught:
        put(store, "never-made")

    assert caught.value.code == "NoSuchBucket"


def test_nothing_can_be_said_of_objects_in_a_bucket_that_is_not_there(store: AnyStore) -> None:
    with pytest.raises(StorageError) as caught:
        store.read("never-made", "a/b")

    assert caught.value.code == "NoSuchBucket"


def head(clients: Clients, bucket: str, **encryption: str) -> dict[str, Any]:
    """The headers of an object that was put so."""
    S3Objects(clients("s3")).put(
        bucket,
        "k",
        b"\x1f\x8b",
        metadata={"signature": "ab", "signature-algorithm": "SHA256withRSA"},
        **encryption,
    )
    found: dict[str, Any] = clients("s3").head_object(Bucket=bucket, Key="k")
    return found


def test_an_object_says_what_it_is(clients: Clients, bucket: str) -> None:
    found = head(clients, bucket, kms_key_arn="", trail_arn="arn")

    assert (found["ContentType"], found["ContentEncoding"]) == ("application/json", "gzip")
    assert found["Metadata"] == {"signature": "ab", "signature-algorithm": "SHA256withRSA"}


def test_a_trails_object_without_a_key_says_aes256(clients: Clients, bucket: str) -> None:
    assert head(clients, bucket, kms_key_arn="", trail_arn="arn")["ServerSideEncryption"] == "AES256"


class Listening:
    """An S3 client that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def put_object(self, **asked: Any) -> None:
        self.asked = asked


def test_with_a_key_an_object_is_encrypted_under_it_in_its_trails_context() -> None:
    listening = Listening()

    S3Objects(listening).put("b", "k", b"", kms_key_arn="key-arn", trail_arn="trail-arn", metadata={})

    asked = listening.asked
    assert (asked["ServerSideEncryption"], asked["SSEKMSKeyId"]) == ("aws:kms", "key-arn")
    assert json.loads(b64decode(asked["SSEKMSEncryptionContext"])) == {"aws:cloudtrail:arn": "trail-arn"}
    assert asked["BucketKeyEnabled"] is True


def test_history_leaves_its_encryption_to_its_bucket() -> None:
    listening = Listening()

    S3Objects(listening).put("b", "k", b"", kms_key_arn="", trail_arn="", metadata={})

    assert "ServerSideEncryption" not in listening.asked


def test_the_owner_of_the_bucket_gets_full_control() -> None:
    listening = Listening()

    S3Objects(listening).put("b", "k", b"", kms_key_arn="", trail_arn="", metadata={})

    assert listening.asked["ACL"] == "bucket-owner-full-control"
