"""Signing keys: their register in the ledger table, their private halves in KMS.

``pk = signing-key``, ``sk = <number>``: one key, with its public half. Items stay for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from opentrail.adapters.aws import items
from opentrail.adapters.aws.failure import storage_errors
from opentrail.adapters.aws.kms import KmsSigner
from opentrail.format import digest_file
from opentrail.model.resource import PublicKey
from opentrail.model.signing_key import SigningKey
from opentrail.pipeline.digest.keyring import KeyWindow, key_for, windows_of
from opentrail.pipeline.digest.rotate import first_key
from opentrail.settings import SIGNING_KEY_PARTITION, SIGNING_KEY_TAG


class DynamoKeyRegistry:
    """The register. Reads are strongly consistent: a new key is seen at once."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def entries(self) -> list[SigningKey]:
        """See ``opentrail.pipeline.digest.rotate.KeyRegistry``. A page holds centuries of monthly keys."""
        with storage_errors(f"query signing keys of {self._table}"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": SIGNING_KEY_PARTITION}},
                ConsistentRead=True,
            )
        return [msgspec.msgpack.decode(item["body"]["B"], type=SigningKey) for item in answer["Items"]]

    def save(self, key: SigningKey) -> SigningKey:
        """See ``opentrail.pipeline.digest.rotate.KeyRegistry``."""
        saved = msgspec.structs.replace(key, version=key.version + 1)
        item = {
            **items.key(SIGNING_KEY_PARTITION, f"{key.number:06d}"),
            "version": {"N": str(saved.version)},
            "body": {"B": msgspec.msgpack.encode(saved)},
        }
        with storage_errors(f"save signing key {key.number}"):
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="version = :read OR (attribute_not_exists(pk) AND :read = :none)",
                ExpressionAttributeValues={":read": {"N": str(key.version)}, ":none": {"N": "0"}},
            )
        return saved


class KmsKeyMaker:
    """The signing keys' other half, in KMS.

    Args:
        client: of KMS.
        first_key_id: the key the deployment came with.
        policy: the key policy of further keys, as JSON.
        owner: the value of their tag, by which the digest function may sign with them.
    """

    def __init__(self, client: Any, first_key_id: str, *, policy: str = "", owner: str = "") -> None:
        self._client = client
        self._first_key_id = first_key_id
        self._policy = policy
        self._owner = owner

    def first(self) -> tuple[str, datetime]:
        """See ``opentrail.pipeline.digest.rotate.KeyMaker``."""
        with storage_errors(f"describe key {self._first_key_id}"):
            found = self._client.describe_key(KeyId=self._first_key_id)["KeyMetadata"]
        return found["Arn"], found["CreationDate"].astimezone(UTC)

    def make(self, number: int) -> str:
        """See ``opentrail.pipeline.digest.rotate.KeyMaker``.

        KMS refuses a policy that its caller could not change later; the rotating role
        shall not, the account's administrators can. Hence the bypass.
        """
        with storage_errors(f"create signing key {number}"):
            made = self._client.create_key(
                Description=f"OpenTrail: signs digest files, number {number}",
                KeySpec="RSA_2048",
                KeyUsage="SIGN_VERIFY",
                Policy=self._policy,
                BypassPolicyLockoutSafetyCheck=True,
                Tags=[{"TagKey": SIGNING_KEY_TAG, "TagValue": self._owner}],
            )
        arn: str = made["KeyMetadata"]["Arn"]
        return arn

    def public_key(self, key_id: str) -> bytes:
        """See ``opentrail.pipeline.digest.rotate.KeyMaker``."""
        return KmsSigner(self._client, key_id).public_key()


class SigningKeys:
    """The keys that may sign, for those who use or list them; before the first rotation, the first."""

    def __init__(self, registry: DynamoKeyRegistry, maker: KmsKeyMaker) -> None:
        self._registry = registry
        self._maker = maker
        self._first: SigningKey | None = None

    def ready(self) -> Sequence[SigningKey]:
        """Every key that signs or signed, oldest first; one at least.

        Raises:
            StorageError: the table or KMS refused or did not answer.
        """
        found = [key for key in self._registry.entries() if key.ready]
        if found:
            return found
        if self._first is None:
            self._first = first_key(self._maker)
        return [self._first]

    def windows(self, now: datetime) -> list[KeyWindow]:
        """Every key with its validity, oldest first. Raises ``StorageError``."""
        return windows_of(self.ready(), now)


class KmsKeyring:
    """The signers of one run of the digest function: keys are read once, when the first is needed."""

    def __init__(self, client: Any, keys: SigningKeys) -> None:
        self._client = client
        self._keys = keys
        self._known: Sequence[SigningKey] = ()

    def signer_for(self, end: datetime) -> KmsSigner:
        """See ``opentrail.pipeline.digest.ports.Keyring``."""
        self._known = self._known or self._keys.ready()
        key = key_for(self._known, end)
        return KmsSigner(self._client, key.key_id, key.spki)


class ListedKeys:
    """The keys as ListPublicKeys answers them: the whole deployment's, in every Region."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys

    def keys(self, start: datetime, end: datetime, now: datetime) -> list[PublicKey]:
        """See ``opentrail.api.ports.PublicKeys``."""
        return [_listed(window) for window in self._keys.windows(now) if window.overlaps(start, end)]

    def current(self, now: datetime) -> PublicKey:
        """See ``opentrail.api.ports.PublicKeys``."""
        return _listed(self._keys.windows(now)[-1])


def _listed(window: KeyWindow) -> PublicKey:
    der = digest_file.pkcs1_of(window.key.spki)
    return PublicKey(der=der, valid_from=window.valid_from, valid_to=window.valid_to)


def signing_keys(dynamodb: Any, kms: Any, *, table: str, first_key_id: str) -> SigningKeys:
    """The keys of a deployment, to read."""
    return SigningKeys(DynamoKeyRegistry(dynamodb, table), KmsKeyMaker(kms, first_key_id))
