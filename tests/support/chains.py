"""The digest stage in memory: a ledger, a store, a key and a clock that only tests move."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from opentrail.branches.history import count_data_events
from opentrail.format import digest_file, log_file
from opentrail.model.digest import Chain
from opentrail.model.event import Place
from opentrail.model.log_file import Destination
from opentrail.model.trail import Trail
from opentrail.pipeline.deliver import deliver_chunks
from opentrail.pipeline.digest import Closing, Keyring, close_windows
from opentrail.pipeline.validate import StoredObject
from tests.support.fakes import FakeAnchor, FakeLedger, FakeSigner, FakeStore, describe, make_tokens
from tests.support.values import HOME, START, make_chunk, make_trail

PERIOD = 3600
SETTLE = 120


class Digests:
    """Trails, their files and their chains."""

    def __init__(self, *trails: Trail, ledger: FakeLedger | None = None) -> None:
        self.trails = {trail.arn: trail for trail in trails or (make_trail(),)}
        self.ledger = ledger or FakeLedger()
        self.store = FakeStore()
        self.anchor = FakeAnchor()
        self.signer = FakeSigner()
        self.now = START
        self._tokens = make_tokens()
        self._numbers = iter(range(100_000))

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def change(self, **changes: Any) -> Trail:
        """The trail ``main`` with these fields, and its validation as its API would note it."""
        (arn,) = self.trails
        trail = make_trail(**{**_fields(self.trails[arn]), **changes})
        self.trails[arn] = trail
        return trail

    def stop(self) -> None:
        self.change(logging=False, stopped_at=self.now.timestamp())

    def start(self) -> None:
        self.change(logging=True, started_at=self.now.timestamp())

    def deliver(self, count: int = 1, place: Place = HOME, trail: Trail | None = None) -> list[str]:
        """``count`` files, each of one record; answer their keys."""
        keys = []
        for _ in range(count):
            chunk = make_chunk(
                f"e{next(self._numbers)}",
                place=place,
                destinations=(_destination(trail or next(iter(self.trails.values()))),),
            )
            done = deliver_chunks(
                [chunk],
                ledger=self.ledger,
                store=self.store,
                describe=describe,
                count=count_data_events,
                now=self.now,
                new_token=self._tokens,
                max_file_bytes=50_000_000,
                settle_seconds=SETTLE,
            )
            keys += [stored.file.key for stored in done.stored]
        return keys

    def abandon(self) -> None:
        """Begin a file whose object never comes."""
        bucket = next(iter(self.trails.values())).bucket
        self.store.closed.add(bucket)
        self.deliver()
        self.store.closed.discard(bucket)

    def store_late(self) -> list[str]:
        """Store, at last, what the buckets refused; answer the keys."""
        late, self.store.refused = self.store.refused, {}
        self.store.objects.update(late)
        return [key for _, key in late]

    def close(
        self,
        *,
        close_now: bool = False,
        keyring: Keyring | None = None,
        has_time: Callable[[], bool] = lambda: True,
    ) -> Closing:
        return close_windows(
            self.trails.values(),
            ledger=self.ledger,
            store=self.store,
            anchor=self.anchor,
            keyring=keyring or self.signer,
            now=self.now,
            period_seconds=PERIOD,
            settle_seconds=SETTLE,
            close_now=close_now,
            has_time=has_time,
        )

    def stored(self, place: Place = HOME) -> list[StoredObject]:
        """The digests of ``place``, oldest first."""
        sign = f"/CloudTrail-Digest/{place.region}/"
        found = [stored for (_, key), stored in self.store.objects.items() if sign in key]
        standard = [stored for stored in found if not stored.key.endswith(digest_file.BACKFILL_SUFFIX)]
        return sorted(standard, key=lambda stored: stored.key[-24:-8])

    def backfill(self, place: Place = HOME) -> list[StoredObject]:
        """The backfill digests of ``place``, oldest first."""
        sign = f"/CloudTrail-Digest/{place.region}/"
        found = [stored for (_, key), stored in self.store.objects.items() if sign in key]
        late = [stored for stored in found if stored.key.endswith(digest_file.BACKFILL_SUFFIX)]
        return sorted(late, key=lambda stored: stored.key[-33:-17])

    def documents(self, place: Place = HOME) -> list[dict[str, Any]]:
        """What those digests say."""
        return [_document(stored) for stored in self.stored(place)]

    def late(self, place: Place = HOME) -> list[dict[str, Any]]:
        """What the backfill digests say."""
        return [_document(stored) for stored in self.backfill(place)]

    def windows(self, place: Place = HOME) -> list[tuple[str, str]]:
        """Begin and end of those digests, as times of the day."""
        return [(d["digestStartTime"][11:19], d["digestEndTime"][11:19]) for d in self.documents(place)]

    def listed(self, place: Place = HOME) -> list[list[str]]:
        """The log files each of those digests lists."""
        return [[file["s3Object"] for file in d["logFiles"]] for d in self.documents(place)]

    def starting(self, place: Place = HOME) -> list[bool]:
        """Which of those digests name no predecessor."""
        return [d["previousDigestSignature"] is None for d in self.documents(place)]

    def chain(self, place: Place = HOME) -> Chain:
        return next(chain for chain in self.ledger.chains() if chain.place == place)


def _document(stored: StoredObject) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(log_file.decompress(stored.body or b""))
    return document


def _fields(trail: Trail) -> dict[str, Any]:
    return {name: getattr(trail, name) for name in trail.__struct_fields__}


def _destination(trail: Trail) -> Destination:
    since = max(trail.started_at, trail.validation_since) if trail.log_file_validation else 0.0
    return Destination(
        name=trail.arn,
        bucket=trail.bucket,
        prefix=trail.prefix,
        kms_key_arn=trail.kms_key_arn,
        digested_since=since,
    )
