"""Public keys for a verifier: as ListPublicKeys answers them, or from a file of such an answer."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opentrail.errors import FormatError, StorageError
from opentrail.pipeline.validate.chain import PublicKey


class KeyFile:
    """What ``aws cloudtrail list-public-keys`` printed, kept where no attacker of the trail reaches."""

    def __init__(self, path: Path) -> None:
        self._keys = parse_keys(path)

    def public_keys(self, start: datetime, end: datetime) -> dict[str, PublicKey]:
        """See ``opentrail.pipeline.validate.ports.KeySource``."""
        return {
            name: key
            for name, key in self._keys.items()
            if key.valid_from <= end.timestamp() and key.valid_to >= start.timestamp()
        }


def parse_keys(path: Path) -> dict[str, PublicKey]:
    """Read ListPublicKeys' answer as JSON; times are ISO 8601 or epoch seconds.

    Raises:
        StorageError: the file cannot be read.
        FormatError: it is something else.
    """
    try:
        listed = json.loads(path.read_bytes())["PublicKeyList"]
        return keys_of(
            {
                "Fingerprint": key["Fingerprint"],
                "Value": base64.b64decode(key["Value"], validate=True),
                "ValidityStartTime": _moment(key["ValidityStartTime"]),
                "ValidityEndTime": _moment(key["ValidityEndTime"]),
            }
            for key in listed
        )
    except OSError as error:
        raise StorageError(f"read {path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise FormatError(f"{path} is not an answer of list-public-keys: {error!r}") from error


def _moment(value: str | float) -> datetime:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(value, UTC)


def keys_of(listed: Iterable[dict[str, Any]]) -> dict[str, PublicKey]:
    """ListPublicKeys' list by fingerprint. A key that is listed with several windows has them all."""
    found: dict[str, PublicKey] = {}
    for key in listed:
        name = key["Fingerprint"]
        since, until = key["ValidityStartTime"].timestamp(), key["ValidityEndTime"].timestamp()
        if name in found:
            since, until = min(since, found[name].valid_from), max(until, found[name].valid_to)
        found[name] = PublicKey(name, key["Value"], since, until)
    return found
