"""Records -> what was called in which minute, and by whom: what Insights sums.

Calls are counted exactly. Of who called, with what and on what, the most frequent
values of a file are kept: a bounded number of bytes, whatever the records hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec
from zlib_ng import zlib_ng

from opentrail.branches.history.attributes import Indexed

MANAGEMENT = "Management"
DATA = "Data"

# A DynamoDB item holds 400 KB, most of which the index of values may need.
MAX_CALLERS_BYTES = 40_000
# Insights show five values. Twice as many are kept, for the fifth of a week is not always among the five of
# every file; a file of very many APIs makes do with fewer.
_MOST_VALUES = (10, 5, 2)
_MAX_VALUE_CHARACTERS = 1024  # of a user agent, CloudTrail user guide, "record contents"
_LEVEL = 5  # of zlib-ng: as small as zlib's 6, in a third of its time
_MINUTE = len("2026-01-10T04:20")
_ROLE = ":assumed-role/"
_SESSION = re.compile(rf"(arn:[^:]+:sts::\d*{_ROLE}[^/]+)/.*", re.DOTALL)

_Watched = tuple[str, str, str]  # source, name, error code
_Minutes = dict[str, int]  # minute -> calls


class _Calls:
    """The calls of one API, an entry each: every record passes here, so what is made of them waits."""

    __slots__ = ("agents", "callers", "minutes", "resources", "touched_in")

    def __init__(self) -> None:
        self.minutes: list[str] = []
        self.callers: list[str] = []
        self.agents: list[str] = []
        self.resources: list[str] = []
        self.touched_in: list[str] = []  # the minutes of ``resources``

    def most_called(self, most: int) -> dict[str, dict[str, _Minutes]]:
        """By attribute, the values with most calls, and when those were."""
        found = {
            "userIdentityArn": _most_called(self.callers, self.minutes, most),
            "userAgent": _most_called(self.agents, self.minutes, most),
        }
        if self.resources:
            found["resourceArn"] = _most_called(self.resources, self.touched_in, most)
        return found


class Tally:
    """The counts of one file's events of one category.

    Source: CloudTrail user guide, "Logging Insights events": of management events, call rates are
    of writes and error rates of all; of data events, both are of all.
    """

    def __init__(self, category: str) -> None:
        self._category = category
        self._calls: dict[_Watched, _Calls] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, records: Iterable[Indexed]) -> None:
        """Count records."""
        category, every = self._category, self._category == DATA
        for record in records:
            if (record.category or MANAGEMENT) != category:
                continue
            if every or not record.read_only:
                self._count(record, "")
            if record.error_code:
                self._count(record, record.error_code)

    def _count(self, record: Indexed, code: str) -> None:
        watched = (record.source, record.name, code)
        calls = self._calls.get(watched)
        if calls is None:
            calls = self._calls[watched] = _Calls()
        minute = record.time[:_MINUTE]
        calls.minutes.append(minute)
        calls.callers.append(record.identity.arn)
        calls.agents.append(record.user_agent)
        if self._category == DATA:
            for arn in record.arns:
                calls.resources.append(arn)
                calls.touched_in.append(minute)

    def counts(self) -> bytes:
        """zlib of JSON: {"source\\nname\\nerrorCode": {"2026-01-10T04:20": 3}}."""
        series = {"\n".join(watched): _by_minute(calls.minutes) for watched, calls in self._calls.items()}
        return _pack(series)

    def callers(self) -> bytes:
        """zlib of JSON: {"source\\nname\\nerrorCode": {"userAgent": {"aws-cli": {"2026-01-10T04:20": 3}}}}.

        At most ``MAX_CALLERS_BYTES``; nothing when even two values of each would be more.
        """
        for most in _MOST_VALUES:
            shown = {"\n".join(watched): calls.most_called(most) for watched, calls in self._calls.items()}
            body = _pack(shown)
            if len(body) <= MAX_CALLERS_BYTES:
                return body
        return b""


def _by_minute(minutes: list[str]) -> _Minutes:
    """How often each stands there. Lists are short: a ``Counter`` takes longer to make than to fill."""
    found: _Minutes = {}
    for minute in minutes:
        found[minute] = found.get(minute, 0) + 1
    return found


def _most_called(values: list[str], minutes: list[str], most: int) -> dict[str, _Minutes]:
    """The most frequent of ``values`` by minute, most calls first, without absent ones."""
    names = {value: _shown(value) for value in set(values) if value}
    found: dict[str, _Minutes] = {}
    for value, minute in zip(values, minutes, strict=True):
        if value:
            name = names[value]
            of_name = found.get(name)
            if of_name is None:
                of_name = found[name] = {}
            of_name[minute] = of_name.get(minute, 0) + 1
    ranked = sorted(found, key=lambda name: (-sum(found[name].values()), name))
    return {name: found[name] for name in ranked[:most]}


def _pack(series: Mapping[str, object]) -> bytes:
    body: bytes = zlib_ng.compress(msgspec.json.encode(series), _LEVEL)
    return body


def _shown(value: str) -> str:
    """The session of a role as that role."""
    return (_SESSION.sub(r"\1", value) if _ROLE in value else value)[:_MAX_VALUE_CHARACTERS]
