"""The message a trail's topic gets."""

from __future__ import annotations

from opentrail.format.notification import encode_notification


def test_a_message_names_the_bucket_and_its_new_objects() -> None:
    text = encode_notification("audit-logs", ["k1", "k2"])

    assert text == '{"s3Bucket":"audit-logs","s3ObjectKey":["k1","k2"]}'
