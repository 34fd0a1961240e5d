"""A worker's output -> its log stream in CloudWatch Logs, framed as Lambda frames it.

Source: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs".
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from opentrail.local.worker import Answer

MAX_STREAM_EVENTS = 20_000  # the oldest go first: moto keeps everything, and a server may run for weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLog:
    """One log stream, of one worker."""

    account: str
    region: str
    group: str
    stream: str
    json_format: bool
    level: str  # application log level of the JSON format, "" = not set

    @classmethod
    def of(cls, function: Any, now: datetime) -> FunctionLog:
        """Name a new stream for a worker of ``function`` (moto's model)."""
        config = function.get_configuration().get("LoggingConfig") or {}
        return cls(
            account=function.account_id,
            region=function.region,
            group=config.get("LogGroup") or f"/aws/lambda/{function.function_name}",
            stream=f"{now:%Y/%m/%d}/[$LATEST]{uuid4().hex}",
            json_format=config.get("LogFormat") == "JSON",
            level=config.get("ApplicationLogLevel", ""),
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that tell the function about its log."""
        variables = {
            "AWS_LAMBDA_LOG_GROUP_NAME": self.group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
            "AWS_LAMBDA_LOG_FORMAT": "JSON" if self.json_format else "Text",
        }
        return {**variables, "AWS_LAMBDA_LOG_LEVEL": self.level} if self.level else variables

    def write(self, request_id: str, answer: Answer, memory_mib: int) -> None:
        """Store the output of one invocation, between Lambda's own START and REPORT lines."""
        from moto.logs.models import logs_backends

        backend = logs_backends[self.account][self.region]
        backend.ensure_log_group(self.group)
        if self.stream not in backend.groups[self.group].streams:
            backend.create_log_stream(self.group, self.stream)
        now = int(time.time() * 1000)
        lines = self._lines(request_id, answer, memory_mib, datetime.fromtimestamp(now / 1000, UTC))
        entries = [{"timestamp": now, "message": line} for line in lines]
        backend.put_log_events(self.group, self.stream, entries)
        events = backend.groups[self.group].streams[self.stream].events
        if len(events) > MAX_STREAM_EVENTS:
            del events[: MAX_STREAM_EVENTS // 2]

    def _lines(self, request_id: str, answer: Answer, memory_mib: int, now: datetime) -> list[str]:
        output = [line for line in answer.log.decode("utf-8", "replace").splitlines() if line]
        milliseconds = answer.seconds * 1000
        if self.json_format:
            status = "failure" if answer.error else "success"
            metrics = {"durationMs": round(milliseconds, 3), "memorySizeMB": memory_mib}
            started = {"requestId": request_id, "version": "$LATEST"}
            report = {"requestId": request_id, "metrics": metrics, "status": status}
            return [
                _platform("platform.start", started, now),
                *output,
                _platform("platform.report", report, now),
            ]
        return [
            f"START RequestId: {request_id} Version: $LATEST",
            *output,
            f"END RequestId: {request_id}",
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
            f"Billed Duration: {max(1, round(milliseconds))} ms\tMemory Size: {memory_mib} MB",
        ]


def _platform(kind: str, record: dict[str, Any], now: datetime) -> str:
    moment = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
    return json.dumps({"time": moment, "type": kind, "record": record})
