"""Lambda in this process: who runs a function, and what becomes of its errors."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from opentrail.errors import OpenTrailError
from opentrail.local.asynchronous import AsyncInvoker
from opentrail.local.remediation import is_playbook
from opentrail.local.worker import Answer
from opentrail.testing.code import unzipped
from opentrail.testing.front import clients_of
from opentrail.testing.own_functions import OwnFunction
from opentrail.testing.user_functions import UserFunction

# How often functions may set off one another. Lambda developer guide, "Use Lambda recursive loop detection".
MAX_LOOPS = 16
_DAY_MILLISECONDS = 86_400_000

Clients = Callable[..., Any]
AsRole = Callable[[Mapping[str, str]], Clients]
log = logging.getLogger(__name__)


class InProcessFunctions:
    """Runs functions; those it is asked to ``warm`` are OpenTrail's own."""

    def __init__(self, clients: Clients, as_lambda: Clients, as_role: AsRole | None = None) -> None:
        """``clients(service, region=, account=)`` answers clients below the gateway, ``as_lambda``
        such whose calls are recorded as Lambda's. With ``as_role`` OpenTrail's own functions, too,
        call as their roles."""
        self._clients = clients
        self._as_role = as_role
        self._as_lambda = as_lambda
        self._own: dict[str, OwnFunction | None] = {}  # None: not used yet
        self._users: dict[tuple[str, ...], UserFunction] = {}

    def warm(self, functions: list[Any]) -> None:
        """Know OpenTrail's own functions (moto's models); each is loaded when it is first needed."""
        self._own.update(dict.fromkeys(function.function_arn for function in functions))

    def invoke(self, function: Any, payload: bytes) -> Answer:
        """Run ``function`` (moto's model) once; an error it raises becomes Lambda's answer to it."""
        if not (function.run_time or "").startswith("python"):
            return _failure("Runtime.Unsupported", f"cannot run {function.run_time}, only Python functions")
        context = Context.of(function)
        try:
            answer = self._runnable(function)(json.loads(payload or b"{}"), context)
            return Answer(payload=json.dumps(answer).encode())
        except (Exception, SystemExit) as error:
            log.error("function %s failed", function.function_name, exc_info=error)
            return _failure(type(error).__name__, str(error), context.aws_request_id, error)

    def stop(self) -> None:
        """Forget the execution environments."""
        self._own.clear()
        self._users.clear()

    def close(self) -> None:
        """Forget the execution environments."""
        self.stop()

    def describe(self) -> dict[str, int]:
        """Return no workers: there are none."""
        return {}

    def _runnable(self, function: Any) -> Callable[[Any, Any], Any]:
        if function.function_arn not in self._own and not is_playbook(function):
            return self._user(function)
        own = self._own.get(function.function_arn)
        if own is None:
            own = self._own[function.function_arn] = OwnFunction(function, self._clients_of(function))
        return own

    def _clients_of(self, function: Any) -> Clients:
        """Below the gateway, but for playbooks: their calls are recorded, as those of their role."""
        if not is_playbook(function):
            return self._as_role(self._credentials(function)) if self._as_role else self._clients
        return clients_of(self._credentials(function), function.account_id, function.region)

    def _user(self, function: Any) -> UserFunction:
        variables = {str(name): str(value) for name, value in (function.environment_vars or {}).items()}
        key = (function.function_arn, function.code_digest, function.handler, function.role, str(variables))
        found = self._users.get(key)
        if found is None:
            found = self._users[key] = UserFunction(
                handler=function.handler,
                code=unzipped(function),
                environment={**variables, **self._reserved(function)},
            )
        return found

    def _credentials(self, function: Any) -> dict[str, str]:
        sts = self._as_lambda("sts", account=function.account_id, region=function.region)
        answer = sts.assume_role(RoleArn=function.role, RoleSessionName=function.function_name[:64])
        credentials: dict[str, str] = answer["Credentials"]
        return credentials

    def _reserved(self, function: Any) -> dict[str, str]:
        credentials = self._credentials(function)
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "LAMBDA_TASK_ROOT": str(unzipped(function)),
        }


class DeferredInvoker(AsyncInvoker):
    """Asynchronous invocations wait until ``run_all``, which runs them in the caller's thread."""

    def __init__(self, invoke: Callable[[Any, bytes], Answer], send: Callable[[str, bytes], None]) -> None:
        super().__init__(invoke, send)
        self._waiting: list[tuple[Any, bytes]] = []

    def submit(self, function: Any, payload: bytes) -> None:
        """Take an event and return."""
        self._waiting.append((function, payload))

    def run_all(self) -> int:
        """Run what waits and what that sets off, in the order it came; return how many events.

        Raises:
            OpenTrailError: there is no end to it.
        """
        done = 0
        for _ in range(MAX_LOOPS):
            if not self._waiting:
                return done
            generation, self._waiting = self._waiting, []
            for function, payload in generation:
                self.process(function, payload)
            done += len(generation)
        names = ", ".join(sorted({function.function_name for function, _ in self._waiting}))
        self._waiting.clear()
        if names:
            raise OpenTrailError(f"functions set off one another without end: {names}")
        return done

    def stop(self) -> None:
        """Drop what waits."""
        self._waiting.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Lambda's context object, for Python.

    Source: Lambda developer guide, "Using the Lambda context object to retrieve Python function information".
    """

    aws_request_id: str
    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    identity: None = None
    client_context: None = None

    @classmethod
    def of(cls, function: Any) -> Context:
        """Return the context of a new invocation of ``function`` (moto's model)."""
        return cls(
            aws_request_id=str(uuid4()),
            function_name=function.function_name,
            function_version="$LATEST",
            invoked_function_arn=function.function_arn,
            memory_limit_in_mb=str(function.memory_size),
            log_group_name=f"/aws/lambda/{function.function_name}",
            log_stream_name="in-process",
        )

    def get_remaining_time_in_millis(self) -> int:
        """Return a day: nobody waits for a timeout here."""
        return _DAY_MILLISECONDS


def _failure(kind: str, message: str, request_id: str = "", error: BaseException | None = None) -> Answer:
    body: dict[str, Any] = {"errorMessage": message, "errorType": kind, "requestId": request_id}
    if error is not None:
        body["stackTrace"] = traceback.format_tb(error.__traceback__)
    return Answer(payload=json.dumps(body).encode(), error="Unhandled")
