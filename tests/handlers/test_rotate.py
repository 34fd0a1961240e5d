"""The rotate function: a schedule in, a new signing key when it is time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.rotate import handler as rotate
from opentrail.settings import SIGNING_KEY_TAG
from tests.handlers.conftest import Invoke
from tests.support.line import Line


def test_a_young_key_stays(line: Line, invoke: Invoke) -> None:
    assert invoke(rotate, line.rotate_settings(), {}) == {"rotated": False, "key": ""}


def test_the_key_it_makes_is_for_signing_digests_only(
    line: Line, invoke: Invoke, clients: Callable[[str], Any]
) -> None:
    answer = invoke(rotate, line.rotate_settings(), {"rotate": True})

    kms = clients("kms")
    made = kms.describe_key(KeyId=answer["key"])["KeyMetadata"]
    tags = kms.list_resource_tags(KeyId=answer["key"])["Tags"]
    policy = kms.get_key_policy(KeyId=answer["key"], PolicyName="default")["Policy"]
    assert (made["KeySpec"], made["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")
    assert tags == [{"TagKey": SIGNING_KEY_TAG, "TagValue": line.name}]
    assert policy == line.rotate_settings().key_policy


@pytest.mark.parametrize("value", ["true", 1, None])
def test_anything_but_true_does_not_rotate(line: Line, invoke: Invoke, value: Any) -> None:
    assert not invoke(rotate, line.rotate_settings(), {"rotate": value})["rotated"]
