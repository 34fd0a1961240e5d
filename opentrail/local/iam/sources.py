"""moto's policies: those a caller has, and the one a resource has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opentrail.local.backends import existing
from opentrail.local.call import Call
from opentrail.local.capture.resources import partition_of
from opentrail.local.iam.context import principal_arn
from opentrail.local.iam.policy import Document


@dataclass(frozen=True, slots=True)
class Held:
    """What a caller holds; ``boundary`` is None where there is none."""

    policies: tuple[Document, ...] = ()
    boundary: Document | None = None


def held_by(call: Call) -> Held:
    """Return the policies of the user or role behind a call: inline, attached, of groups, the boundary."""
    backend = _iam(call.caller.account, partition_of(call.region))
    arn = principal_arn(call)
    holders = [*backend.roles.values(), *backend.users.values()] if backend else []
    holder = next((one for one in holders if one.arn == arn), None)
    if holder is None:
        return Held()
    sources = [holder, *_groups(backend, holder)]
    boundary = getattr(holder, "permissions_boundary_arn", None)
    return Held(
        policies=tuple(document for one in sources for document in _documents(one)),
        boundary=_attached(backend, boundary) if boundary else None,
    )


def _iam(account: str, partition: str) -> Any:
    from moto.iam.models import iam_backends

    return existing(iam_backends, account, partition)


def _groups(backend: Any, holder: Any) -> list[Any]:
    return [group for group in backend.groups.values() if holder in group.users]


def _documents(holder: Any) -> Iterator[Document]:
    for document in holder.policies.values():
        yield _parsed(document)
    for policy in holder.managed_policies.values():
        yield _managed(policy)


def _attached(backend: Any, arn: str) -> Document:
    policy = backend.managed_policies.get(arn)
    return _managed(policy) if policy else {"Statement": []}


def _managed(policy: Any) -> Document:
    default = next(one for one in policy.versions if one.version_id == policy.default_version_id)
    return _parsed(default.document)


def _parsed(document: Any) -> Document:
    parsed: Document = document if isinstance(document, dict) else json.loads(document)
    return parsed


def policy_of(resource: str) -> Document | None:
    """Return the policy of a resource, None where it has none."""
    parts = resource.split(":", 5)
    if len(parts) != 6:
        return None
    _, partition, service, region, account, name = parts
    reader = _READERS.get(service)
    found = reader(partition, region, account, name) if reader else None
    if not found:
        return None
    return _parsed(found.decode() if isinstance(found, bytes) else found)


def owner_of(resource: str) -> str:
    """Return the account a resource belongs to; "" where that is not known."""
    parts = resource.split(":", 5)
    if len(parts) != 6:
        return ""
    return bucket_owner(parts[5].partition("/")[0]) if parts[2] == "s3" else parts[4]


def bucket_owner(name: str) -> str:
    """Return the account of a bucket."""
    from moto.s3.models import s3_backends

    return str(s3_backends.bucket_accounts.get(name, ("", ""))[1])


def bucket(name: str) -> Any:
    """Return moto's bucket, or None."""
    from moto.s3.models import s3_backends

    partition, account = s3_backends.bucket_accounts.get(name, ("aws", ""))
    backend = existing(s3_backends, account, partition)
    return backend.buckets.get(name) if backend else None


def queue(region: str, account: str, name: str) -> Any:
    """Return moto's queue, or None."""
    from moto.sqs.models import sqs_backends

    backend = existing(sqs_backends, account, region)
    return backend.queues.get(name) if backend else None


def topic(arn: str) -> Any:
    """Return moto's topic, or None."""
    from moto.sns.models import sns_backends

    _, _, _, region, account, _ = arn.split(":", 5)
    backend = existing(sns_backends, account, region)
    return backend.topics.get(arn) if backend else None


def table(region: str, account: str, name: str) -> Any:
    """Return moto's table, or None."""
    from moto.dynamodb.models import dynamodb_backends

    backend = existing(dynamodb_backends, account, region)
    return backend.tables.get(name) if backend else None


def key(region: str, account: str, name: str) -> Any:
    """Return moto's KMS key of an id or alias, or None."""
    from moto.kms.models import kms_backends

    backend = existing(kms_backends, account, region)
    if backend is None:
        return None
    found = backend.get_key_id_from_alias(name) if name.startswith("alias/") else name.rpartition("/")[2]
    return backend.keys.get(found)


def key_tags(resource: str) -> dict[str, str]:
    """Return the tags of a KMS key; of no other resource."""
    from moto.kms.models import kms_backends

    parts = resource.split(":", 5)
    if len(parts) != 6 or parts[2] != "kms":
        return {}
    backend = existing(kms_backends, parts[4], parts[3])
    name = parts[5].removeprefix("key/")
    tags: dict[str, str] = backend.tagger.get_tag_dict_for_resource(name) if backend else {}
    return tags


def _bucket_policy(_partition: str, _region: str, _account: str, name: str) -> Any:
    found = bucket(name.partition("/")[0])
    return found.policy if found else None


def _queue_policy(_partition: str, region: str, account: str, name: str) -> Any:
    found = queue(region, account, name)
    return found.policy if found else None


def _topic_policy(partition: str, region: str, account: str, name: str) -> Any:
    found = topic(f"arn:{partition}:sns:{region}:{account}:{name}")
    return found.policy if found else None


def _table_policy(partition: str, region: str, account: str, name: str) -> Any:
    from moto.dynamodb.models import dynamodb_backends

    backend = existing(dynamodb_backends, account, region)
    own = "/".join(name.split("/")[:2])  # an index has its table's
    found = (
        backend.resource_policies.get(f"arn:{partition}:dynamodb:{region}:{account}:{own}")
        if backend
        else None
    )
    return found.policy_doc if found else None


def _key_policy(_partition: str, region: str, account: str, name: str) -> Any:
    found = key(region, account, name)
    return found.policy if found else None


def _trust_policy(partition: str, _region: str, account: str, name: str) -> Any:
    backend = _iam(account, partition)
    arn = f"arn:{partition}:iam::{account}:{name}"
    roles = backend.roles.values() if backend else ()
    return next((role.assume_role_policy_document for role in roles if role.arn == arn), None)


_READERS = {
    "dynamodb": _table_policy,
    "iam": _trust_policy,
    "kms": _key_policy,
    "s3": _bucket_policy,
    "sns": _topic_policy,
    "sqs": _queue_policy,
}
