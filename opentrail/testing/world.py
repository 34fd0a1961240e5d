"""What the fixture ``opentrail`` gives a test."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from opentrail.local.runtime import Options
from opentrail.local.transport import Clients
from opentrail.testing.deploying import deploy_function
from opentrail.testing.front import ACCESS_KEY, FRONT, SECRET_KEY, clients_of, root_clients
from opentrail.testing.matching import Event, choose, on_the_bus, record_of
from opentrail.testing.routing import routed
from opentrail.testing.runtime import InProcessRuntime
from opentrail.testing.trail import LoggingTrail, make_trail


class OpenTrail:
    """AWS in this process, with OpenTrail deployed in it.

    Calls answer at once and are recorded at once. What they set off (functions of rules,
    queues of functions, log files) happens in ``flush``.

    Attributes:
        account, region: of callers who say nothing else.
        runtime: what is behind all of it.
    """

    def __init__(self, runtime: InProcessRuntime) -> None:
        self.account = runtime.options.account
        self.region = runtime.options.region
        self.runtime = runtime
        self._clients = root_clients(self.account, self.region)
        self._with_credentials: dict[str, Clients] = {}
        self._forgotten = 0  # captured records before this one are not the test's

    def client(self, service: str, *, region: str = "", credentials: Mapping[str, str] | None = None) -> Any:
        """Return a boto3 client whose calls are recorded. The same arguments give the same client.

        Args:
            service: boto3's name.
            region: default: ``self.region``.
            credentials: ``Credentials`` of AssumeRole and the like, or ``AccessKey`` of CreateAccessKey;
                default: the root user of ``self.account``.
        """
        return self._clients_of(credentials)(service, region=region)

    def _clients_of(self, credentials: Mapping[str, str] | None) -> Clients:
        if credentials is None:
            return self._clients
        key = credentials["AccessKeyId"]
        if key not in self._with_credentials:
            self._with_credentials[key] = clients_of(credentials, self.account, self.region)
        return self._with_credentials[key]

    def events(
        self,
        name: str | None = None,
        *,
        source: str | None = None,
        error: str | None = None,
        pattern: Mapping[str, Any] | None = None,
    ) -> list[Event]:
        """Return what was recorded, in the order in which the calls ended.

        Data events are among them, whatever the trails select. No flush is needed.

        Args:
            name: only this ``eventName``.
            source: only this ``eventSource``, with or without ``.amazonaws.com``.
            error: only this ``errorCode``; "" means events without one.
            pattern: only events that an EventBridge rule with this pattern matches.
        """
        captured = self.runtime.captured[self._forgotten :]
        return choose(map(record_of, captured), name=name, source=source, error=error, pattern=pattern)

    def forget(self) -> None:
        """Leave everything recorded so far out of ``events``: a test's set-up is not its subject."""
        self._forgotten = len(self.runtime.captured)

    def flush(self, *, digest: bool = False) -> dict[str, int]:
        """Let everything happen that the calls so far have set off, and return when it has.

        Functions of rules and queues run, then the records reach the files of their trails;
        again, until nothing is left to do. ``digest`` also closes the digest windows.

        Returns:
            dict: ``events`` recorded and ``chunks`` delivered since the flush before, ``failed``
            messages of either, ``insights`` found and ``digests`` written now.

        Raises:
            OpenTrailError: rules and functions set off one another without end.
        """
        self.runtime.settle()
        counts = self.runtime.flush(digest=digest)
        self.runtime.settle()  # delivered files, too, may set something off
        return counts

    def on_the_bus(self, event: Event) -> dict[str, Any]:
        """Return one of ``events`` as EventBridge hands it to a rule's target: a function's argument."""
        return on_the_bus(event)

    def function(
        self,
        source: ModuleType | Path,
        *,
        handler: str = "",
        on: Mapping[str, Any] | None = None,
        name: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Deploy a Python function through Lambda's API, with a role of its own; return its ARN.

        It runs in this process when ``flush`` gets to its events. Deploying it leaves no events.

        Args:
            source: an imported module, a file, or a directory.
            handler: default: ``handler`` in the module or file.
            on: an EventBridge pattern; a rule with it, of the function's name, gets the function as target.
            name: default: the source's.
            environment: the function's variables.
        """
        with self.runtime.unrecorded():
            return deploy_function(
                self.client, source, handler=handler, on=on, name=name, environment=environment or {}
            )

    def trail(self, name: str = "main", **options: Any) -> LoggingTrail:
        """Make a trail that logs, and return it. Making it leaves no events.

        ``options`` are CreateTrail's, and ``EventSelectors`` or ``AdvancedEventSelectors``. Without
        ``S3BucketName`` it gets a bucket of its own. It is a multi-Region trail unless they say otherwise.
        """
        with self.runtime.unrecorded():
            return make_trail(
                self.client,
                self.runtime.clients("s3"),
                account=self.account,
                region=self.region,
                name=name,
                options={"IsMultiRegionTrail": True, "EnableLogFileValidation": True, **options},
            )


@contextmanager
def opened(options: Options) -> Iterator[OpenTrail]:
    """Deploy OpenTrail into an empty AWS, and route all of this process's AWS calls there."""
    with routed(FRONT, _environment(options.region)):
        runtime = InProcessRuntime(options)
        try:
            runtime.start()
            with FRONT.serving(runtime):
                yield OpenTrail(runtime)
        finally:
            runtime.stop()


def _environment(region: str) -> dict[str, str]:
    """What boto3's own clients find: somebody's credentials, and nothing of the host's."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
