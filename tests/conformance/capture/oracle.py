"""Real records, rebuilt: make each call again against the gateway and take the new record."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.handlers import generate_idempotent_uuid
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from opentrail.local.call import Captured, Counters
from opentrail.local.gateway import Gateway
from tests.conformance.capture.rebuild import Rebuilt
from tests.conformance.capture.settings import Setting
from tests.conformance.capture.transport import ENDPOINT, session_for

SAMPLES = Path(__file__).parents[3] / ".." / "shared" / "sample-events" / "cloudtrail-records.ndjson.gz"
READS = ("Describe", "Get", "List")
CONFIG = Config(
    parameter_validation=False,
    retries={"total_max_attempts": 1},
    s3={"addressing_style": "path"},
    inject_host_prefix=False,
)


def real_records(path: Path = SAMPLES) -> list[dict[str, Any]]:
    """The API calls among the sample records."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return [
        record for record in records if record.get("eventType") == "AwsApiCall" and record.get("eventName")
    ]


class Laptop:
    """moto behind a gateway, with the records it made."""

    def __init__(self) -> None:
        self.captured: list[Captured] = []
        self.counters = Counters()
        self.sent: dict[str, Any] = {}  # the parameters of the last call
        self._refusal = ""
        self._moto = DomainDispatcherApplication(create_backend_app)
        self.gateway = Gateway(
            moto=self._application,
            services={},
            sink=self.captured.append,
            counters=self.counters,
            default_account="123456789012",
            default_region="us-east-1",
            unrecorded_roles=lambda: (),
        )
        self.session = session_for(self.gateway)
        self._clients: dict[tuple[str, str], Any] = {}
        self.setting = Setting(self)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A kept boto3 client."""
        key = (service, region)
        if key not in self._clients:
            client = self.session.client(service, region_name=region, endpoint_url=ENDPOINT, config=CONFIG)
            client.meta.events.unregister("before-parameter-build", generate_idempotent_uuid)
            self._clients[key] = client
        return self._clients[key]

    def call(self, rebuilt: Rebuilt, region: str, *, refusal: str = "") -> dict[str, Any] | None:
        """Make one call; the record it left, or None when the gateway made none.

        Args:
            refusal: an error code to refuse the call with, as policies and throttling do.
        """
        client = self.client(rebuilt.service, region)
        reads = rebuilt.operation.startswith(READS)  # whose answers no record shows
        parameters = rebuilt.parameters if refusal or reads else self.setting.prepare(rebuilt, region)
        self.sent = parameters
        before, self._refusal = len(self.captured), refusal
        try:
            client._make_api_call(rebuilt.operation, parameters)
        except (BotoCoreError, ClientError, ValueError, TypeError, AttributeError, KeyError):
            pass
        finally:
            self._refusal = ""
        made = self.captured[before:]
        return json.loads(made[0].detail) if made else None

    def _application(self, environ: dict[str, Any], start_response: Any) -> Any:
        if not self._refusal:
            return self._moto(environ, start_response)
        start_response("400 Bad Request", [("x-amzn-ErrorType", self._refusal), ("Content-Type", "text/xml")])
        if "HTTP_X_AMZ_TARGET" in environ:
            return [json.dumps({"__type": self._refusal, "message": "refused"}).encode()]
        return [REFUSAL.format(self._refusal).encode()]


REFUSAL = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>refused</Message></Error>"
    "<RequestId>r</RequestId></ErrorResponse>"
)
REFUSALS = ("AccessDenied", "ThrottlingException")


def last(laptop: Laptop) -> dict[str, Any]:
    """The last record."""
    record: dict[str, Any] = json.loads(laptop.captured[-1].detail)
    return record
