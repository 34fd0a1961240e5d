"""Keys of log files and digests: what is written is what is read."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import FormatError
from opentrail.format import keys
from opentrail.model.event import Place

PLACE = Place("111122223333", "us-east-1")
MOMENT = datetime(2026, 1, 10, 4, 23, 59, tzinfo=UTC)

LOG = (
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/10/"
    "111122223333_CloudTrail_us-east-1_20260110T0420Z_9nYN7gp2eWAJHIfT.json.gz"
)
DIGEST = (
    "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/01/10/"
    "111122223333_CloudTrail-Digest_us-east-1_main_eu-west-1_20260110T042359Z.json.gz"
)

words = st.text("abcXYZ019-._", min_size=1, max_size=8)
prefixes = st.lists(words, max_size=3).map("/".join)
organizations = st.just("") | st.from_regex(r"o-[a-z0-9]{10,32}", fullmatch=True)
regions = st.sampled_from(["us-east-1", "eu-west-3", "us-gov-west-1", "ap-southeast-4"])
places = st.builds(Place, st.from_regex(r"[0-9]{12}", fullmatch=True), regions)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
tokens = st.from_regex(r"[A-Za-z0-9]{16}", fullmatch=True)
trails = st.from_regex(r"[A-Za-z0-9]([._-]?[A-Za-z0-9]){2,20}", fullmatch=True)


def test_a_log_file_lies_where_the_guide_says() -> None:
    key = keys.log_key(
        prefix="",
        organization="",
        place=PLACE,
        folder="CloudTrail",
        delivered=MOMENT,
        token="9nYN7gp2eWAJHIfT",
    )

    assert key == LOG


def test_a_digest_lies_where_the_guide_says() -> None:
    key = keys.digest_key(
        prefix="", organization="", place=PLACE, trail="main", home_region="eu-west-1", end=MOMENT
    )

    assert key == DIGEST


def test_prefix_and_organization_come_before_the_account() -> None:
    assert keys.root("a/b", "o-abcdefghij", "111122223333") == "a/b/AWSLogs/o-abcdefghij/111122223333/"


def test_path_and_slot_are_of_the_utc_day_of_delivery() -> None:
    late = datetime(2026, 1, 10, 20, 59, tzinfo=timezone(timedelta(hours=-4)))

    key = keys.log_key(
        prefix="", organization="", place=PLACE, folder="CloudTrail", delivered=late, token="t"
    )

    assert key == LOG.replace("/01/10/", "/01/11/").replace(
        "20260110T0420Z_9nYN7gp2eWAJHIfT", "20260111T0055Z_t"
    )


@given(
    prefix=prefixes,
    organization=organizations,
    place=places,
    folder=st.sampled_from([keys.LOGS, keys.INSIGHTS, keys.NETWORK]),
    delivered=moments,
    token=tokens,
)
def test_a_log_key_is_read_back(
    prefix: str, organization: str, place: Place, folder: str, delivered: datetime, token: str
) -> None:
    key = keys.log_key(
        prefix=prefix, organization=organization, place=place, folder=folder, delivered=delivered, token=token
    )

    read = keys.parse_log_key(key)

    assert (read.prefix, read.organization, read.place) == (prefix, organization, place)
    assert (read.folder, read.token) == (folder, token)
    assert timedelta(0) <= delivered - read.delivered < timedelta(minutes=keys.SLOT_MINUTES)


@given(prefix=prefixes, organization=organizations, place=places, trail=trails, home=regions, end=moments)
def test_a_digest_key_is_read_back(
    prefix: str, organization: str, place: Place, trail: str, home: str, end: datetime
) -> None:
    key = keys.digest_key(
        prefix=prefix, organization=organization, place=place, trail=trail, home_region=home, end=end
    )

    read = keys.parse_digest_key(key)

    assert (read.prefix, read.organization, read.place) == (prefix, organization, place)
    assert (read.trail, read.home_region, read.backfill) == (trail, home, False)
    assert read.end == end.replace(microsecond=0)


@given(prefix=prefixes, place=places, trail=trails, end=moments)
def test_the_aws_cli_finds_its_time_at_a_fixed_place_of_a_digest_key(
    prefix: str, place: Place, trail: str, end: datetime
) -> None:
    key = keys.digest_key(
        prefix=prefix, organization="", place=place, trail=trail, home_region="us-east-1", end=end
    )

    assert re.fullmatch(r"\d{8}T\d{6}Z", key[-24:-8])
    assert key.startswith(keys.digest_folder(prefix=prefix, organization="", place=place))


def test_a_backfill_digest_is_told_from_a_standard_one() -> None:
    read = keys.parse_digest_key(DIGEST.replace(".json.gz", "_backfill.json.gz"))

    assert (read.backfill, read.trail, read.end) == (True, "main", MOMENT)


def test_only_insights_and_network_events_have_folders_of_their_own() -> None:
    categories = ("Management", "Data", "Insight", "NetworkActivity", "anything")

    folders = [keys.folder_of(category) for category in categories]

    assert folders == [
        "CloudTrail",
        "CloudTrail",
        "CloudTrail-Insight",
        "CloudTrail-NetworkActivity",
        "CloudTrail",
    ]


ODD_LOG_KEYS = {
    "empty": "",
    "a digest": DIGEST,
    "a line end after it": LOG + "\n",
    "other digits than ASCII's": LOG.replace("111122223333", "１１１１２２２２３３３３"),
    "two accounts": LOG.replace("/111122223333_", "/111122223334_"),
    "two Regions": LOG.replace("_us-east-1_", "_us-east-2_"),
    "no token": LOG.replace("_9nYN7gp2eWAJHIfT", ""),
    "not gzip": LOG.removesuffix(".gz"),
    "a time that is none": LOG.replace("T0420Z", "T9920Z"),
    "something behind": LOG + ".bak",
}


@pytest.mark.parametrize("key", ODD_LOG_KEYS.values(), ids=ODD_LOG_KEYS.keys())
def test_what_is_no_key_of_a_log_file_is_a_format_error(key: str) -> None:
    with pytest.raises(FormatError):
        keys.parse_log_key(key)


ODD_DIGEST_KEYS = {
    "empty": "",
    "a log file": LOG,
    "a line end after it": DIGEST + "\n",
    "other digits than ASCII's": DIGEST.replace("20260110T", "２０２６０１１０T"),
    "two Regions": DIGEST.replace("_us-east-1_", "_us-east-2_"),
    "no home Region": DIGEST.replace("_eu-west-1", ""),
    "a time that is none": DIGEST.replace("T042359Z", "T992359Z"),
}


@pytest.mark.parametrize("key", ODD_DIGEST_KEYS.values(), ids=ODD_DIGEST_KEYS.keys())
def test_what_is_no_key_of_a_digest_is_a_format_error(key: str) -> None:
    with pytest.raises(FormatError):
        keys.parse_digest_key(key)


@given(key=st.text() | st.from_regex(keys._LOG) | st.from_regex(keys._DIGEST))
def test_reading_any_key_lets_only_format_errors_out(key: str) -> None:
    for read in (keys.parse_log_key, keys.parse_digest_key):
        with suppress(FormatError):
            assert read(key).place.account.isascii()
