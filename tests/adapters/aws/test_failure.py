"""botocore's errors -> this package's."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from opentrail.adapters.aws.failure import storage_errors
from opentrail.errors import ConflictError, StorageError


def refusal(code: str, **more: Any) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "why"}, **more}
    return ClientError(answer, "PutItem")


def test_a_refusal_names_the_call_and_keeps_its_code() -> None:
    with (
        pytest.raises(StorageError, match="put s3://b/k: AccessDenied") as caught,
        storage_errors("put s3://b/k"),
    ):
        raise refusal("AccessDenied")

    assert (caught.value.code, type(caught.value)) == ("AccessDenied", StorageError)


def test_no_answer_has_no_code() -> None:
    with pytest.raises(StorageError, match="put s3://b/k") as caught, storage_errors("put s3://b/k"):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    assert (caught.value.code, type(caught.value)) == ("", StorageError)


def test_what_is_not_aws_is_no_answer_either() -> None:
    with (
        pytest.raises(StorageError, match="list public keys: Unable to parse"),
        storage_errors("list public keys"),
    ):
        raise ResponseParserError("Unable to parse response")


@pytest.mark.parametrize(
    "error",
    [
        refusal("ConditionalCheckFailedException"),
        refusal(
            "TransactionCanceledException",
            CancellationReasons=[{"Code": "None"}, {"Code": "ConditionalCheckFailed"}],
        ),
    ],
)
def test_a_lost_condition_is_a_conflict(error: ClientError) -> None:
    with pytest.raises(ConflictError, match="somebody else wrote first"), storage_errors("write"):
        raise error


def test_a_transaction_that_was_cancelled_for_another_reason_is_no_conflict() -> None:
    busy = refusal("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])

    with pytest.raises(StorageError) as caught, storage_errors("write"):
        raise busy

    assert type(caught.value) is StorageError


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), storage_errors("write"):
        raise KeyError("name")
