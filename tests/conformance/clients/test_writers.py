"""Several writers at once through the api function: one consistent state, whoever wins."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from lambdas.api.handler import Endpoint
from tests.conformance.clients.conftest import BUCKET
from tests.conformance.clients.gateway import ACCOUNT, USER

WRITERS = 4


def call(function: Endpoint, operation: str, **members: Any) -> tuple[str, dict[str, Any]]:
    """The error's code, or "", and the answer."""
    request = {
        "routeKey": f"POST /{operation}",
        "headers": {},
        "requestContext": {"authorizer": {"iam": {"accountId": ACCOUNT, "userArn": USER}}},
        "body": json.dumps(members),
    }
    reply = function.answer(request, datetime.now(UTC))
    answer: dict[str, Any] = json.loads(reply.body)
    return answer.get("__type", ""), answer


def at_once(write: Callable[[int], tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Run ``write(0)``, ``write(1)``... in threads that begin together."""
    ready = threading.Barrier(WRITERS)

    def run(number: int) -> tuple[str, Any]:
        ready.wait()
        return write(number)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(run, range(WRITERS)))


def test_a_trail_created_several_times_at_once_is_created_once(function: Endpoint) -> None:
    answers = at_once(
        lambda n: call(function, "CreateTrail", Name="audit", S3BucketName=BUCKET, S3KeyPrefix="")
    )

    codes = Counter(code for code, _ in answers)
    assert codes == {"": 1, "TrailAlreadyExistsException": WRITERS - 1}
    assert len(call(function, "ListTrails")[1]["Trails"]) == 1


def test_writers_of_different_settings_lose_none_of_them(function: Endpoint) -> None:
    call(function, "CreateTrail", Name="audit", S3BucketName=BUCKET)
    writes: list[tuple[str, dict[str, Any]]] = [
        ("UpdateTrail", {"Name": "audit", "IsMultiRegionTrail": True}),
        ("UpdateTrail", {"Name": "audit", "EnableLogFileValidation": True}),
        ("StartLogging", {"Name": "audit"}),
        ("PutInsightSelectors", {"TrailName": "audit", "InsightSelectors": [insight("ApiCallRateInsight")]}),
    ]

    answers = at_once(lambda n: call(function, writes[n][0], **writes[n][1]))

    # A writer that keeps losing is told to come again; what was answered with success is there.
    told = {writes[n][0] + str(n) for n, (code, _) in enumerate(answers) if not code}
    trail = call(function, "GetTrail", Name="audit")[1]["Trail"]
    state = {
        "UpdateTrail0": trail["IsMultiRegionTrail"],
        "UpdateTrail1": trail["LogFileValidationEnabled"],
        "StartLogging2": call(function, "GetTrailStatus", Name="audit")[1]["IsLogging"],
        "PutInsightSelectors3": trail["HasInsightSelectors"],
    }
    assert {name for name, there in state.items() if there} == told
    assert {code for code, _ in answers} <= {"", "ConflictException", "ThrottlingException"}


def test_writers_of_one_setting_leave_what_one_of_them_wrote(function: Endpoint) -> None:
    call(function, "CreateTrail", Name="audit", S3BucketName=BUCKET)

    def select(number: int) -> tuple[str, Any]:
        kind = "ReadOnly" if number % 2 else "WriteOnly"
        chosen = {"ReadWriteType": kind, "IncludeManagementEvents": True, "DataResources": []}
        return call(function, "PutEventSelectors", TrailName="audit", EventSelectors=[chosen])

    answers = at_once(select)

    (stored,) = call(function, "GetEventSelectors", TrailName="audit")[1]["EventSelectors"]
    written = {answer["EventSelectors"][0]["ReadWriteType"] for code, answer in answers if not code}
    assert stored["ReadWriteType"] in written


def insight(kind: str) -> dict[str, str]:
    return {"InsightType": kind}
