"""S3 keys of log files and digest files: one layout for writer, reader and checker.

Source: CloudTrail user guide, "Getting and viewing your CloudTrail log files"
(log keys) and "CloudTrail digest file structure" (digest keys).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from opentrail.errors import FormatError
from opentrail.format import times
from opentrail.model.event import Place

SLOT_MINUTES = 5  # file names carry the five-minute slot of their delivery
TOKEN_LENGTH = 16  # characters of [A-Za-z0-9] at the end of a log file's name

LOGS = "CloudTrail"
INSIGHTS = "CloudTrail-Insight"
NETWORK = "CloudTrail-NetworkActivity"
DIGESTS = "CloudTrail-Digest"

# The folder of a log file by its records' eventCategory. Data events share the
# folder of management events.
FOLDERS = {"Insight": INSIGHTS, "NetworkActivity": NETWORK}

_PLACE = (
    r"(?P<account>\d{12})/(?P<folder>CloudTrail(?:-[A-Za-z]+)?)/(?P<region>[a-z0-9-]+)/\d{4}/\d{2}/\d{2}/"
)
_ROOT = r"(?:(?P<prefix>.+)/)?AWSLogs/(?:(?P<organization>o-[a-z0-9]{10,32})/)?"
_LOG = re.compile(
    _ROOT + _PLACE + r"(?P=account)_(?P=folder)_(?P=region)_(?P<time>\d{8}T\d{4}Z)_(?P<token>\w+)\.json\.gz",
    re.ASCII,
)
_DIGEST = re.compile(
    _ROOT
    + _PLACE
    + r"(?P=account)_CloudTrail-Digest_(?P=region)_(?P<trail>.+)_(?P<home>[a-z0-9-]+)_"
    + r"(?P<time>\d{8}T\d{6}Z)(?P<backfill>_backfill)?\.json\.gz",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class LogKey:
    """A log file's key, taken apart."""

    prefix: str
    organization: str
    place: Place
    folder: str
    time: str  # YYYYMMDDTHHMMZ
    token: str

    @property
    def delivered(self) -> datetime:
        """The five-minute slot in its name, UTC."""
        return _slot(self.time)


@dataclass(frozen=True, slots=True)
class DigestKey:
    """A digest file's key, taken apart."""

    prefix: str
    organization: str
    place: Place
    trail: str
    home_region: str
    end: datetime
    backfill: bool


def folder_of(category: str) -> str:
    """The folder for records of this eventCategory."""
    return FOLDERS.get(category, LOGS)


def root(prefix: str, organization: str, account: str) -> str:
    """``[prefix/]AWSLogs/[o-.../]account/``: everything of one account."""
    parts = [prefix, "AWSLogs", organization, account]
    return "/".join(part for part in parts if part) + "/"


def log_key(
    *, prefix: str, organization: str, place: Place, folder: str, delivered: datetime, token: str
) -> str:
    """The key of a log file delivered at ``delivered`` (UTC).

    The path holds the day of delivery, not of the events; the name holds the
    five-minute slot the delivery fell into (the guide does not say which way
    AWS rounds; UNCONFIRMED, down keeps slot and path on the same day).
    """
    moment = delivered.astimezone(UTC)
    slot = moment.replace(minute=moment.minute - moment.minute % SLOT_MINUTES)
    return (
        f"{root(prefix, organization, place.account)}{folder}/{place.region}/{moment:%Y/%m/%d}/"
        f"{place.account}_{folder}_{place.region}_{slot:%Y%m%dT%H%MZ}_{token}.json.gz"
    )


def digest_folder(*, prefix: str, organization: str, place: Place) -> str:
    """The prefix under which all digests of an account and Region lie."""
    return f"{root(prefix, organization, place.account)}{DIGESTS}/{place.region}/"


def digest_key(
    *,
    prefix: str,
    organization: str,
    place: Place,
    trail: str,
    home_region: str,
    end: datetime,
    backfill: bool = False,
) -> str:
    """The key of the digest, or backfill digest, whose window ends at ``end`` (UTC, whole seconds)."""
    moment, late = end.astimezone(UTC), "_backfill" if backfill else ""
    return (
        f"{digest_folder(prefix=prefix, organization=organization, place=place)}{moment:%Y/%m/%d}/"
        f"{place.account}_{DIGESTS}_{place.region}_{trail}_{home_region}_{times.to_basic(moment)}{late}.json.gz"
    )


@lru_cache(maxsize=8192)  # a verifier looks at each key several times
def parse_log_key(key: str) -> LogKey:
    """Take a log file's key apart.

    Raises:
        FormatError: not the key of a log file.
    """
    match = _LOG.fullmatch(key)
    if match is None or match["folder"] == DIGESTS:
        raise FormatError(f"not the key of a log file: {key}")
    _slot(match["time"])
    place = Place(match["account"], match["region"])
    return LogKey(
        match["prefix"] or "",
        match["organization"] or "",
        place,
        match["folder"],
        match["time"],
        match["token"],
    )


def parse_digest_key(key: str) -> DigestKey:
    """Take a digest's key apart.

    Raises:
        FormatError: not the key of a digest file.
    """
    match = _DIGEST.fullmatch(key)
    if match is None or match["folder"] != DIGESTS:
        raise FormatError(f"not the key of a digest file: {key}")
    return DigestKey(
        prefix=match["prefix"] or "",
        organization=match["organization"] or "",
        place=Place(match["account"], match["region"]),
        trail=match["trail"],
        home_region=match["home"],
        end=times.from_basic(match["time"]),
        backfill=match["backfill"] is not None,
    )


def _slot(time: str) -> datetime:
    return times.from_basic(f"{time[:-1]}00Z")
