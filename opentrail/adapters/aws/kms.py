"""The signing key in KMS. The private half never leaves it."""

from __future__ import annotations

from typing import Any

from opentrail.adapters.aws.failure import storage_errors

ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256"


class KmsSigner:
    """One RSA_2048 SIGN_VERIFY key; ``spki`` is its public half, where it is known."""

    def __init__(self, client: Any, key_id: str, spki: bytes | None = None) -> None:
        self._client = client
        self._key_id = key_id
        self._public_key = spki

    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER; asked for once, unless it is known.

        Raises:
            StorageError: KMS refused or did not answer.
        """
        if self._public_key is None:
            with storage_errors(f"get public key of {self._key_id}"):
                self._public_key = self._client.get_public_key(KeyId=self._key_id)["PublicKey"]
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Sign ``message`` (at most 4096 bytes: KMS hashes it).

        Raises:
            StorageError: KMS refused or did not answer.
        """
        with storage_errors(f"sign with {self._key_id}"):
            answer = self._client.sign(
                KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm=ALGORITHM
            )
        signature: bytes = answer["Signature"]
        return signature
