"""API Gateway as far as the api function meets it: IAM authorization, routes, payload format 2.0.

Source: API Gateway developer guide, "Control access to HTTP APIs with IAM authorization" and
"Create AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from lambdas.api.handler import Endpoint
from stacks.api_operations import OPERATIONS

ACCOUNT = "123456789012"
REGION = "us-east-1"
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
USER = f"arn:aws:iam::{ACCOUNT}:user/eve"


class ExecuteApi:
    """Checks signatures with botocore's own signer; ``denied`` are operations no policy grants."""

    def __init__(self, function: Endpoint) -> None:
        self.function = function
        self.denied: set[str] = set()
        self.paths: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        self.paths.append(request.path)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        operation = request.path.removeprefix("/")
        if request.method != "POST" or operation not in OPERATIONS:
            return _own(404, "Not Found")
        if operation in self.denied or not is_signed(request):
            return _own(403, "Forbidden")
        reply = self.function.answer(payload(operation, request), datetime.now(UTC))
        return Response(reply.body, reply.status, reply.headers)


def is_signed(request: Request) -> bool:
    """True for a signature for execute-api in our Region by the one user there is."""
    authorization = request.headers.get("Authorization", "")
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: request.headers.get(name, "") for name in names}
    again = AWSRequest(request.method, request.url, headers, request.get_data())
    again.context["timestamp"] = request.headers.get("X-Amz-Date", "")
    signer = SigV4Auth(Credentials(KEY, SECRET), "execute-api", REGION)
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    scope = f"Credential={KEY}/{again.context['timestamp'][:8]}/{REGION}/execute-api/aws4_request,"
    return "host" in names and scope in authorization and authorization.endswith(f"Signature={signature}")


def payload(operation: str, request: Request) -> dict[str, Any]:
    """What the integration hands to the function."""
    return {
        "version": "2.0",
        "routeKey": f"POST /{operation}",
        "rawPath": f"/{operation}",
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "requestContext": {
            "accountId": ACCOUNT,
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": f"POST /{operation}",
            "authorizer": {"iam": {"accessKey": KEY, "accountId": ACCOUNT, "userArn": USER}},
        },
        # application/x-amz-json-1.1 is no text to API Gateway.
        "body": base64.b64encode(request.get_data()).decode(),
        "isBase64Encoded": True,
    }


def _own(status: int, message: str) -> Response:
    return Response(json.dumps({"message": message}), status, content_type="application/json")


@contextmanager
def served(app: Any) -> Iterator[str]:
    """A WSGI application on a free loopback port."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
