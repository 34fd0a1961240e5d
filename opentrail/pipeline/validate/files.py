"""Log files against the digests that list them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from isal import isal_zlib

from opentrail.format.digest_file import Digest, ListedFile
from opentrail.format.log_file import GZIP_ERRORS
from opentrail.model.report import Finding, Kind, Problem

_GZIP_WBITS = 31  # with a gzip header and trailer
_PIECE_BYTES = 1 << 20  # inflated at a time: a file that inflates to gigabytes takes time, not memory


class LogCheck:
    """One log file, judged piece by piece as it arrives. Memory stays at about a megabyte."""

    def __init__(self, listed: ListedFile) -> None:
        self._listed = listed
        self._hash = hashlib.sha256()
        self._stream = isal_zlib.decompressobj(wbits=_GZIP_WBITS)
        self._problem: Problem | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the stored object."""
        if self._problem is not None:
            return
        try:
            self._inflate(piece)
        except GZIP_ERRORS:
            self._problem = Problem.INVALID_FORMAT

    def _inflate(self, piece: bytes) -> None:
        while piece and not self._stream.eof:
            self._hash.update(self._stream.decompress(piece, _PIECE_BYTES))
            piece = self._stream.unconsumed_tail
        if self._stream.eof and (piece or self._stream.unused_data):
            self._problem = Problem.TRAILING_DATA

    def finish(self) -> Finding | None:
        """The verdict; ``None`` when it is the file that was listed."""
        if self._problem is None:
            try:
                self._settle()
            except GZIP_ERRORS:
                self._problem = Problem.INVALID_FORMAT
        return _finding(self._listed, self._problem) if self._problem is not None else None

    def _settle(self) -> None:
        while not self._stream.eof and (held_back := self._stream.decompress(b"", _PIECE_BYTES)):
            self._hash.update(held_back)
        if self._hash.hexdigest() != self._listed.sha256:
            self._problem = Problem.HASH_DIFFERS  # one that ends early, too, as validate-logs has it
        elif not self._stream.eof:
            self._problem = Problem.INVALID_FORMAT  # all is there but the end of the gzip stream


def missing_log(listed: ListedFile) -> Finding:
    """The verdict on a listed file that is not there."""
    return _finding(listed, Problem.NOT_FOUND)


def check_log(listed: ListedFile, body: bytes | None) -> Finding | None:
    """Judge one log file by its hash; ``None`` when it is the one that was listed.

    Args:
        listed: what the digest says of it.
        body: the object as fetched, ``None`` when it is not there.
    """
    if body is None:
        return missing_log(listed)
    check = LogCheck(listed)
    check.feed(body)
    return check.finish()


def check_listing(
    digests: Sequence[Digest], others: Iterable[Digest], found: Iterable[tuple[str, str]]
) -> list[Finding]:
    """Judge the bucket against the digests: every log file is in one digest, and in one only.

    Args:
        digests: of the chain, every one that may list one of ``found``.
        others: of other trails that deliver to the same place.
        found: (bucket, key) of the log files that lie in the bucket.
    """
    listed = Counter(_places(digests))
    foreign = set(_places(others))
    twice = [(place, Problem.LISTED_TWICE) for place, count in listed.items() if count > 1]
    never = [(place, Problem.NOT_LISTED) for place in found if place not in listed and place not in foreign]
    return [Finding(Kind.LOG, bucket, key, problem) for (bucket, key), problem in (*twice, *never)]


def _places(digests: Iterable[Digest]) -> Iterator[tuple[str, str]]:
    return ((file.bucket, file.key) for digest in digests for file in digest.files)


def _finding(listed: ListedFile, problem: Problem) -> Finding:
    return Finding(Kind.LOG, listed.bucket, listed.key, problem)
