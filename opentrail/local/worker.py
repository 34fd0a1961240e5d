"""One execution environment of a Lambda function: a process that runs the real ``awslambdaric``.

The process asks a small HTTP server on loopback for its next event and posts the
answer back, which is the Lambda Runtime API. A worker handles one event at a time
and is thrown away after a timeout or an exit, as Lambda does.

Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

API = "/2018-06-01/runtime/"
INIT_SECONDS = 60.0  # Lambda allows 10 s; a laptop that starts many processes at once is slower
MAX_LOG_BYTES = 1_048_576  # kept of one invocation's output
_READ_BYTES = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What it takes to start a worker."""

    handler: str  # "lambdas.deliver.handler.handler"
    code: Path  # the unzipped deployment package
    environment: Mapping[str, str]
    timeout: float  # seconds
    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event for a worker."""

    request_id: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of an invocation. ``error`` is "" or Lambda's FunctionError, "Unhandled"."""

    payload: bytes
    error: str = ""
    log: bytes = b""
    seconds: float = 0.0
    worker_lost: bool = False


@dataclass(frozen=True, slots=True)
class _Taken:
    """Signal: the worker finished its initialisation and took the event."""


class Worker:
    """A process with its Runtime API server. ``run`` may be called by one thread at a time."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._events: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._signals: queue.SimpleQueue[_Taken | Answer] = queue.SimpleQueue()
        self._server = _RuntimeServer(self)
        self._process = self._start()
        self._output = _Output(self._process)
        threading.Thread(target=self._server.serve_forever, args=(0.5,), daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """False once the process has ended."""
        return self._process.poll() is None

    def _start(self) -> subprocess.Popen[bytes]:
        environment = dict(self._launch.environment)
        environment["AWS_LAMBDA_RUNTIME_API"] = f"127.0.0.1:{self._server.server_port}"
        environment["_HANDLER"] = self._launch.handler
        environment["LAMBDA_TASK_ROOT"] = str(self._launch.code)
        return subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", self._launch.handler],
            cwd=self._launch.code,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C belongs to the server, which ends its workers itself
        )

    def run(self, invocation: Invocation) -> Answer:
        """Handle one event: the function's answer, or Lambda's own error for a timeout or an exit."""
        started = time.monotonic()
        self._events.put(invocation)
        answer = self._await(invocation)
        if answer.worker_lost:
            self.stop()
        return Answer(
            payload=answer.payload,
            error=answer.error,
            log=self._output.take(),
            seconds=time.monotonic() - started,
            worker_lost=answer.worker_lost,
        )

    def _await(self, invocation: Invocation) -> Answer:
        limit = INIT_SECONDS
        while True:
            try:
                signal = self._signals.get(timeout=limit)
            except queue.Empty:
                return _lost(invocation, "Sandbox.Timedout", f"Task timed out after {limit:.2f} seconds")
            if isinstance(signal, Answer):
                if signal.payload:
                    return signal
                return _lost(invocation, "Runtime.ExitError", self._exit_reason())
            limit = self._launch.timeout

    def _exit_reason(self) -> str:
        code = self._process.wait()
        if code == 0:
            return "Runtime exited without providing a reason"
        return f"Runtime exited with error: {f'signal {-code}' if code < 0 else f'exit status {code}'}"

    def _watch(self) -> None:
        self._output.follow()
        self._process.wait()
        # An empty payload stands for "the process ended": a function cannot answer with nothing.
        self._signals.put(Answer(payload=b"", worker_lost=True))

    def stop(self) -> None:
        """End the process and its server; twice is harmless."""
        if self.alive:
            self._process.kill()
        self._process.wait()
        self._events.put(None)
        # Its loop notices within half a second, which nobody should have to wait for.
        threading.Thread(target=self._server.close, daemon=True).start()

    def next_event(self) -> tuple[Invocation, int] | None:
        """Block until there is an event; return it with its deadline (epoch ms), or None at the end."""
        invocation = self._events.get()
        if invocation is None:
            return None
        self._signals.put(_Taken())
        return invocation, int((time.time() + self._launch.timeout) * 1000)

    def answered(self, answer: Answer) -> None:
        """Take the function's answer from the Runtime API."""
        self._signals.put(answer)

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self._launch.arn


def _lost(invocation: Invocation, kind: str, reason: str) -> Answer:
    message = {"errorType": kind, "errorMessage": f"RequestId: {invocation.request_id} Error: {reason}"}
    return Answer(payload=json.dumps(message).encode(), error="Unhandled", worker_lost=True)


class _Output:
    """What the process prints, collected by a thread and complete whenever somebody asks."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            raise ValueError("the worker's output must be a pipe")
        self._pipe = process.stdout
        self._lock = threading.Lock()
        self._collected = bytearray()
        os.set_blocking(self._pipe.fileno(), False)

    def follow(self) -> None:
        """Read until the process closes its output."""
        import select

        while True:
            select.select([self._pipe], [], [])
            with self._lock:
                if not self._read():
                    self._pipe.close()
                    return

    def _read(self) -> bool:
        # Until the pipe is empty; False at its end.
        while True:
            try:
                chunk = os.read(self._pipe.fileno(), _READ_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            self._collected += chunk[: max(0, MAX_LOG_BYTES - len(self._collected))]

    def take(self) -> bytes:
        """Return and forget everything printed so far.

        The process writes before it answers, so what it printed for an event is in the pipe
        when its answer is here, even if the following thread has not run yet.
        """
        with self._lock:
            if not self._pipe.closed:
                self._read()
            taken = bytes(self._collected)
            self._collected.clear()
        return taken


class _RuntimeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, worker: Worker) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeHandler)
        self.worker = worker

    def close(self) -> None:
        """End the loop and free the port."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A worker that was killed leaves broken connections behind: nothing to report."""


class _RuntimeHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet

    @property
    def _worker(self) -> Worker:
        server: Any = self.server
        worker: Worker = server.worker
        return worker

    def do_GET(self) -> None:
        """``invocation/next``."""
        if not self.path.startswith(f"{API}invocation/next"):
            self._reply(404, b"{}")
            return
        event = self._worker.next_event()
        if event is None:
            self.close_connection = True
            return
        invocation, deadline = event
        self._reply(
            200,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline),
                "Lambda-Runtime-Invoked-Function-Arn": self._worker.arn,
            },
        )

    def do_POST(self) -> None:
        """``invocation/ID/response``, ``invocation/ID/error``, ``init/error``."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._reply(202, b'{"status":"OK"}')
        self.wfile.flush()
        if self.path.endswith("/response"):
            self._worker.answered(Answer(payload=body or b"null"))
        elif self.path.endswith("/init/error"):
            self._worker.answered(Answer(payload=body or b"{}", error="Unhandled", worker_lost=True))
        else:
            self._worker.answered(Answer(payload=body or b"{}", error="Unhandled"))

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the server prints one line in all."""
