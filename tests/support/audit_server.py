"""Just enough of S3 and CloudTrail on loopback to validate a trail against, and slow if asked."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import msgspec

from tests.support.tampering import BUCKET, World, der_of, fingerprint

PAGE = 1000
VALUES = "ExpressionAttributeValues"


class AuditServer(ThreadingHTTPServer):
    """Serves one bucket."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, world: World, delay_seconds: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.world = world
        self.delay_seconds = delay_seconds
        self.keys = sorted(world.objects)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serve(world: World) -> Iterator[str]:
    """The endpoint's URL, as long as the context lasts."""
    server = AuditServer(world)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: AuditServer

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("x-amz-target") == "DynamoDB_20120810.Query":
            self._heads({name: value["S"] for name, value in json.loads(asked)[VALUES].items()})
            return
        keys = [
            {
                "Value": base64.b64encode(der_of(name)).decode(),
                "Fingerprint": fingerprint(name),
                "ValidityStartTime": since.timestamp(),
                "ValidityEndTime": until.timestamp(),
            }
            for name, (since, until) in self.server.world.windows.items()
        ]
        self._answer(200, json.dumps({"PublicKeyList": keys}).encode(), "application/x-amz-json-1.1")

    def _heads(self, asked: dict[str, str]) -> None:
        """The anchor table's part: the heads of one line within a span."""
        found = [
            {"head": {"S": msgspec.json.encode(head).decode()}}
            for head in self.server.world.anchored
            if head.line == asked[":pk"] and asked[":start"] <= head.end <= asked[":end"]
        ]
        self._answer(200, json.dumps({"Items": found}).encode(), "application/x-amz-json-1.0")

    def do_GET(self) -> None:
        if self.server.delay_seconds:
            time.sleep(self.server.delay_seconds)
        place = urlsplit(self.path)
        bucket, _, key = unquote(place.path).lstrip("/").partition("/")
        query = {name: values[0] for name, values in parse_qs(place.query, keep_blank_values=True).items()}
        if bucket != BUCKET:
            self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif key:
            self._object(key)
        elif "location" in query:
            self._answer(200, b"<LocationConstraint/>")
        else:
            self._list(query)

    def _object(self, key: str) -> None:
        found = self.server.world.objects.get(key)
        if found is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>")
        else:
            self._answer(200, found[0], "application/json", found[1])

    def _list(self, query: dict[str, str]) -> None:
        prefix, after = query.get("prefix", ""), query.get("marker", query.get("continuation-token", ""))
        keys = [key for key in self.server.keys if key.startswith(prefix) and key > after]
        folders: set[str] = set()
        if "delimiter" in query:
            rest = [key.removeprefix(prefix) for key in keys]
            folders = {name.partition("/")[0] for name in rest if "/" in name}
            keys = []
        page, more = keys[:PAGE], len(keys) > PAGE
        items = "".join(f"<Contents><Key>{escape(key)}</Key><Size>1</Size></Contents>" for key in page)
        items += "".join(
            f"<CommonPrefixes><Prefix>{prefix}{name}/</Prefix></CommonPrefixes>" for name in sorted(folders)
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        told = f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{items}"
        self._answer(200, f"<ListBucketResult>{told}</ListBucketResult>".encode())

    def _answer(
        self, status: int, body: bytes, kind: str = "application/xml", metadata: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (metadata or {}).items():
            self.send_header(f"x-amz-meta-{name}", value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""
