"""Which key signs when, how keys follow one another, and what rotations in each other's way do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentrail.errors import ConflictError, StorageError
from opentrail.model.signing_key import SigningKey
from opentrail.pipeline.digest import key_for, rotate, windows_of
from opentrail.pipeline.digest.keyring import MARGIN
from opentrail.pipeline.digest.rotate import LEASE

CREATED = datetime(2026, 1, 10, 4, 20, tzinfo=UTC)
DAY = timedelta(days=1)


class Registry:
    """The register in memory. ``before_save`` lets somebody else go first, once."""

    def __init__(self) -> None:
        self.keys: dict[int, SigningKey] = {}
        self.rival: SigningKey | None = None

    def entries(self) -> list[SigningKey]:
        return [self.keys[number] for number in sorted(self.keys)]

    def save(self, key: SigningKey) -> SigningKey:
        if self.rival is not None:
            self.keys[self.rival.number], self.rival = self.rival, None
        stored = self.keys.get(key.number)
        if (stored.version if stored else 0) != key.version:
            raise ConflictError("somebody else wrote first")
        self.keys[key.number] = saved = SigningKey(
            number=key.number,
            version=key.version + 1,
            claimed_at=key.claimed_at,
            key_id=key.key_id,
            spki=key.spki,
            since=key.since,
            planned_until=key.planned_until,
        )
        return saved


class Maker:
    """KMS in memory; ``mute`` makes it refuse what it names."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.mute = ""

    def first(self) -> tuple[str, datetime]:
        return "key-1", CREATED

    def make(self, number: int) -> str:
        if self.mute == "make":
            raise StorageError("create signing key: LimitExceededException", "LimitExceededException")
        self.made.append(f"key-{number}")
        return self.made[-1]

    def public_key(self, key_id: str) -> bytes:
        if self.mute == "public_key":
            raise StorageError("get public key: AccessDeniedException", "AccessDeniedException")
        return key_id.encode()


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def maker() -> Maker:
    return Maker()


def numbers(registry: Registry) -> list[tuple[int, bool]]:
    return [(key.number, key.ready) for key in registry.entries()]


def test_the_key_of_the_deployment_becomes_the_first(registry: Registry, maker: Maker) -> None:
    assert rotate(registry, maker, now=CREATED + 29.9 * DAY, days=30) is None

    (first,) = registry.entries()
    assert (first.number, first.key_id, first.spki) == (1, "key-1", b"key-1")
    assert (first.since, first.planned_until) == (CREATED.timestamp(), (CREATED + 30 * DAY).timestamp())
    assert maker.made == []


@pytest.mark.parametrize(
    ("after", "days", "made"),
    [(29.9, 30, []), (30, 30, ["key-2"]), (7, 7, ["key-2"]), (3650, 0, []), (300, 30, ["key-2"])],
)
def test_a_key_is_followed_when_it_has_served_its_days(
    registry: Registry, maker: Maker, after: float, days: int, made: list[str]
) -> None:
    rotate(registry, maker, now=CREATED + after * DAY, days=days)
    rotate(registry, maker, now=CREATED + after * DAY + timedelta(hours=1), days=days)

    assert maker.made == made


def test_a_key_can_be_followed_at_once(registry: Registry, maker: Maker) -> None:
    key = rotate(registry, maker, now=CREATED + DAY, days=30, at_once=True)

    assert key == registry.entries()[-1]
    assert numbers(registry) == [(1, True), (2, True)]


def test_of_two_rotations_at_once_one_makes_a_key(registry: Registry, maker: Maker) -> None:
    rotate(registry, maker, now=CREATED, days=30)
    registry.rival = SigningKey(number=2, version=1, claimed_at=(CREATED + 30 * DAY).timestamp())

    with pytest.raises(ConflictError):
        rotate(registry, maker, now=CREATED + 30 * DAY, days=30)

    assert maker.made == []


@pytest.mark.parametrize("refused", ["make", "public_key"])
def test_a_rotation_that_broke_off_is_finished_by_a_later_one(
    registry: Registry, maker: Maker, refused: str
) -> None:
    rotate(registry, maker, now=CREATED, days=30)
    maker.mute = refused
    now = CREATED + 30 * DAY
    with pytest.raises(StorageError):
        rotate(registry, maker, now=now, days=30)
    broken = numbers(registry)
    maker.mute = ""

    key = rotate(registry, maker, now=now + LEASE, days=30)

    assert broken == [(1, True), (2, False)]
    assert (key and key.number, maker.made) == (2, ["key-2"])
    assert key is not None
    assert key.since == (now + LEASE).timestamp()


def test_a_claim_that_may_still_be_worked_on_is_left_alone(registry: Registry, maker: Maker) -> None:
    maker.mute = "make"
    with pytest.raises(StorageError):
        rotate(registry, maker, now=CREATED + 30 * DAY, days=30)
    maker.mute = ""

    with pytest.raises(ConflictError, match="another rotation is making key 2"):
        rotate(registry, maker, now=CREATED + 30 * DAY + LEASE / 2, days=30)

    assert maker.made == []


def rotated(*after_days: float) -> list[SigningKey]:
    """Keys made so many days after the first."""
    registry, maker = Registry(), Maker()
    rotate(registry, maker, now=CREATED, days=30)
    for days in after_days:
        rotate(registry, maker, now=CREATED + days * DAY, days=30, at_once=True)
    return registry.entries()


@pytest.mark.parametrize(
    ("end", "number"), [(-400, 1), (0, 1), (29.9, 1), (30, 2), (59.9, 2), (60, 3), (6000, 3)]
)
def test_a_digest_is_signed_with_the_key_that_was_current_at_its_end(end: float, number: int) -> None:
    assert key_for(rotated(30, 60), CREATED + end * DAY).number == number


@given(gaps=st.lists(st.floats(0.01, 60), max_size=6), end=st.floats(-0.9, 400), late=st.floats(0, 90))
def test_every_signing_key_is_valid_at_the_end_of_its_digest(
    gaps: list[float], end: float, late: float
) -> None:
    """However late the next rotation is."""
    keys = rotated(*(sum(gaps[: i + 1]) for i in range(len(gaps))))
    now = CREATED + max(end, sum(gaps)) * DAY + late * DAY
    moment = CREATED + end * DAY

    windows = windows_of(keys, now)

    signing = key_for(keys, moment).number
    assert [w.valid_from <= moment <= w.valid_to for w in windows if w.key.number == signing] == [True]
    assert all(newer.valid_from <= older.valid_to - 2 * MARGIN for older, newer in pairwise(windows))


def test_windows_overlap_by_the_margins_and_the_newest_is_open_until_its_successor_is_due() -> None:
    first, second = windows_of(rotated(30), CREATED + 31 * DAY)

    assert (first.valid_from, first.valid_to) == (CREATED - MARGIN, CREATED + 30 * DAY + MARGIN)
    assert (second.valid_from, second.valid_to) == (
        CREATED + 30 * DAY - MARGIN,
        CREATED + 60 * DAY + MARGIN,
    )


def test_a_key_whose_successor_is_late_stays_valid() -> None:
    (only,) = windows_of(rotated(), CREATED + 200 * DAY)

    assert only.valid_to == CREATED + 200 * DAY + MARGIN
