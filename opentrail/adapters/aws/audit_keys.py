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
from opentrail.format.digest_file import fingerprint_of
from opentrail.pipeline.validate.stored import PublicKey


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
    """ListPublicKeys' list by fingerprint. A key that is listed with several windows has them all.

    Of two different keys under one fingerprint, the one it is the fingerprint of is taken: whoever
    slips a second key into the list can neither pass for the first nor make its signatures fail.
    """
    found: dict[str, PublicKey] = {}
    for key in listed:
        name, value = key["Fingerprint"], key["Value"]
        since, until = key["ValidityStartTime"].timestamp(), key["ValidityEndTime"].timestamp()
        known = found.get(name)
        if known is not None and known.pkcs1 != value:
            if fingerprint_of(value) != name:
                continue
        elif known is not None:
            since, until = min(since, known.valid_from), max(until, known.valid_to)
        found[name] = PublicKey(name, value, since, until)
    return found
