"""The laptop's front door: every AWS request, routed to moto or to our own services, and recorded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from opentrail.local.call import Call, Counters, RecordSink, Reply, ServiceHandler
from opentrail.local.capture.capture import Capture, Understood
from opentrail.local.capture.cbor import answer_in_cbor, as_json, is_cbor
from opentrail.local.capture.credential import read_credential
from opentrail.local.capture.ids import new_request_id
from opentrail.local.capture.operation import candidates
from opentrail.local.capture.reply import call_application, is_web_page, send, unanswered, with_request_id
from opentrail.local.capture.wire import Wire, read_wire

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

UNRECORDED_PATHS = ("/moto-api", "/_opentrail", "/favicon.ico", "/latest/meta-data", "/latest/api")
WEB_SERVICES = ("s3", "apigateway", "apigatewayv2")  # whose 404 may be a page of their user's own
RESET_PATH = "/moto-api/reset"


# What an AWS JSON service answers to a target it does not know.
# Source: CloudTrail API reference, "Common errors".
NO_SUCH_OPERATION = Reply(
    status=404,
    headers={"Content-Type": "application/x-amz-json-1.1"},
    body=b'{"__type":"UnknownOperationException"}',
)


class Gateway:
    """A WSGI application in front of ``moto``.

    Every request is parsed by botocore's models, its caller is found before it
    runs, it goes to ``services[<botocore service>]`` or to moto, and its record
    goes to ``sink``, once for each account that receives it. Recording never
    makes a call fail: an error in it is logged and counted.
    """

    def __init__(
        self,
        *,
        moto: WSGIApplication,
        services: Mapping[str, ServiceHandler],
        sink: RecordSink,
        counters: Counters,
        default_account: str,
        default_region: str,
        unrecorded_roles: Callable[[], Collection[str]],
        own_calls: Callable[[Call, Reply], None] | None = None,
        authorize: Callable[[Call, str], Reply | None] | None = None,
    ) -> None:
        """Wire the gateway.

        Args:
            moto: answers what ``services`` do not.
            services: our own services by botocore's name.
            sink: takes each record, in the thread of its call.
            counters: what ``opentrail status`` shows; changed under a lock.
            default_account: the account of unsigned calls and of unknown keys.
            default_region: the Region of calls that name none.
            unrecorded_roles: ARNs of the roles whose calls are not recorded (our own functions').
            own_calls: is told of those calls instead.
            authorize: returns the denial of a call spoken in that protocol, None for one that may go on;
                without it everybody may do everything.
        """
        self._moto = moto
        self._services = services
        self._sink = sink
        self._counters = counters
        self._own_calls = own_calls
        self._authorize = authorize
        self._lock = threading.Lock()
        self._capture = Capture(
            default_account=default_account, default_region=default_region, unrecorded_roles=unrecorded_roles
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path.startswith(UNRECORDED_PATHS):
            if path == RESET_PATH:
                self._capture.forget()
            return self._moto(environ, start_response)
        sent = read_wire(environ)
        wire = as_json(environ, sent) if is_cbor(sent) else sent
        self._count(calls=1)
        understood = self._understand(environ, wire)
        if understood is None:
            return send(self._not_understood(environ, wire), start_response)
        reply = self._answer(environ, understood)
        reply = with_request_id(reply, understood.call.request_id, understood.target.protocol)
        reply = self._record(understood, reply)
        return send(
            answer_in_cbor(reply, understood.target, sent) if wire is not sent else reply, start_response
        )

    def _understand(self, environ: dict[str, Any], wire: Wire) -> Understood | None:
        try:
            return self._capture.understand(environ, wire, datetime.now(UTC))
        except Exception as error:  # capture must never make a call fail
            self._failed("understand", wire.path, error)
            return None

    def _not_understood(self, environ: dict[str, Any], wire: Wire) -> Reply:
        """The answer to what is no operation of any service known here."""
        service = next(candidates(wire, read_credential(wire)), "")
        if service in self._services:
            return with_request_id(NO_SUCH_OPERATION, new_request_id(service), "json")
        return call_application(self._moto, environ)

    def _answer(self, environ: dict[str, Any], understood: Understood) -> Reply:
        call = understood.call
        handler = self._services.get(call.service)
        try:
            denied = self._authorize(call, understood.target.protocol) if self._authorize else None
            if denied is not None:
                return denied
            reply = handler(call) if handler else call_application(self._moto, environ)
        except Exception as error:  # an operation moto lacks or breaks on: the client gets a typed error
            logger.warning("no answer to %s %s: %r", call.service, call.operation, error)
            return unanswered(understood.target.protocol, f"{type(error).__name__}: {error}")
        if handler is None and call.service not in WEB_SERVICES and is_web_page(reply):
            return unanswered(
                understood.target.protocol, f"{call.operation} of {call.service} is not simulated"
            )
        return reply

    def _record(self, understood: Understood, reply: Reply) -> Reply:
        """Hand the records of one call to the sink; the reply may carry corrected credentials."""
        try:
            reply = self._capture.finish(understood, reply)
            if self._own_calls and self._capture.is_unrecorded(understood.call.caller):
                self._own_calls(understood.call, reply)
            for captured in self._capture.records(understood, reply, datetime.now(UTC)):
                self._sink(captured)
                self._count(recorded=1)
        except Exception as error:  # capture must never make a call fail
            self._failed(f"record {understood.call.service}", understood.call.operation, error)
        return reply

    def _count(self, *, calls: int = 0, recorded: int = 0) -> None:
        with self._lock:
            self._counters.calls += calls
            self._counters.recorded += recorded

    def _failed(self, doing: str, what: str, error: Exception) -> None:
        logger.exception("capture failed", extra={"doing": doing, "what": what})
        with self._lock:
            self._counters.capture_errors += 1
            self._counters.last_error = f"{doing} {what}: {type(error).__name__}: {error}"
