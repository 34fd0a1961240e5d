"""Digest files -> findings: each one by itself, then each one against the one before it.

Source: CloudTrail user guide, "Custom implementations of CloudTrail log file
integrity validation"; what goes beyond it is marked in ``Problem``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from opentrail.errors import FormatError
from opentrail.format import digest_file, keys, log_file, times
from opentrail.format.digest_file import Digest
from opentrail.model.digest import Link
from opentrail.model.report import Finding, Kind, Problem
from opentrail.pipeline.validate.signature import generated_at, signature_problems
from opentrail.pipeline.validate.stored import PublicKey, StoredObject

# Far above any digest (one of 2,000 files has a megabyte), far below what would fill a verifier's memory.
MAX_DIGEST_BYTES = 256_000_000


class CheckedDigest(msgspec.Struct, frozen=True, kw_only=True):
    """A digest that was looked at by itself. ``digest`` is ``None`` when it could not be read."""

    stored: StoredObject
    digest: Digest | None
    sha256: str
    findings: tuple[Finding, ...]


def check_digest(stored: StoredObject, public_keys: Mapping[str, PublicKey]) -> CheckedDigest:
    """Judge one digest by itself: its bytes, its place, its key, its signature, its times.

    Args:
        stored: as fetched.
        public_keys: by fingerprint, all that may have signed.
    """
    if stored.body is None:
        return _unreadable(stored, Problem.NOT_FOUND)
    try:
        document = _unpack(stored.body)
        digest = digest_file.parse_digest(document)
        digest_file.refuse_repeated_members(document)
        times.from_iso(digest.start)
        ended = times.from_iso(digest.end).timestamp()
        made = generated_at(stored) or ended
    except FormatError as error:
        if Problem.TRAILING_DATA in str(error):
            return _unreadable(stored, Problem.TRAILING_DATA)
        return _unreadable(stored, Problem.INVALID_FORMAT, str(error))
    problems = [
        *_place_problems(stored, digest),
        *signature_problems(stored, digest, document, public_keys, made),
        *_content_problems(digest),
    ]
    if made < ended:
        problems.append((Problem.WRONG_WINDOW, "it was made before its window ended"))
    return CheckedDigest(
        stored=stored,
        digest=digest,
        sha256=log_file.sha256_hex(document),
        findings=tuple(_finding(stored, problem, detail) for problem, detail in problems),
    )


def _unpack(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):  # plain JSON is no digest: validate-logs refuses it too
        raise FormatError("not gzip")
    return log_file.decompress(body, limit=MAX_DIGEST_BYTES)


def check_chain(checked: Sequence[CheckedDigest], *, backfill: bool = False) -> list[Finding]:
    """Judge digests against each other.

    A starting digest, which names no predecessor, may follow a gap: logging was
    stopped in between. Every other one must continue the one before it. Every
    digest that is missing in between is named, as far as windows are regular.

    Args:
        checked: of one chain, oldest first, the unreadable ones included.
        backfill: the chain of late files, whose windows need not touch.
    """
    checked = _members(checked)
    period = _period_of(checked)
    present = {(c.stored.bucket, c.stored.key) for c in checked}
    findings: list[Finding] = []
    for older, newer in pairwise(checked):
        if newer.digest is None:
            continue
        if newer.digest.previous_key is None:
            if not backfill and older.digest is not None and newer.digest.start < older.digest.end:
                findings.append(_finding(newer.stored, Problem.NOT_CONTIGUOUS, "it begins too early"))
            continue
        named = (newer.digest.previous_bucket or "", newer.digest.previous_key)
        if named == (older.stored.bucket, older.stored.key):
            problems = _link_problems(older, newer.digest, backfill=backfill)
            findings += [_finding(newer.stored, problem) for problem in problems]
        elif named in present:
            findings.append(
                _finding(newer.stored, Problem.PREVIOUS_PLACE, f"it names s3://{'/'.join(named)}")
            )
        else:
            findings += _missing_between(older.stored.key, named, period)
            findings.append(Finding(Kind.DIGEST, *named, Problem.NOT_FOUND))
    return findings


def _members(checked: Sequence[CheckedDigest]) -> list[CheckedDigest]:
    """``checked`` without what was only put in between: copies that no digest names or follows.

    They are findings by themselves; the chain is judged as if they were not there.
    """
    digests = [c.digest for c in checked if c.digest is not None]
    named = {(digest.previous_bucket, digest.previous_key) for digest in digests}
    starts = {digest.start for digest in digests}
    return [
        c
        for c in checked
        if all(finding.problem is not Problem.MOVED for finding in c.findings)
        or (c.stored.bucket, c.stored.key) in named
        or _end_of(c.stored.key) in starts
    ]


def _end_of(key: str) -> str:
    try:
        return times.to_iso(keys.parse_digest_key(key).end)
    except FormatError:
        return ""


def gaps_of(checked: Sequence[CheckedDigest]) -> list[str]:
    """Where a chain ends and a new one begins, in validate-logs' words. Not a fault: logging was stopped."""
    pairs = ((older.digest, newer.digest) for older, newer in pairwise(checked))
    return [
        f"No log files were delivered by CloudTrail between {older.end} and {newer.start}"
        for older, newer in pairs
        if older is not None and newer is not None and newer.previous_key is None and older.end < newer.start
    ]


def _period_of(checked: Sequence[CheckedDigest]) -> timedelta | None:
    """The length of most windows, the longest where several are as frequent."""
    lengths = Counter(
        times.from_iso(c.digest.end) - times.from_iso(c.digest.start) for c in checked if c.digest is not None
    )
    return max(lengths, key=lambda length: (lengths[length], length), default=None)


def _missing_between(
    older_key: str, named: tuple[str, str], period: timedelta | None, problem: Problem = Problem.NOT_FOUND
) -> list[Finding]:
    """Findings for the digests that must have lain between a present one and a missing one.

    A digest's name is its window's end. Where whole windows do not fill the time
    in between, the names cannot be known, and none is made up.
    """
    bucket, newer_key = named
    try:
        older, newer = keys.parse_digest_key(older_key), keys.parse_digest_key(newer_key)
    except FormatError:
        return []
    if not period or period <= timedelta() or newer.end <= older.end or (newer.end - older.end) % period:
        return []
    count = (newer.end - older.end) // period - 1
    return [
        Finding(Kind.DIGEST, bucket, key, problem, "by the windows around it")
        for key in (_key_at(newer, older.end + period * i) for i in range(1, count + 1))
    ]


def _key_at(like: keys.DigestKey, end: datetime) -> str:
    return keys.digest_key(
        prefix=like.prefix,
        organization=like.organization,
        place=like.place,
        trail=like.trail,
        home_region=like.home_region,
        end=end,
    )


def check_head(checked: Sequence[CheckedDigest], head: Link) -> list[Finding]:
    """Judge a chain against a head that is kept elsewhere: digests cut off its end show up here.

    Args:
        checked: of one chain, oldest first, up to now.
        head: the newest digest, from the ledger or an anchor.
    """
    same = next((c for c in checked if c.stored.key == head.key and c.stored.body is not None), None)
    if same is not None:
        unchanged = same.sha256 == head.sha256
        return [] if unchanged else [_finding(same.stored, Problem.HASH_DIFFERS, "of the anchored head")]
    lost = Finding(Kind.DIGEST, head.bucket, head.key, Problem.NOT_FOUND, "the anchored head")
    newest = next((c.stored for c in reversed(_members(checked)) if c.stored.body is not None), None)
    if newest is None:
        return [lost]
    missing = _missing_between(newest.key, (head.bucket, head.key), _period_of(checked))
    return [_finding(newest, Problem.MISSING_DIGESTS, f"the head is {head.key}"), *missing, lost]


def _place_problems(stored: StoredObject, digest: Digest) -> Iterator[tuple[Problem, str]]:
    if (digest.bucket, digest.key) != (stored.bucket, stored.key):
        yield Problem.MOVED, f"from s3://{digest.bucket}/{digest.key}"
        return
    try:
        parsed = keys.parse_digest_key(digest.key)
    except FormatError as error:
        yield Problem.WRONG_PLACE, str(error)
        return
    if (parsed.place.account, times.to_iso(parsed.end)) != (digest.account, digest.end):
        yield Problem.WRONG_PLACE, f"it says {digest.account} and {digest.end}"
    if not parsed.backfill and digest.key != _key_at(parsed, parsed.end):
        yield Problem.WRONG_PLACE, "it lies in the folder of another day"


def _content_problems(digest: Digest) -> Iterator[tuple[Problem, str]]:
    newest = max((f.newest for f in digest.files if f.newest), default=None)
    oldest = min((f.oldest for f in digest.files if f.oldest), default=None)
    if (digest.newest, digest.oldest) != (newest, oldest):
        yield Problem.WRONG_TIMES, ""
    if any(f.hash_algorithm != digest_file.HASH_ALGORITHM for f in digest.files):
        yield Problem.ALGORITHM, "of a listed file"
    if digest.end <= digest.start:
        yield Problem.WRONG_WINDOW, f"{digest.start} to {digest.end}"
    named = (digest.previous_bucket, digest.previous_key, digest.previous_sha256, digest.previous_signature)
    if None in named and any(named):
        yield Problem.PREVIOUS_PLACE, "it names a part of it only"
    if digest.previous_key and digest.previous_hash_algorithm != digest_file.HASH_ALGORITHM:
        yield Problem.ALGORITHM, "of the previous digest"
    for file in digest.files:
        if _elsewhere(file.key, digest.key):
            yield Problem.WRONG_PLACE, f"it lists {file.key}"


def _elsewhere(log_key: str, digest_key: str) -> bool:
    """True for a log file of another account or Region than the digest's own."""
    try:
        return keys.parse_log_key(log_key).place != keys.parse_digest_key(digest_key).place
    except FormatError:
        return False  # what is no CloudTrail key is judged where it lies


def _link_problems(older: CheckedDigest, newer: Digest, *, backfill: bool) -> Iterator[Problem]:
    if older.digest is None:
        return
    if newer.previous_sha256 != older.sha256:
        yield Problem.PREVIOUS_HASH
    if newer.previous_signature != older.stored.metadata.get(digest_file.SIGNATURE_METADATA):
        yield Problem.PREVIOUS_SIGNATURE
    if not backfill and newer.start != older.digest.end:
        yield Problem.NOT_CONTIGUOUS


def _finding(stored: StoredObject, problem: Problem, detail: str = "") -> Finding:
    return Finding(Kind.DIGEST, stored.bucket, stored.key, problem, detail)


def _unreadable(stored: StoredObject, problem: Problem, detail: str = "") -> CheckedDigest:
    return CheckedDigest(stored=stored, digest=None, sha256="", findings=(_finding(stored, problem, detail),))
