"""S3: bucket policies, notifications, locks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from opentrail.local.moto_patches.switch import hooks, replace


def apply() -> None:
    """Correct S3."""
    from moto.s3 import models, notifications
    from moto.s3.models import FakeBucket, S3Backend

    # moto reads no Condition of a bucket policy: any statement with one denies, the usual
    # SecureTransport deny as well as CloudTrail's own Allow.
    def get_permission(_: Callable[..., Any]) -> Callable[..., Any]:
        def neutral(_bucket: Any, action: str, resource: str) -> Any:
            from moto.iam.access_control import PermissionResult

            return PermissionResult.NEUTRAL

        return neutral

    replace(FakeBucket, "get_permission", get_permission)

    # moto tells the functions and state machines of rules on CreateBucket of an "Object Created" that
    # never was, beside the gateway's own event.
    def tell_of_bucket(_: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *_args, **_kwargs: None

    replace(models, "events_send_notification", tell_of_bucket)

    # moto gives every S3 event on the bus the same id, invented facts, and sends it to every
    # bus; AWS sends it to the default bus only.
    def send_event_bridge(_: Callable[..., Any]) -> Callable[..., Any]:
        def send(account: str, bucket: Any, event_name: str, key: Any) -> None:
            hooks().publish(
                account, bucket.region_name, _s3_event(account, bucket, event_name, key), rules=None
            )

        return send

    replace(notifications, "_send_event_bridge_message", send_event_bridge)

    # moto reports "tags added" for every PutObject, tags or not.
    def send_event(original: Callable[..., Any]) -> Callable[..., Any]:
        def send(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
            added = notifications.S3NotificationEvent.OBJECT_TAGGING_PUT_EVENT
            if event_name != added or _has_tags(account_id, bucket, key):
                original(account_id, event_name, bucket, key)

        return send

    replace(notifications, "send_event", send_event)

    # moto lets anybody shorten or lift a COMPLIANCE lock, which on AWS nobody can.
    def put_object_retention(original: Callable[..., Any]) -> Callable[..., Any]:
        def put(backend: Any, bucket_name: str, key_name: str, version_id: Any, retention: Any) -> None:
            key = backend.get_object(bucket_name, key_name, version_id=version_id)
            _refuse_shortening(key, *retention)
            original(backend, bucket_name, key_name, version_id, retention)

        return put

    replace(S3Backend, "put_object_retention", put_object_retention)
    _keep_mfa_delete()


def _keep_mfa_delete() -> None:
    """moto takes MFADelete with a bucket's versioning, and forgets it."""
    from moto.core.responses import ActionResult
    from moto.s3.responses import S3Response

    def put(original: Callable[..., Any]) -> Callable[..., Any]:
        def put_bucket(response: Any, request: Any, bucket_name: str, querystring: Any) -> Any:
            answer = original(response, request, bucket_name, querystring)
            given = re.search(rb"<MfaDelete>(Enabled|Disabled)</MfaDelete>", response.body or b"")
            if "versioning" in querystring and given:
                response.backend.get_bucket(bucket_name).opentrail_mfa_delete = given[1].decode()
            return answer

        return put_bucket

    def get(_: Callable[..., Any]) -> Callable[..., Any]:
        def get_bucket_versioning(response: Any) -> Any:
            bucket = response.backend.get_bucket(response.bucket_name)
            shown = {"Status": bucket.versioning_status}
            if mfa_delete := getattr(bucket, "opentrail_mfa_delete", ""):
                shown["MFADelete"] = mfa_delete
            response.data["Action"] = "GetBucketVersioning"
            return response.serialized(ActionResult(shown))

        return get_bucket_versioning

    replace(S3Response, "_bucket_response_put", put)
    replace(S3Response, "get_bucket_versioning", get)


def _refuse_shortening(key: Any, mode: str | None, until: str | None) -> None:
    from moto.s3.exceptions import AccessDeniedByLock

    if key is None or key.lock_mode != "COMPLIANCE" or not key.lock_until:
        return
    locked_until = datetime.fromisoformat(key.lock_until)
    shortened = mode != "COMPLIANCE" or not until or datetime.fromisoformat(until) < locked_until
    if shortened and locked_until > datetime.now(UTC):
        raise AccessDeniedByLock


def _has_tags(account: str, bucket: Any, key: Any) -> bool:
    from moto.s3.models import s3_backends

    return bool(s3_backends[account][bucket.partition].tagger.get_tag_dict_for_resource(key.arn))


def _s3_event(account: str, bucket: Any, event_name: Any, key: Any) -> dict[str, Any]:
    from moto.s3.notifications import _detail_type

    detail: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": {"key": key.name, "size": key.size, "etag": key.etag.strip('"')},
        "requester": account,
        "reason": {"Delete": "DeleteObject", "Put": "PutObject", "Copy": "CopyObject"}.get(
            event_name.split(":")[-1], event_name.split(":")[-1]
        ),
    }
    if key.version_id not in (None, "null"):
        detail["object"]["version-id"] = str(key.version_id)
    return {
        "detail-type": _detail_type(event_name),
        "source": "aws.s3",
        "resources": [bucket.arn],
        "detail": detail,
    }
