"""The laptop runtime: moto behind the gateway, and what moves the deployed pipeline.

Composition only. One instance serves one process, because it takes over moto,
whose state is global.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentrail.errors import OpenTrailError, StorageError
from opentrail.local import moto_patches
from opentrail.local.asynchronous import AsyncInvoker
from opentrail.local.call import Call, Captured, Counters, Reply, ServiceHandler
from opentrail.local.deployer.state import StackState, StackStores
from opentrail.local.draining import drain_line
from opentrail.local.events import Bus, Collector
from opentrail.local.export import Export
from opentrail.local.functions import FunctionRunner, Functions, deployed_functions, find_function
from opentrail.local.insights import look_for_insights
from opentrail.local.installation import functions_of, is_own, is_seldom, outputs_of
from opentrail.local.invocations import answer_invocation
from opentrail.local.parts import deploy_stacks, own_services, packaged_assembly
from opentrail.local.pollers import Pollers
from opentrail.local.queues import find_queue
from opentrail.local.remediation import is_playbook
from opentrail.local.schedules import Schedules
from opentrail.local.service_calls import LAMBDA, service_clients
from opentrail.local.targets import Targets
from opentrail.local.transport import Clients

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Outputs = dict[str, str]
Deploy = Callable[["Runtime"], Mapping[str, Mapping[str, str]]]
Services = Callable[["Runtime"], Mapping[str, ServiceHandler]]

HOUR_SECONDS = 3600

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What ``opentrail up`` was asked for."""

    account: str = "123456789012"
    region: str = "us-east-1"
    delivery_seconds: int = 1
    digest_seconds: int = HOUR_SECONDS
    lookups_per_second: int = 0  # before LookupEvents is throttled; 0 = never
    export: Path | None = None  # a directory for copies of the delivered files
    detections: bool = False  # the packaged rules in Sigma are deployed, too
    ingest: bool = False  # a source bucket is made, and its stack deployed
    remediation: str = ""  # "observe" or "enforce": playbooks are deployed, too
    assembly: Path | None = None  # a CDK cloud assembly; None = the one in the package
    iam: bool = False  # judge every call by the policies of its caller and its resource
    bare: bool = False  # deploy nothing: somebody does it through CloudFormation's API


class Runtime:
    """Everything behind the endpoint.

    ``start`` deploys and begins to poll; ``stop`` ends workers and threads, twice is
    harmless. The instance is a WSGI application.

    Args:
        options: see there.
        deploy: deploys the stacks through ``runtime.clients``, returns outputs by stack.
        services: handlers of the services we serve ourselves, by botocore's service name.
    """

    def __init__(self, options: Options, *, deploy: Deploy, services: Services) -> None:
        self.options = options
        self.endpoint = "http://localhost"  # the server corrects it before the start
        self.outputs: Outputs = {}
        self.ready = False
        self.counters = Counters()
        self._deploy = deploy
        self._make_services = services
        self._services: dict[str, ServiceHandler] = {}
        self.stacks = StackStores()
        self._own_stacks: frozenset[str] = frozenset()  # names of those deployed at the start
        self._cloudformation: ServiceHandler | None = None
        self._unrecorded: frozenset[str] = frozenset()
        self._flushing = threading.Lock()
        self._flushed: dict[str, int] = {}  # what flushes have reported, by event source mapping
        self._starting = threading.Lock()
        self._moto = self._make_moto()
        self.clients = self._make_clients()
        self.lambda_clients = service_clients(self, LAMBDA)
        self.functions = self._make_functions()
        self.asynchronous = self._make_invoker()
        self.targets = Targets(self.asynchronous.submit)
        self.bus = Bus(self.targets)
        self.pollers = Pollers(self.functions.invoke)
        self.schedules = Schedules(self.bus, call_api=self._call_api, clock=lambda: datetime.now(UTC))
        moto_patches.install(self, default_account=options.account)
        self.app = self._gateway()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request as the gateway does, without the admin routes."""
        return self.app(environ, start_response)

    def start(self) -> None:
        """Deploy the stacks and set everything in motion.

        Raises:
            DeployError: a template asks for something the laptop cannot build.
        """
        with self._starting:
            began = time.monotonic()
            deployed = {} if self.options.bare else self._deploy(self)
            self._own_stacks = frozenset(deployed)
            outputs = {name: value for own in deployed.values() for name, value in own.items()}
            self._adopt(outputs, [] if self.options.bare else deployed_functions())
            self._set_in_motion()
            self.ready = True
            log.info("deployed in %.1f s", time.monotonic() - began)

    def _adopt(self, outputs: Outputs, functions: list[Any]) -> None:
        """Serve the deployment with these outputs and functions as this laptop's OpenTrail."""
        self.outputs = outputs
        own = [function for function in functions if not is_playbook(function)]
        self._unrecorded = frozenset(function.role for function in own)
        self.functions.warm([function for function in own if not is_seldom(function)])
        services = self._make_services(self)
        for name in self._services.keys() - services.keys():
            del self._services[name]
        self._services.update(services)
        self._override_digest_period()
        self._collect_everywhere()

    def stack_changed(self, account: str, region: str, stack: StackState) -> None:
        """Follow a deployment through CloudFormation's API, when it is one of OpenTrail's own stacks."""
        at_home = (account, region) == (self.options.account, self.options.region)
        if not at_home or not self._is_own(stack):
            return
        own = [one for one in self.stacks.at(account, region) if self._is_own(one)]
        self._adopt(outputs_of(own), functions_of(own, account=account, region=region))

    def _is_own(self, stack: StackState) -> bool:
        return stack.name in self._own_stacks or is_own(stack)

    @property
    def cloudformation(self) -> ServiceHandler:
        """CloudFormation's API, over the same stacks as the deployment at the start."""
        if self._cloudformation is None:
            from opentrail.local.cloudformation import cloudformation_service

            self._cloudformation = cloudformation_service(
                gateway=lambda: self.app,
                moto=self._moto,
                below=lambda *a, **k: self.clients(*a, **k),
                endpoint=lambda: self.endpoint,
                stores=self.stacks,
                changed=self.stack_changed,
            )
        return self._cloudformation

    def stop(self) -> None:
        """End pollers, schedules and workers, and give moto back its own behaviour."""
        self._halt()
        self.functions.close()
        moto_patches.uninstall(self)

    def reset(self) -> None:
        """Forget everything, moto's state too, and deploy afresh."""
        from moto.moto_api._internal.models import moto_api_backend

        with self._flushing:
            self._halt()
            moto_api_backend.reset()
            self.clients = self._make_clients()
            self._services.clear()
            self.stacks.reset()
            self._cloudformation = None
            self.app = self._gateway()  # it remembers callers of before
            self.start()

    def _halt(self) -> None:
        self.ready = False
        # Workers are killed before their batches are waited for: a function may run for minutes.
        self.schedules.stop()
        batches_are_done = self.pollers.stop()
        self.asynchronous.stop()
        self.functions.stop()
        batches_are_done()

    def drain(self) -> dict[str, int]:
        """Move every record into its log files; return counts, as ``drain_line`` has them."""
        notices = self._queue("IngestQueueUrl") if "IngestQueueUrl" in self.outputs else ""
        with self._flushing:
            return drain_line(
                self.pollers,
                intake=self._queue("IntakeQueueUrl"),
                delivery=self._queue("DeliveryQueueUrl"),
                notices=notices,
            )

    def flush(self, *, digest: bool = False) -> dict[str, int]:
        """Drain the pipeline; with ``digest`` also close the digest windows.

        The pollers move records all the time, so what a flush itself found to do says little.

        Returns:
            dict: ``events`` that were recorded and ``chunks`` that were delivered since the flush
            before this one, ``files`` that were ingested since then if any can be, ``failed``
            messages that stay on their queue, ``insights`` found and ``digests`` written now.

        Raises:
            StorageError: the digest or insights function failed, or a function is missing.
        """
        failed = self.drain()["failed"]
        insights = look_for_insights(self)
        if insights:
            failed = self.drain()["failed"]
        counts = {
            "events": self._done_since_last_flush("IntakeQueueUrl"),
            "chunks": self._done_since_last_flush("DeliveryQueueUrl"),
            "failed": failed,
            "insights": insights,
            "digests": 0,
        }
        if "IngestQueueUrl" in self.outputs:
            counts["files"] = self._done_since_last_flush("IngestQueueUrl")
        if digest:
            answer = self.call_function(self.outputs.get("DigestFunctionName", ""), {"close": True})
            counts["digests"] = int(answer.get("digests", 0))
        return counts

    def _done_since_last_flush(self, output: str) -> int:
        with self._flushing:
            done = self.pollers.acknowledged(self._queue(output))
            news = sum(count - self._flushed.get(mapping, 0) for mapping, count in done.items())
            self._flushed.update(done)
        return news

    def call_function(self, name: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a function of the runtime's own account and Region and return its answer.

        Raises:
            StorageError: there is no such function, or it failed.
        """
        function = find_function(name, account=self.options.account, region=self.options.region)
        answer = self.functions.invoke(function, json.dumps(payload).encode())
        if answer.error:
            raise StorageError(f"invoke {name}: {answer.payload.decode('utf-8', 'replace')}", answer.error)
        value = json.loads(answer.payload)
        return value if isinstance(value, dict) else {}

    def status(self) -> dict[str, Any]:
        """Return what ``opentrail status`` shows."""
        return {
            "endpoint": self.endpoint,
            "account": self.options.account,
            "region": self.options.region,
            "calls": asdict(self.counters),
            "bus": asdict(self.bus.counters),
            "queues": self.pollers.describe(),
            "waiting": self._waiting(),
            "workers": self.functions.describe(),
            "asynchronous_failures": self.asynchronous.failed,
            "schedules": self.schedules.describe(),
            "outputs": self.outputs,
        }

    def unrecorded_roles(self) -> Collection[str]:
        """ARNs of the roles of OpenTrail's own functions: their calls are not recorded."""
        return self._unrecorded

    # What moto_patches asks of a runtime.

    def invoke_function(
        self, function: Any, payload: bytes, headers: Mapping[str, str], answer_headers: dict[str, Any]
    ) -> bytes:
        """Serve Lambda's Invoke and moto's own triggers."""
        return answer_invocation(
            self.functions, self.asynchronous, function, payload, headers, answer_headers
        )

    def put_events(self, account: str, region: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Serve PutEvents."""
        return self.bus.put_events(account, region, entries)

    def publish(self, account: str, region: str, event: dict[str, Any], *, rules: list[Any] | None) -> None:
        """Deliver S3's events and replays."""
        self.bus.publish(account, region, event, rules=rules)

    def message_added(self, queue: Any) -> None:
        """Wake the pollers of a queue."""
        self.pollers.message_added(queue)

    def recorded(self, captured: Captured) -> None:
        """Take a record from the gateway, in the thread of its call."""
        self.bus.deliver(captured)

    # What the pytest plugin does in another way: nothing runs on its own there.

    def _make_moto(self) -> WSGIApplication:
        return _moto_application()

    def _make_functions(self) -> FunctionRunner:
        return Functions(self.lambda_clients, lambda: self.endpoint)

    def _make_invoker(self) -> AsyncInvoker:
        return AsyncInvoker(self.functions.invoke, lambda arn, body: self.targets.send(arn, body))

    def _set_in_motion(self) -> None:
        self.pollers.start()
        self.schedules.start()

    def _gateway(self) -> WSGIApplication:
        from opentrail.local.gateway import Gateway
        from opentrail.local.iam import Authorizer

        return Gateway(
            moto=self._moto,
            services=self._services,
            sink=self.recorded,
            counters=self.counters,
            default_account=self.options.account,
            default_region=self.options.region,
            unrecorded_roles=self.unrecorded_roles,
            own_calls=self._export(),
            authorize=Authorizer().refuse if self.options.iam else None,
        )

    def _export(self) -> Callable[[Call, Reply], None] | None:
        if self.options.export is None:
            return None
        return Export(self.options.export, lambda: self.outputs.get("HistoryBucketName", "")).saw

    def _queue(self, output: str) -> str:
        url = self.outputs.get(output, "")
        parts = url.rstrip("/").rsplit("/", 2)
        if len(parts) != 3:
            raise StorageError(f"the deployed stacks have no output {output}", "NotDeployed")
        return f"arn:aws:sqs:{self.options.region}:{parts[1]}:{parts[2]}"

    def _waiting(self) -> dict[str, int]:
        """Messages on each of the deployed queues, in flight or not."""
        names = [name for name in self.outputs if name.endswith("QueueUrl")]
        return {name.removesuffix("Url"): len(find_queue(self._queue(name))._messages) for name in names}

    def _collect_everywhere(self) -> None:
        self.bus.collector = Collector()
        if "IntakeQueueUrl" in self.outputs:
            self.bus.collector = Collector(
                account=self.options.account,
                region=self.options.region,
                queue_arn=self._queue("IntakeQueueUrl"),
            )

    def _override_digest_period(self) -> None:
        name = self.outputs.get("DigestFunctionName")
        if name and self.options.digest_seconds != HOUR_SECONDS:  # the template's own cron is hourly
            function = find_function(name, account=self.options.account, region=self.options.region)
            self.schedules.periods = {function.function_arn: self.options.digest_seconds}

    def _make_clients(self) -> Clients:
        return Clients(
            self._moto,
            account=self.options.account,
            region=self.options.region,
            endpoint=lambda: self.endpoint,
        )

    def _call_api(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        client = self.clients(service)
        methods = {name.lower(): method for method, name in client.meta.method_to_api_mapping.items()}
        getattr(client, methods[operation.lower()])(**parameters)


def _moto_application() -> WSGIApplication:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    application: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    return application


__all__ = ["Options", "OpenTrailError", "Runtime", "deploy_stacks", "own_services", "packaged_assembly"]
