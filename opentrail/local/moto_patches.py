"""Corrections of moto 5.2.5, applied once per process and active only while a runtime is installed.

Each entry names what moto does and what AWS does. Every one has a test in
``tests/adapters/local/test_moto_patches.py`` that also checks moto's own
behaviour, so that it fails when moto is corrected and the entry can go.

The patched classes are global, so the runtime they serve is too: ``install`` makes
one runtime the current one, ``uninstall`` gives moto back its own behaviour.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Hooks(Protocol):
    """What the runtime does in place of moto."""

    def invoke_function(
        self, function: Any, payload: bytes, headers: Mapping[str, str], answer_headers: dict[str, Any]
    ) -> bytes:
        """Run a Lambda function; ``function`` is moto's model of it."""

    def put_events(self, account: str, region: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put entries of PutEvents on a bus; return one result per entry."""

    def publish(self, account: str, region: str, event: dict[str, Any], *, rules: list[Any] | None) -> None:
        """Deliver an event of another service; to ``rules`` only, or to all rules of the default bus."""

    def message_added(self, queue: Any) -> None:
        """Take note that moto's ``queue`` has a new message."""


_current: Hooks | None = None
_applied = False
_apply_lock = threading.Lock()
_message_type = threading.local()


def install(hooks: Hooks, *, default_account: str) -> None:
    """Make ``hooks`` serve moto; requests with unknown keys belong to ``default_account``."""
    global _current, _applied
    with _apply_lock:
        if not _applied:
            for patch in (_s3, _sqs, _lambda, _events, _kms, _iam, _memory):
                patch()
            _applied = True
    _set_default_account(default_account)
    _current = hooks


def uninstall(hooks: Hooks) -> None:
    """Give moto back its own behaviour, unless another runtime took over in the meantime."""
    global _current
    if _current is hooks:
        _current = None
        _set_default_account("123456789012")


def _set_default_account(account: str) -> None:
    from moto.iam import models

    setattr(models, "DEFAULT_ACCOUNT_ID", account)  # noqa: B010 - moto does not export it


def _replace(owner: Any, name: str, build: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a function by ``build(original)``; without a runtime the original is called."""
    original = getattr(owner, name)
    replacement = build(original)

    @functools.wraps(original)
    def choose(*args: Any, **kwargs: Any) -> Any:
        return (original if _current is None else replacement)(*args, **kwargs)

    setattr(owner, name, choose)


def _hooks() -> Hooks:
    if _current is None:
        raise RuntimeError("the laptop runtime was stopped during a call")
    return _current


def _s3() -> None:
    from moto.s3 import notifications
    from moto.s3.models import FakeBucket

    # moto reads no Condition of a bucket policy: any statement with one denies, the usual
    # SecureTransport deny as well as CloudTrail's own Allow.
    def get_permission(_: Callable[..., Any]) -> Callable[..., Any]:
        def neutral(_bucket: Any, action: str, resource: str) -> Any:
            from moto.iam.access_control import PermissionResult

            return PermissionResult.NEUTRAL

        return neutral

    _replace(FakeBucket, "get_permission", get_permission)

    # moto gives every S3 event on the bus the same id, invented facts, and sends it to every
    # bus; AWS sends it to the default bus only.
    def send_event_bridge(_: Callable[..., Any]) -> Callable[..., Any]:
        def send(account: str, bucket: Any, event_name: str, key: Any) -> None:
            _hooks().publish(
                account, bucket.region_name, _s3_event(account, bucket, event_name, key), rules=None
            )

        return send

    _replace(notifications, "_send_event_bridge_message", send_event_bridge)

    # moto reports "tags added" for every PutObject, tags or not.
    def send_event(original: Callable[..., Any]) -> Callable[..., Any]:
        def send(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
            added = notifications.S3NotificationEvent.OBJECT_TAGGING_PUT_EVENT
            if event_name != added or _has_tags(account_id, bucket, key):
                original(account_id, event_name, bucket, key)

        return send

    _replace(notifications, "send_event", send_event)


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


def _sqs() -> None:
    from moto.sqs.models import Queue, SQSBackend

    # moto hands messages to mapped functions inside SendMessage and deletes them; our pollers
    # do what Lambda's do, so queues know of no mapping.
    def read(queue: Any) -> dict[str, Any]:
        known: dict[str, Any] = queue.__dict__.setdefault("_event_source_mappings", {})
        return known if _current is None else {}

    def write(queue: Any, value: dict[str, Any]) -> None:
        queue.__dict__["_event_source_mappings"] = value

    setattr(Queue, "lambda_event_source_mappings", property(read, write))  # noqa: B010 - an attribute there

    # moto rebuilds a queue's list of messages on every delete without a lock: a message sent
    # meanwhile by another thread is lost.
    def one_at_a_time(original: Callable[..., Any]) -> Callable[..., Any]:
        def locked(queue: Any, *args: Any, **kwargs: Any) -> Any:
            with queue._messages_lock:
                return original(queue, *args, **kwargs)

        return locked

    def add_message(original: Callable[..., Any]) -> Callable[..., Any]:
        locked = one_at_a_time(original)

        def add(queue: Any, message: Any) -> None:
            locked(queue, message)
            _hooks().message_added(queue)

        return add

    _replace(Queue, "delete_message", one_at_a_time)
    _replace(Queue, "add_message", add_message)

    def locked_queue(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(backend: Any, queue_name: str, *args: Any, **kwargs: Any) -> Any:
            with backend.get_queue(queue_name)._messages_lock:
                return original(backend, queue_name, *args, **kwargs)

        return call

    for name in ("receive_message", "purge_queue", "change_message_visibility"):
        _replace(SQSBackend, name, locked_queue)


def _lambda() -> None:
    from moto.awslambda.models import LambdaFunction

    # moto needs Docker, runs a function without its role, and never asynchronously.
    def invoke(_: Callable[..., Any]) -> Callable[..., Any]:
        def run(function: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
            payload = body.encode() if isinstance(body, str) else bytes(body or b"")
            headers = {name.lower(): value for name, value in dict(request_headers).items()}
            return _hooks().invoke_function(function, payload, headers, response_headers)

        return run

    _replace(LambdaFunction, "invoke", invoke)

    # moto drops these members of a function's configuration.
    kept = ("LoggingConfig", "DeadLetterConfig")

    def update(original: Callable[..., Any]) -> Callable[..., Any]:
        def apply(function: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
            _keep(function, config_updates)
            original(function, config_updates)
            answer: dict[str, Any] = function.get_configuration()
            return answer

        return apply

    def describe(original: Callable[..., Any]) -> Callable[..., Any]:
        def get(function: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return {**original(function, *args, **kwargs), **function.__dict__.get("_opentrail_kept", {})}

        return get

    def create(original: Callable[..., Any]) -> Callable[..., Any]:
        def init(function: Any, account_id: str, spec: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            original(function, account_id, spec, *args, **kwargs)
            _keep(function, spec)

        return init

    def _keep(function: Any, spec: Mapping[str, Any]) -> None:
        values = function.__dict__.setdefault("_opentrail_kept", {})
        values.update({name: spec[name] for name in kept if name in spec})

    _replace(LambdaFunction, "__init__", create)
    _replace(LambdaFunction, "update_configuration", update)
    _replace(LambdaFunction, "get_configuration", describe)


def _events() -> None:
    from moto.events.models import EventsBackend, Rule

    # moto raises on Lambda and SNS targets, ignores Input, rule states and dead-letter queues,
    # and parses and prints Detail again.
    def put_events(_: Callable[..., Any]) -> Callable[..., Any]:
        def put(backend: Any, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return _hooks().put_events(backend.account_id, backend.region_name, events)

        return put

    # Replays and partner services reach rules one by one.
    def send_to_targets(_: Callable[..., Any]) -> Callable[..., Any]:
        def send(rule: Any, original_event: dict[str, Any], transform_input: bool = True) -> None:
            _hooks().publish(rule.account_id, rule.region_name, dict(original_event), rules=[rule])

        return send

    _replace(EventsBackend, "put_events", put_events)
    _replace(Rule, "send_to_targets", send_to_targets)


def _kms() -> None:
    from cryptography.hazmat.primitives.asymmetric import utils as asymmetric
    from moto.kms import models, responses, utils

    # moto ignores MessageType and hashes a digest once more.
    def with_message_type(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(response: Any) -> Any:
            _message_type.value = response._get_param("MessageType")
            try:
                return original(response)
            finally:
                _message_type.value = None

        return call

    def is_digest() -> bool:
        return getattr(_message_type, "value", None) == "DIGEST"

    def rsa_hash(original: Callable[..., Any]) -> Callable[..., Any]:
        def choose(key: Any, signing_algorithm: str) -> Any:
            padding, algorithm = original(key, signing_algorithm)
            return padding, asymmetric.Prehashed(algorithm) if is_digest() else algorithm

        return choose

    def ecdsa_hash(original: Callable[..., Any]) -> Callable[..., Any]:
        def choose(key: Any, signing_algorithm: str) -> Any:
            algorithm = original(key, signing_algorithm)
            return asymmetric.Prehashed(algorithm) if is_digest() else algorithm

        return choose

    _replace(responses.KmsResponse, "sign", with_message_type)
    _replace(responses.KmsResponse, "verify", with_message_type)
    _replace(utils.RSAPrivateKey, "_RSAPrivateKey__padding_and_hash_algorithm", rsa_hash)
    _replace(utils.ECDSAPrivateKey, "_ECDSAPrivateKey__hash_algorithm", ecdsa_hash)

    # A disabled key, or one that waits for its deletion, still works in moto.
    def usable_only(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(backend: Any, key_id: str, *args: Any, **kwargs: Any) -> Any:
            _refuse_unusable(backend.describe_key(key_id))
            return original(backend, key_id, *args, **kwargs)

        return call

    for name in ("sign", "verify", "encrypt", "generate_data_key"):
        _replace(models.KmsBackend, name, usable_only)

    def decrypt(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(backend: Any, *args: Any, **kwargs: Any) -> Any:
            plaintext, arn = original(backend, *args, **kwargs)
            _refuse_unusable(backend.describe_key(arn))
            return plaintext, arn

        return call

    _replace(models.KmsBackend, "decrypt", decrypt)


def _refuse_unusable(key: Any) -> None:
    from moto.core.exceptions import JsonRESTError

    if key.key_state == "PendingDeletion":
        raise JsonRESTError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if not key.enabled:
        raise JsonRESTError("DisabledException", f"{key.arn} is disabled.")


def _iam() -> None:
    from moto.iam import models

    # moto's ids of users, groups and instance profiles lack IAM's prefixes.
    def with_prefix(prefix: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def build(original: Callable[..., Any]) -> Callable[..., Any]:
            def init(resource: Any, *args: Any, **kwargs: Any) -> None:
                original(resource, *args, **kwargs)
                resource.id = f"{prefix}{resource.id[:17].upper()}"

            return init

        return build

    _replace(models.User, "__init__", with_prefix("AIDA"))
    _replace(models.Group, "__init__", with_prefix("AGPA"))
    _replace(models.InstanceProfile, "__init__", with_prefix("AIPA"))


def _memory() -> None:
    from moto.core.common_models import BaseModel

    # moto keeps every object it ever made for its web page: a leak in a server that runs for days.
    def new(cls: type[Any], *args: Any, **kwargs: Any) -> Any:
        instance = object.__new__(cls)
        if _current is None:
            cls.instances_tracked.append(instance)
        return instance

    setattr(BaseModel, "__new__", staticmethod(new))  # noqa: B010 - a method there
