"""Records -> what was called in which minute, and by whom: what Insights sums.

Calls are counted exactly. Of who called, with what and on what, the most frequent
values of a file are kept: a bounded number of bytes, whatever the records hold.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from opentrail.branches.history.attributes import Indexed

MANAGEMENT = "Management"
DATA = "Data"

# A DynamoDB item holds 400 KB, most of which the index of values may need.
MAX_CALLERS_BYTES = 40_000
# Insights show five values. Twice as many are kept, for the fifth of a week is not always among the five of
# every file; a file of very many APIs makes do with fewer.
_MOST_VALUES = (10, 5, 2)
_MAX_VALUE_CHARACTERS = 1024  # of a user agent, CloudTrail user guide, "record contents"
_MINUTE = len("2026-01-10T04:20")
_SESSION = re.compile(r"(arn:[^:]+:sts::\d*:assumed-role/[^/]+)/.*", re.DOTALL)

_Watched = tuple[str, str, str]  # source, name, error code
_Values = dict[str, Counter[str]]  # value -> minute -> calls


class Tally:
    """The counts of one file's events of one category.

    Source: CloudTrail user guide, "Logging Insights events": of management events, call rates are
    of writes and error rates of all; of data events, both are of all.
    """

    def __init__(self, category: str) -> None:
        self._category = category
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self._callers: dict[_Watched, dict[str, _Values]] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, records: Iterable[Indexed]) -> None:
        """Count records."""
        for record in records:
            if (record.category or MANAGEMENT) == self._category:
                if self._category == DATA or not record.read_only:
                    self._count(record, "")
                if record.error_code:
                    self._count(record, record.error_code)

    def _count(self, record: Indexed, code: str) -> None:
        minute = record.time[:_MINUTE]
        self._counts[record.source, record.name, code, minute] += 1
        watched = (record.source, record.name, code)
        of_series = self._callers.get(watched)
        if of_series is None:
            of_series = self._callers[watched] = defaultdict(lambda: defaultdict(Counter))
        of_series["userIdentityArn"][record.identity.arn][minute] += 1
        of_series["userAgent"][record.user_agent][minute] += 1
        if self._category == DATA:
            for arn in record.arns:
                of_series["resourceArn"][arn][minute] += 1

    def counts(self) -> bytes:
        """zlib of JSON: {"source\\nname\\nerrorCode": {"2026-01-10T04:20": 3}}."""
        series: dict[str, dict[str, int]] = {}
        for (source, name, error, minute), count in self._counts.items():
            series.setdefault(f"{source}\n{name}\n{error}", {})[minute] = count
        return zlib.compress(msgspec.json.encode(series))

    def callers(self) -> bytes:
        """zlib of JSON: {"source\\nname\\nerrorCode": {"userAgent": {"aws-cli": {"2026-01-10T04:20": 3}}}}.

        At most ``MAX_CALLERS_BYTES``; nothing when even two values of each would be more.
        """
        merged = {"\n".join(watched): _merge(found) for watched, found in self._callers.items()}
        for most in _MOST_VALUES:
            shown = {name: dict(_most_called(found, most)) for name, found in merged.items()}
            body = zlib.compress(msgspec.json.encode(shown))
            if len(body) <= MAX_CALLERS_BYTES:
                return body
        return b""


def _merge(found: dict[str, _Values]) -> dict[str, _Values]:
    """The same, with the sessions of a role as that role, and without absent values."""
    merged: dict[str, _Values] = {}
    for attribute, values in found.items():
        of_attribute: _Values = defaultdict(Counter)
        for value, minutes in values.items():
            if value:
                of_attribute[_SESSION.sub(r"\1", value)[:_MAX_VALUE_CHARACTERS]].update(minutes)
        merged[attribute] = of_attribute
    return merged


def _most_called(found: dict[str, _Values], most: int) -> Iterator[tuple[str, dict[str, dict[str, int]]]]:
    for attribute, values in found.items():
        ranked = sorted(values.items(), key=lambda item: (-item[1].total(), item[0]))
        yield attribute, {value: dict(minutes) for value, minutes in ranked[:most]}
