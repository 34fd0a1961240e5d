"""``opentrail redrive``: give messages that were given up another chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from opentrail.adapters.aws.clients import client
from opentrail.adapters.aws.dead_letters import DeadLetter, DeadLetters
from opentrail.adapters.aws.deployment import QueueState, find_deployment, read_queues
from opentrail.cli._deployment import UNREACHABLE, UncheckedError, prefix_option
from opentrail.cli._words import counted
from opentrail.errors import StorageError

TOO_OFTEN = "failed too often; the function's log says why"


@click.command("redrive")
@click.argument("queue", required=False)
@click.option("--reason", default="", help="Only messages whose reason holds this text.")
@click.option("--limit", type=click.IntRange(1), help="At most so many messages.")
@prefix_option
def command(queue: str | None, reason: str, limit: int | None, name_prefix: str) -> None:
    """Without QUEUE, say what lies in each dead-letter queue and why. With it, send its messages back.

    Repair first what the reason says is wrong: a message that cannot be read comes back here.

    QUEUE is intake, delivery or, where log files of CloudTrail's own are ingested, ingest.

    Exit code 0: done. 1: there is no such queue. 2: it could not be done.
    """
    try:
        queues = list(read_queues(client, find_deployment(client, name_prefix)))
        if queue is None:
            for state in queues:
                click.echo(_summary(state))
            return
        chosen = [state for state in queues if state.name.lower() == queue.lower()]
        if not chosen:
            names = ", ".join(state.name.lower() for state in queues)
            raise click.ClickException(f"no queue {queue}; there are: {names}")
        moved = send_back(_letters_of(chosen[0]), reason=reason, limit=limit)
    except (StorageError, *UNREACHABLE) as error:
        raise UncheckedError(str(error)) from error
    click.echo(f"{counted(moved, 'message')} sent back to {chosen[0].name.lower()}")


def send_back(letters: DeadLetters, *, reason: str = "", limit: int | None = None) -> int:
    """Send the messages back whose reason holds ``reason``; answer their number.

    Raises:
        StorageError: SQS refused or did not answer; earlier ones are sent.
    """
    moved = 0
    left: list[DeadLetter] = []
    for letter in letters.read():
        if reason in letter.reason and (limit is None or moved < limit):
            letters.send_back(letter)
            moved += 1
        else:
            left.append(letter)
    for letter in left:  # only now: a message that is free is received again
        letters.release(letter)
    return moved


def _letters_of(state: QueueState) -> DeadLetters:
    return DeadLetters(client("sqs"), url=state.dead_url, source_url=state.url)


def _summary(state: QueueState) -> str:
    lines = [f"{state.name.lower()}: {state.dead} given up"]
    letters = _letters_of(state)
    found = list(letters.read()) if state.dead else []
    for letter in found:
        letters.release(letter)
    return "\n".join([*lines, *_reasons(found)])


def _reasons(letters: Iterable[DeadLetter]) -> list[str]:
    counts = Counter(letter.reason or TOO_OFTEN for letter in letters)
    return [f"  {count}  {reason}" for reason, count in counts.most_common()]
