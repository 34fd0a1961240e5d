"""Lambda: the functions deployed to moto, run for real in warm worker processes.

The code is what was deployed; the host's Python and this project's environment
stand in for the runtime and the layers. Credentials are those of the function's
own role, the endpoint is the laptop's.
"""

from __future__ import annotations

import base64
import io
import json
import os
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from uuid import uuid4

from opentrail.errors import StorageError
from opentrail.local.backends import every, existing
from opentrail.local.function_logs import FunctionLog
from opentrail.local.worker import Answer, Invocation, Launch, Worker

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024  # Lambda quotas: synchronous request and response
MAX_WORKERS = 4  # per function; callers beyond it wait
_LOG_TAIL_BYTES = 4096  # Lambda API reference, Invoke: LogType=Tail

Clients = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Fingerprint:
    """What a running worker was started with; a change means a cold start."""

    code: str
    handler: str
    role: str
    timeout: float
    memory: int
    environment: tuple[tuple[str, str], ...]


class FunctionRunner(Protocol):
    """Runs deployed functions; each ``function`` is moto's model of one."""

    def invoke(self, function: Any, payload: bytes) -> Answer:
        """Run it once and return its answer; never raises for its errors."""

    def warm(self, functions: list[Any]) -> None:
        """Make OpenTrail's own functions ready."""

    def stop(self) -> None:
        """Forget every running function."""

    def close(self) -> None:
        """Stop for good."""

    def describe(self) -> dict[str, int]:
        """Return how many workers each function has."""


class Functions:
    """Runs functions. Safe to share between threads; ``stop`` ends every worker."""

    def __init__(self, clients: Clients, endpoint: Callable[[], str]) -> None:
        self._clients = clients
        self._endpoint = endpoint
        self._directory = TemporaryDirectory(prefix="opentrail-")
        self._lock = threading.Lock()
        self._pools: dict[str, _Pool] = {}

    def invoke(self, function: Any, payload: bytes) -> Answer:
        """Run ``function`` (moto's model) once and return its answer; never raises for its errors."""
        if not (function.run_time or "").startswith("python"):
            return _refused(
                "Runtime.Unsupported", f"the laptop runs Python functions, not {function.run_time}"
            )
        pool = self._pool(function)
        worker, log = pool.acquire(function)
        invocation = Invocation(request_id=str(uuid4()), payload=payload or b"{}")
        answer = _refused("Runtime.Unknown", "the worker was not asked")
        try:
            answer = worker.run(invocation)
        finally:
            pool.release(worker, log, reuse=not answer.worker_lost)
        log.write(invocation.request_id, answer, int(function.memory_size))
        return _within_limit(answer)

    def warm(self, functions: list[Any]) -> None:
        """Start a worker of each function, so that their imports run side by side."""
        for function in functions:
            if (function.run_time or "").startswith("python"):
                pool = self._pool(function)
                pool.release(*pool.acquire(function), reuse=True)

    def stop(self) -> None:
        """End every worker; functions invoked later start new ones."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def close(self) -> None:
        """End every worker and remove the unzipped code."""
        self.stop()
        self._directory.cleanup()

    def describe(self) -> dict[str, int]:
        """Return how many workers each function has."""
        with self._lock:
            return {pool.name: pool.size for pool in self._pools.values()}

    def _pool(self, function: Any) -> _Pool:
        with self._lock:
            pool = self._pools.get(function.function_arn)
            if pool is None:
                pool = self._pools[function.function_arn] = _Pool(function.function_name, self._launch)
            return pool

    def _launch(self, function: Any) -> tuple[Worker, FunctionLog]:
        log = FunctionLog.of(function, datetime.now(UTC))
        launch = Launch(
            handler=function.handler,
            code=self._unzip(function),
            environment=self._environment(function, log),
            timeout=float(function.timeout),
            arn=function.function_arn,
        )
        return Worker(launch), log

    def _unzip(self, function: Any) -> Path:
        target = Path(self._directory.name) / f"{function.function_name}-{function.code_digest[-16:]}"
        with self._lock:
            if not target.exists():
                with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as package:
                    package.extractall(target)
        return target

    def _environment(self, function: Any, log: FunctionLog) -> dict[str, str]:
        # Not the host's environment: a profile or proxy of the user must not reach the function.
        inherited = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT")
        return {
            **{name: os.environ[name] for name in inherited if name in os.environ},
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "HOME": self._directory.name,
            "PYTHONDONTWRITEBYTECODE": "1",
            **{str(name): str(value) for name, value in (function.environment_vars or {}).items()},
            **self._reserved(function, log),
        }

    def _reserved(self, function: Any, log: FunctionLog) -> dict[str, str]:
        credentials = self._credentials(function)
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_ENDPOINT_URL": self._endpoint(),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            **log.environment(),
        }

    def _credentials(self, function: Any) -> dict[str, str]:
        sts = self._clients("sts", account=function.account_id, region=function.region)
        answer = sts.assume_role(RoleArn=function.role, RoleSessionName=function.function_name[:64])
        credentials: dict[str, str] = answer["Credentials"]
        return credentials


class _Pool:
    """The workers of one function: idle ones are used again, changed functions start afresh."""

    def __init__(self, name: str, launch: Callable[[Any], tuple[Worker, FunctionLog]]) -> None:
        self.name = name
        self.size = 0
        self._launch = launch
        self._changed = threading.Condition()
        self._idle: list[tuple[Worker, FunctionLog]] = []
        self._busy: dict[int, Worker] = {}
        self._stale: set[int] = set()  # busy workers that must not be used again
        self._fingerprint: _Fingerprint | None = None
        self._closed = False

    def acquire(self, function: Any) -> tuple[Worker, FunctionLog]:
        with self._changed:
            self._refresh(function)
            while not self._idle and self.size >= _limit(function):
                self._changed.wait()
            if self._closed:
                raise StorageError(f"invoke {self.name}: the runtime is stopping", "ServiceException")
            found = self._idle.pop() if self._idle else None
            if found is None:
                self.size += 1
        worker, log = found or self._new(function)
        with self._changed:
            self._busy[id(worker)] = worker
        return worker, log

    def _new(self, function: Any) -> tuple[Worker, FunctionLog]:
        try:
            return self._launch(function)
        except BaseException:
            with self._changed:
                self.size -= 1
                self._changed.notify()
            raise

    def release(self, worker: Worker, log: FunctionLog, *, reuse: bool) -> None:
        with self._changed:
            self._busy.pop(id(worker), None)
            keep = reuse and worker.alive and id(worker) not in self._stale and not self._closed
            self._stale.discard(id(worker))
            if keep:
                self._idle.append((worker, log))
            else:
                self.size -= 1
            self._changed.notify()
        if not keep:
            worker.stop()

    def _refresh(self, function: Any) -> None:
        current = _fingerprint(function)
        if current != self._fingerprint:
            self._fingerprint = current
            self._stale.update(self._busy)
            retired, self._idle = self._idle, []
        else:
            retired = [entry for entry in self._idle if not entry[0].alive]
            self._idle = [entry for entry in self._idle if entry[0].alive]
        self.size -= len(retired)
        for worker, _ in retired:
            worker.stop()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            ended = [*(worker for worker, _ in self._idle), *self._busy.values()]
            self._idle = []
            self._changed.notify_all()
        for worker in ended:
            worker.stop()


def _limit(function: Any) -> int:
    reserved = function.reserved_concurrency
    return max(1, min(MAX_WORKERS, int(reserved))) if reserved else MAX_WORKERS


def _fingerprint(function: Any) -> _Fingerprint:
    return _Fingerprint(
        code=function.code_digest,
        handler=function.handler,
        role=function.role,
        timeout=float(function.timeout),
        memory=int(function.memory_size),
        environment=tuple(sorted((function.environment_vars or {}).items())),
    )


def _refused(kind: str, reason: str) -> Answer:
    body = json.dumps({"errorType": kind, "errorMessage": reason}).encode()
    return Answer(payload=body, error="Unhandled", worker_lost=True)


def _within_limit(answer: Answer) -> Answer:
    if len(answer.payload) <= MAX_PAYLOAD_BYTES:
        return answer
    return _refused(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes).",
    )


def log_tail(answer: Answer) -> str:
    """Return the last 4 KB of the log in base64, as Invoke's LogResult has it."""
    return base64.b64encode(answer.log[-_LOG_TAIL_BYTES:]).decode()


def find_function(arn_or_name: str, *, account: str = "", region: str = "") -> Any:
    """Return moto's function of an ARN (with or without version), or of a name in ``account`` and ``region``.

    Raises:
        StorageError: code ``ResourceNotFoundException``.
    """
    from moto.awslambda.models import lambda_backends

    name = arn_or_name
    if arn_or_name.startswith("arn:"):
        _, _, _, region, account, _, name = arn_or_name.split(":", 6)
    backend = existing(lambda_backends, account, region)
    for function in backend.list_functions() if backend else ():
        if function.function_name == name.split(":", 1)[0]:
            return function
    raise StorageError(f"invoke {arn_or_name}: no such function", "ResourceNotFoundException")


def deployed_functions() -> list[Any]:
    """Return every function of every account and Region."""
    from moto.awslambda.models import lambda_backends

    return [function for backend in every(lambda_backends) for function in backend.list_functions()]
