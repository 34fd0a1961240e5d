"""The gateway: every protocol recorded, nothing broken, nothing leaked."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from opentrail.local.call import Call, Captured, Counters, Reply
from opentrail.local.capture.cbor import decode, encode
from opentrail.local.gateway import Gateway
from tests.conformance.capture.oracle import Laptop, last
from tests.conformance.capture.settings import ACCOUNT, TRUST
from tests.conformance.capture.transport import ENDPOINT, session_for

ORDER = [
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "readOnly",
    "resources",
    "eventType",
    "apiVersion",
    "managementEvent",
    "recipientAccountId",
    "sharedEventID",
    "eventCategory",
]


def environ(method: str, path: str, body: bytes = b"", query: str = "", **headers: str) -> dict[str, Any]:
    """A WSGI environment by hand."""
    given = {f"HTTP_{name.upper()}": value for name, value in headers.items() if name != "content_type"}
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "4566",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:4566",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "CONTENT_LENGTH": str(len(body)),
        **({"CONTENT_TYPE": headers["content_type"]} if "content_type" in headers else {}),
        **given,
    }


def serve(app: Any, request: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """One request, answered."""
    started: list[Any] = []
    body = b"".join(app(request, lambda status, headers, exc_info=None: started.extend((status, headers))))
    return int(started[0].split()[0]), dict(started[1]), body


def scope(service: str, region: str = "us-east-1") -> str:
    """An Authorization header."""
    credential = f"AKIAX/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"


def own_gateway(**services: Any) -> tuple[Gateway, list[Captured], Counters]:
    """A gateway whose moto is never reached."""

    def moto(request: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"moto"]

    captured: list[Captured] = []
    counters = Counters()
    gateway = Gateway(
        moto=moto,
        services=services,
        sink=captured.append,
        counters=counters,
        default_account=ACCOUNT,
        default_region="us-east-1",
        unrecorded_roles=lambda: (),
    )
    return gateway, captured, counters


def test_the_keys_of_a_record_are_in_the_order_of_real_ones(laptop: Laptop) -> None:
    laptop.client("s3").create_bucket(Bucket="ordered")
    laptop.client("s3").put_object(Bucket="ordered", Key="k", Body=b"x")

    keys = list(last(laptop))

    assert keys == [name for name in ORDER if name in keys]
    assert set(keys) <= set(ORDER)


def test_the_request_id_of_the_answer_is_that_of_the_record(laptop: Laptop) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: laptop.client("iam").list_users(),
        lambda: laptop.client("sqs").list_queues(),
        lambda: laptop.client("s3").list_buckets(),
        lambda: laptop.client("lambda").list_functions(),
        lambda: laptop.client("sts").get_caller_identity(),
    ]

    for call in calls:
        answer = call()
        assert answer["ResponseMetadata"]["RequestId"] == last(laptop)["requestID"]


def test_event_ids_are_unique_uuids_that_carry_their_time(laptop: Laptop) -> None:
    before = int(datetime.now(UTC).timestamp() * 1000)
    for _ in range(20):
        laptop.client("sts").get_caller_identity()

    ids = [uuid.UUID(json.loads(captured.detail)["eventID"]) for captured in laptop.captured]
    assert len(set(ids)) == 20
    assert all(event.version == 7 and event.int >> 80 >= before for event in ids)
    assert ids == sorted(ids, key=lambda event: event.int >> 80)


def test_a_failed_call_is_recorded_with_its_error(laptop: Laptop) -> None:
    with pytest.raises(laptop.client("iam").exceptions.NoSuchEntityException):
        laptop.client("iam").delete_user(UserName="nobody")

    record = last(laptop)
    assert record["errorCode"] == "NoSuchEntityException"
    assert record["errorMessage"] == "The user with name nobody cannot be found."
    assert record["requestParameters"] == {"userName": "nobody"}
    assert record["responseElements"] is None


@pytest.mark.parametrize(
    ("service", "region", "recorded"),
    [("iam", "eu-west-1", "us-east-1"), ("sqs", "eu-west-1", "eu-west-1"), ("sts", "eu-west-1", "eu-west-1")],
)
def test_global_services_are_recorded_in_us_east_1(
    laptop: Laptop, service: str, region: str, recorded: str
) -> None:
    client = laptop.client(service, region)
    {
        "iam": lambda: client.list_users(),
        "sqs": lambda: client.list_queues(),
        "sts": lambda: client.get_caller_identity(),
    }[service]()

    assert last(laptop)["awsRegion"] == recorded
    assert laptop.captured[-1].region == recorded


def test_a_presigned_url_is_recorded_without_its_signature(laptop: Laptop) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        aws_access_key_id="AKIAX",
        aws_secret_access_key="s",
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    laptop.client("s3").create_bucket(Bucket="presigned")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "k"})
    path, query = url.removeprefix(ENDPOINT).split("?")

    serve(laptop.gateway, environ("GET", path, query=query))

    record = last(laptop)
    assert record["userIdentity"]["accessKeyId"] == "AKIAX"
    assert record["additionalEventData"]["AuthenticationMethod"] == "QueryString"
    assert record["requestParameters"]["key"] == "k"
    assert "X-Amz-Signature" not in record["requestParameters"]
    assert "X-Amz-Credential" not in record["requestParameters"]


def test_an_anonymous_request_is_recorded_for_the_owner_of_the_bucket(laptop: Laptop) -> None:
    laptop.client("s3").create_bucket(Bucket="open-to-all", ACL="public-read")
    laptop.client("s3").put_object(Bucket="open-to-all", Key="k", Body=b"x", ACL="public-read")

    serve(laptop.gateway, environ("GET", "/open-to-all/k"))

    assert last(laptop)["userIdentity"] == {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
    assert laptop.captured[-1].account == ACCOUNT


def test_chunked_uploads_arrive_whole(laptop: Laptop) -> None:
    laptop.client("s3").create_bucket(Bucket="chunks")
    request = environ(
        "PUT", "/chunks/k", body=b"hello", authorization=scope("s3"), transfer_encoding="chunked"
    )
    del request["CONTENT_LENGTH"]
    request["wsgi.input_terminated"] = True

    status, _, _ = serve(laptop.gateway, request)

    assert status == 200
    assert laptop.client("s3").get_object(Bucket="chunks", Key="k")["Body"].read() == b"hello"


def test_signed_aws_chunks_of_a_document_are_undone_before_it_is_read(laptop: Laptop) -> None:
    laptop.client("s3").create_bucket(Bucket="chunks")
    document = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    body = b"%x;chunk-signature=0\r\n%s\r\n0;chunk-signature=0\r\n\r\n" % (len(document), document)
    headers = {"authorization": scope("s3"), "x_amz_content_sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}

    serve(laptop.gateway, environ("PUT", "/chunks", body=body, query="tagging", **headers))

    assert last(laptop)["requestParameters"]["Tagging"] == {"TagSet": {"Tag": {"Key": "a", "Value": "b"}}}


def test_cbor_calls_are_answered_in_cbor_and_recorded(laptop: Laptop) -> None:
    body = encode({"AlarmNames": ["a"], "MaxRecords": 5})
    request = environ(
        "POST",
        "/service/GraniteServiceVersion20100801/operation/DescribeAlarms",
        body=body,
        authorization=scope("monitoring"),
        smithy_protocol="rpc-v2-cbor",
        content_type="application/cbor",
    )

    status, headers, answer = serve(laptop.gateway, request)

    assert (status, headers["Content-Type"], headers["smithy-protocol"]) == (
        200,
        "application/cbor",
        "rpc-v2-cbor",
    )
    assert decode(answer)["MetricAlarms"] == []
    record = last(laptop)
    assert (record["eventSource"], record["eventName"]) == ("monitoring.amazonaws.com", "DescribeAlarms")
    assert record["requestParameters"]["alarmNames"] == ["a"]


def test_our_own_services_answer_in_place_of_moto() -> None:
    def cloudtrail(call: Call) -> Reply:
        return Reply(
            status=200, headers={"Content-Type": "application/x-amz-json-1.1"}, body=b'{"trailList":[]}'
        )

    gateway, captured, _ = own_gateway(cloudtrail=cloudtrail)
    client = session_for(gateway).client("cloudtrail", endpoint_url=ENDPOINT)

    assert client.describe_trails()["trailList"] == []
    assert json.loads(captured[-1].detail)["eventName"] == "DescribeTrails"
    assert captured[-1].read_only


@pytest.mark.parametrize("target", ["CloudTrail_20131101.NoSuchOperation", "Bogus", ""])
def test_a_target_our_service_does_not_have_is_refused_as_aws_does(target: str) -> None:
    def never(call: Call) -> Reply:
        raise AssertionError(call.operation)

    gateway, captured, _ = own_gateway(cloudtrail=never)
    request = environ("POST", "/", b"{}", authorization=scope("cloudtrail"), x_amz_target=target)

    status, _, body = serve(gateway, request)

    assert (status, json.loads(body)) == (404, {"__type": "UnknownOperationException"})
    assert captured == []


@pytest.mark.parametrize("path", ["/moto-api/data.json", "/_opentrail/flush"])
def test_paths_of_the_endpoint_itself_are_not_recorded(path: str) -> None:
    gateway, captured, counters = own_gateway()

    assert serve(gateway, environ("GET", path))[2] == b"moto"
    assert (captured, counters.calls) == ([], 0)


def test_an_error_in_recording_is_counted_and_the_call_answered() -> None:
    def full(captured: Captured) -> None:
        raise RuntimeError("the sink is full")

    gateway, _, counters = own_gateway()
    gateway._sink = full

    status, _, _ = serve(gateway, environ("GET", "/", authorization=scope("s3")))

    assert status == 200
    assert (counters.calls, counters.recorded, counters.capture_errors) == (1, 0, 1)
    assert counters.last_error == "record s3 ListBuckets: RuntimeError: the sink is full"


def test_an_operation_moto_lacks_is_a_typed_error_for_the_client(laptop: Laptop) -> None:
    with pytest.raises(laptop.client("ssm").exceptions.ClientError, match="InternalFailure"):
        laptop.client("ssm").describe_instance_information()

    assert last(laptop)["errorCode"] == "InternalFailure"


def test_calls_of_our_own_roles_are_not_recorded(laptop: Laptop) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/deliver"
    laptop.client("iam").create_role(RoleName="deliver", AssumeRolePolicyDocument=TRUST)
    credentials = laptop.client("sts").assume_role(RoleArn=role, RoleSessionName="f")["Credentials"]
    laptop.gateway._capture._unrecorded_roles = lambda: {role}
    before = len(laptop.captured)

    session_for(
        laptop.gateway, access_key=credentials["AccessKeyId"], token=credentials["SessionToken"]
    ).client("sqs", endpoint_url=ENDPOINT).list_queues()

    assert len(laptop.captured) == before


def test_large_parameters_are_omitted_and_long_texts_cut(laptop: Laptop) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": [], "Id": "x" * 110_000})
    with pytest.raises(laptop.client("iam").exceptions.ClientError):
        laptop.client("iam").put_user_policy(UserName="n" * 1500, PolicyName="p", PolicyDocument=policy)

    record = last(laptop)
    assert record["requestParameters"]["reason"] == "requestParameters too large"
    assert record["requestParameters"]["omitted"] == "true"
    assert int(record["requestParameters"]["originalSize"]) > 110_000
    assert len(record["errorMessage"]) == 1024
    assert record["errorMessage"].endswith("...")
