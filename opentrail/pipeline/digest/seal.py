"""Files of one window -> a signed digest, and the chain it moves on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from opentrail.format import digest_file, keys, log_file, times, tree_head
from opentrail.model.digest import Chain, Link, SealedDigest
from opentrail.model.log_file import FileRow
from opentrail.model.usage import Usage
from opentrail.pipeline.digest.ports import DigestStore, Signer


def seal_window(
    chain: Chain, rows: Sequence[FileRow], *, start: datetime, end: datetime, signer: Signer
) -> Chain:
    """Decide the next digest of ``chain``: its bytes and signature become ``pending``.

    Nothing is stored here. The chain that comes back names the digest as its
    head, so that once it is saved no other digest can take its place.
    """
    link, sealed = _seal(chain, rows, start=start, end=end, signer=signer, previous=chain.head)
    return msgspec.structs.replace(chain, end=times.to_iso(end), head=link, pending=sealed)


def seal_backfill(
    chain: Chain, rows: Sequence[FileRow], *, start: datetime, end: datetime, now: datetime, signer: Signer
) -> Chain:
    """Decide a digest of late files, as ``seal_window`` does; ``chain`` itself does not move on.

    Backfill digests have names and a chain of their own, and say when they were made.
    """
    generated = f"{times.to_iso(now)[:-1]}.000Z"  # as CloudTrail writes it
    link, sealed = _seal(
        chain, rows, start=start, end=end, signer=signer, previous=chain.backfill_head, generated=generated
    )
    return msgspec.structs.replace(chain, backfill_end=times.to_iso(end), backfill_head=link, pending=sealed)


def _seal(
    chain: Chain,
    rows: Sequence[FileRow],
    *,
    start: datetime,
    end: datetime,
    signer: Signer,
    previous: Link | None,
    generated: str = "",
) -> tuple[Link, SealedDigest]:
    key = keys.digest_key(
        prefix=chain.prefix,
        organization=chain.organization_id,
        place=chain.place,
        trail=chain.trail_arn.rpartition("/")[2],
        home_region=chain.trail_arn.split(":")[3],
        end=end,
        backfill=bool(generated),
    )
    digest = digest_file.make_digest(
        place=chain.place,
        start=start,
        end=end,
        bucket=chain.bucket,
        key=key,
        fingerprint=digest_file.fingerprint_of(digest_file.pkcs1_of(signer.public_key())),
        previous=previous,
        files=[row.file for row in rows],
    )
    document = digest_file.encode_digest(digest)
    text = digest_file.text_to_sign(
        end=digest.end,
        bucket=chain.bucket,
        key=key,
        document=document,
        previous_signature=digest.previous_signature,
    )
    signature = signer.sign(text).hex()
    link = Link(bucket=chain.bucket, key=key, sha256=log_file.sha256_hex(document), signature=signature)
    sealed = SealedDigest(
        bucket=chain.bucket,
        key=key,
        document=document,
        signature=signature,
        file_ids=tuple(row.id for row in rows),
        generated=generated,
        usage=_usage_by_day(rows),
    )
    return link, sealed


def _usage_by_day(rows: Sequence[FileRow]) -> dict[str, Usage]:
    days: dict[str, Usage] = {}
    for row in rows:
        day = times.to_iso(times.from_epoch(row.file.created_at))[:10]
        days[day] = days.get(day, Usage()) + row.file.usage
    return days


def store_digest(sealed: SealedDigest, store: DigestStore, *, kms_key_arn: str, trail_arn: str) -> None:
    """Put a decided digest and its tree object where their names say; again, the same bytes go there.

    Raises:
        StorageError: the store refused.
    """
    generated = {digest_file.GENERATED_METADATA: sealed.generated} if sealed.generated else {}
    store.put(
        sealed.bucket,
        sealed.key,
        log_file.compress(sealed.document),
        kms_key_arn=kms_key_arn,
        trail_arn=trail_arn,
        metadata={
            digest_file.SIGNATURE_METADATA: sealed.signature,
            digest_file.ALGORITHM_METADATA: digest_file.SIGNATURE_ALGORITHM,
            **generated,
        },
    )
    if sealed.tree:  # a digest that was decided before there were trees has none
        store.put(
            sealed.bucket,
            tree_head.tree_key(sealed.key),
            log_file.compress(sealed.tree),
            kms_key_arn=kms_key_arn,
            trail_arn=trail_arn,
            metadata={},
        )
