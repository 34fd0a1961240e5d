"""KMS: digests, keys that are disabled or wait for deletion."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from opentrail.local.moto_patches.switch import replace

_message_type = threading.local()


def apply() -> None:
    """Correct KMS."""
    from cryptography.hazmat.primitives.asymmetric import utils as asymmetric
    from moto.kms import models, responses, utils

    # moto ignores MessageType and hashes a digest once more.
    def with_message_type(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(response: Any) -> Any:
            _message_type.value = response._get_param("MessageType")
            try:
                return original(response)
            finally:
                _message_type.value = None

        return call

    def is_digest() -> bool:
        return getattr(_message_type, "value", None) == "DIGEST"

    def rsa_hash(original: Callable[..., Any]) -> Callable[..., Any]:
        def choose(key: Any, signing_algorithm: str) -> Any:
            padding, algorithm = original(key, signing_algorithm)
            return padding, asymmetric.Prehashed(algorithm) if is_digest() else algorithm

        return choose

    def ecdsa_hash(original: Callable[..., Any]) -> Callable[..., Any]:
        def choose(key: Any, signing_algorithm: str) -> Any:
            algorithm = original(key, signing_algorithm)
            return asymmetric.Prehashed(algorithm) if is_digest() else algorithm

        return choose

    replace(responses.KmsResponse, "sign", with_message_type)
    replace(responses.KmsResponse, "verify", with_message_type)
    replace(utils.RSAPrivateKey, "_RSAPrivateKey__padding_and_hash_algorithm", rsa_hash)
    replace(utils.ECDSAPrivateKey, "_ECDSAPrivateKey__hash_algorithm", ecdsa_hash)

    # A disabled key, or one that waits for its deletion, still works in moto.
    def usable_only(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(backend: Any, key_id: str, *args: Any, **kwargs: Any) -> Any:
            _refuse_unusable(backend.describe_key(key_id))
            return original(backend, key_id, *args, **kwargs)

        return call

    for name in ("sign", "verify", "encrypt", "generate_data_key"):
        replace(models.KmsBackend, name, usable_only)

    def decrypt(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(backend: Any, *args: Any, **kwargs: Any) -> Any:
            plaintext, arn = original(backend, *args, **kwargs)
            _refuse_unusable(backend.describe_key(arn))
            return plaintext, arn

        return call

    replace(models.KmsBackend, "decrypt", decrypt)


def _refuse_unusable(key: Any) -> None:
    from moto.core.exceptions import JsonRESTError

    if key.key_state == "PendingDeletion":
        raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if not key.enabled:
        raise JsonRESTError("DisabledException", f"{key.arn} is disabled.")
