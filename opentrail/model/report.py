"""A verifier's verdict. Made by validate, printed by the command line, published by operations."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Problem(StrEnum):
    """What can be wrong with a trail's files.

    The first group is worded as ``aws cloudtrail validate-logs`` words it; that
    command does not notice the second.
    """

    NOT_FOUND = "not found"
    INVALID_FORMAT = "invalid format"
    BAD_SIGNATURE = "signature verification failed"
    MOVED = "has been moved from its original location"
    UNKNOWN_KEY = "public key not found"
    BAD_KEY = "Unable to load PKCS #1 key"
    HASH_DIFFERS = "hash value doesn't match"
    TRAILING_DATA = "unexpected data after end of compressed stream"

    PREVIOUS_HASH = "previous digest's hash is not the one it names"
    PREVIOUS_SIGNATURE = "previous digest's signature is not the one it names"
    PREVIOUS_PLACE = "previous digest is not the one it names"
    KEY_OUTSIDE_WINDOW = "signed with a key that was not valid at its end time"
    ALGORITHM = "names another algorithm than SHA256withRSA and SHA-256"
    NOT_CONTIGUOUS = "window does not begin where the one before it ended"
    MISSING_DIGESTS = "digests are missing after it"
    WRONG_PLACE = "its account, Region or time is not that of its key"
    LISTED_TWICE = "listed in more than one digest"
    NOT_LISTED = "in the bucket, but no digest lists it"
    WRONG_TIMES = "newest or oldest event time is not that of its files"
    WRONG_WINDOW = "window does not end after it begins"
    TREE_ROOT = "its records do not make the tree it names"
    TREE_LINK = "its tree does not continue the one before it"
    NO_DIGESTS = "no digest of this account and Region is there"
    NOT_ANCHORED = "no anchored head leads to it"
    LEDGER_BEHIND = "anchored, but the ledger does not go so far"
    NOT_LOCKED = "not retained as long or as strictly as Object Lock should have it"


class Kind(StrEnum):
    """What kind of file a finding is about."""

    DIGEST = "Digest file"
    LOG = "Log file"
    TREE = "Tree head"


class Finding(msgspec.Struct, frozen=True):
    """One thing wrong with one file."""

    kind: Kind
    bucket: str
    key: str
    problem: Problem
    detail: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        if self.problem in (Problem.UNKNOWN_KEY, Problem.BAD_KEY):
            detail = f" {self.detail}"  # "in region R for fingerprint F" belongs to the sentence
        return f"{self.kind}\ts3://{self.bucket}/{self.key}\tINVALID: {self.problem}{detail}"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict over one chain, or all of a trail's, and a span of time."""

    trail_arn: str
    account: str = ""  # "" in a report on several chains
    region: str = ""
    start: str
    end: str
    digests: int
    digests_valid: int
    logs: int
    logs_valid: int
    findings: tuple[Finding, ...]
    backfill_digests: int = 0
    backfill_digests_valid: int = 0
    tree_heads: int = 0
    tree_heads_valid: int = 0
    notes: tuple[str, ...] = ()  # true and worth knowing, but nothing wrong

    @property
    def proven(self) -> bool:
        """True when there was something to prove and nothing was wrong."""
        return self.digests > 0 and not self.findings
