"""Log files against the digests that list them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from opentrail.errors import FormatError
from opentrail.format import log_file
from opentrail.format.digest_file import Digest, ListedFile
from opentrail.model.report import Finding, Kind, Problem


def check_log(listed: ListedFile, body: bytes | None) -> Finding | None:
    """Judge one log file by its hash; ``None`` when it is the one that was listed.

    Args:
        listed: what the digest says of it.
        body: the object as fetched, ``None`` when it is not there.
    """
    if body is None:
        return _finding(listed, Problem.NOT_FOUND)
    try:
        document = log_file.decompress(body)
    except FormatError as error:
        trailing = Problem.TRAILING_DATA in str(error)
        return _finding(listed, Problem.TRAILING_DATA if trailing else Problem.INVALID_FORMAT)
    if log_file.sha256_hex(document) != listed.sha256:
        return _finding(listed, Problem.HASH_DIFFERS)
    return None


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
