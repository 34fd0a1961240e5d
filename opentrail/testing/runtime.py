"""The laptop runtime inside a test process: everything on the caller's thread, nothing on its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock, local
from typing import TYPE_CHECKING, Any

from opentrail.errors import OpenTrailError, StorageError
from opentrail.local.call import Captured
from opentrail.local.deployer.state import StackStores
from opentrail.local.queues import find_queue
from opentrail.local.runtime import Options, Runtime, deploy_stacks, own_services
from opentrail.local.transport import Clients
from opentrail.testing.functions import DeferredInvoker, InProcessFunctions

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MAX_ROUNDS = 16  # of functions, queues and pipeline that feed one another


class InProcessRuntime(Runtime):
    """A runtime whose functions run in this process and whose queues are only moved by ``settle``.

    Attributes:
        captured: every record since the start, in the order in which its call ended.
    """

    asynchronous: DeferredInvoker

    def __init__(self, options: Options) -> None:
        self.captured: list[Captured] = []
        self._recording = Lock()
        self._quiet = local()
        super().__init__(options, deploy=_deploy_once, services=own_services)

    def recorded(self, captured: Captured) -> None:
        """Keep the record and put it on the default bus, in one step: the order is the same in both."""
        if getattr(self._quiet, "on", False):
            return
        with self._recording:
            self.captured.append(captured)
            super().recorded(captured)

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Record nothing that this thread calls in the block."""
        self._quiet.on = True
        try:
            yield
        finally:
            self._quiet.on = False

    def settle(self) -> None:
        """Let happen whatever the calls so far have set off.

        Raises:
            OpenTrailError: there is no end to it.
        """
        for number in range(MAX_ROUNDS):
            moved = self.asynchronous.run_all() + self._drain_users_queues(retry=number == 0)
            counts = self.drain()
            if moved + counts["events"] + counts["chunks"] == counts["failed"]:
                return
        raise OpenTrailError(f"rules and functions still set off one another after {MAX_ROUNDS} rounds")

    def _drain_users_queues(self, *, retry: bool) -> int:
        self.pollers.refresh()
        own = {self._queue("IntakeQueueUrl"), self._queue("DeliveryQueueUrl")}
        queues = {mapping["queue"] for mapping in self.pollers.describe()} - own
        drained = [self.pollers.drain(queue, retry=retry) for queue in sorted(queues)]
        return sum(batch.taken - batch.failed for batch in drained)

    def _make_moto(self) -> WSGIApplication:
        return _moto()

    def _make_clients(self) -> Clients:
        return _clients(self.options.account, self.options.region)

    def _make_functions(self) -> InProcessFunctions:
        as_role = self._clients_of_role if self.options.iam else None
        return InProcessFunctions(self.clients, self.lambda_clients, as_role)

    def _clients_of_role(self, credentials: Mapping[str, str]) -> Clients:
        """Clients through the gateway, where each call is judged."""
        return Clients(
            lambda environ, start: self.app(environ, start),
            account=self.options.account,
            region=self.options.region,
            access_key=credentials["AccessKeyId"],
            secret_key=credentials["SecretAccessKey"],
            session_token=credentials["SessionToken"],
            act_as_account=False,
        )

    def _make_invoker(self) -> DeferredInvoker:
        return DeferredInvoker(self.functions.invoke, lambda arn, body: self.targets.send(arn, body))

    def _set_in_motion(self) -> None:
        """Nothing moves before ``settle``."""


@cache
def _moto() -> WSGIApplication:
    # One for the whole run: it builds an application per service, which takes longer than most tests.
    from opentrail.local.runtime import _moto_application

    return _moto_application()


@cache
def _clients(account: str, region: str) -> Clients:
    return Clients(_moto(), account=account, region=region)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deployed:
    """The deployment of an earlier test, and something of it that lives in moto."""

    outputs: Mapping[str, Mapping[str, str]]
    stacks: StackStores
    intake_arn: str
    intake: Any

    def is_there(self) -> bool:
        try:
            return find_queue(self.intake_arn) is self.intake
        except StorageError:
            return False


_last: list[_Deployed] = []


def _deploy_once(runtime: Runtime) -> Mapping[str, Mapping[str, str]]:
    """Deploy, unless a ``mock_aws`` around several tests kept the deployment of the one before."""
    if _last and _last[-1].is_there():
        runtime.stacks = _last[-1].stacks
        return _last[-1].outputs
    outputs = deploy_stacks(runtime)
    runtime.outputs = {name: value for stack in outputs.values() for name, value in stack.items()}
    arn = runtime._queue("IntakeQueueUrl")
    _last[:] = [_Deployed(outputs=outputs, stacks=runtime.stacks, intake_arn=arn, intake=find_queue(arn))]
    return outputs
