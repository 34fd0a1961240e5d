"""``opentrail redrive``."""

from __future__ import annotations

from click.testing import CliRunner, Result
from moto import mock_aws

from opentrail.adapters.aws.clients import client
from opentrail.cli.redrive import command
from tests.adapters.operating.conftest import bodies, give_up

Queues = dict[str, str]


def redrive(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def test_without_a_queue_it_says_what_was_given_up_and_why_and_leaves_it(queues: Queues) -> None:
    give_up(queues, "{", "record is not JSON")
    give_up(queues, "[", "record is not JSON")
    give_up(queues, "chunk", queue="Delivery")

    shown = redrive()

    assert shown.output.splitlines() == [
        "intake: 2 given up",
        "  2  record is not JSON",
        "delivery: 1 given up",
        "  1  failed too often; the function's log says why",
    ]
    assert bodies(queues["IntakeDeadLetter"]) == ["[", "{"]


def test_messages_go_back_to_their_queue(queues: Queues) -> None:
    for number in range(12):
        give_up(queues, f"m{number:02}", queue="Delivery")
    give_up(queues, "other", "no")

    done = redrive("delivery")

    assert done.output == "12 messages sent back to delivery\n"
    assert len(bodies(queues["Delivery"])) == 10  # the most that SQS shows at once
    assert bodies(queues["DeliveryDeadLetter"]) == []
    assert bodies(queues["IntakeDeadLetter"]) == ["other"]


def test_only_those_with_a_reason_and_only_so_many(queues: Queues) -> None:
    give_up(queues, "a", "record has no eventID")
    give_up(queues, "b", "record is not UTF-8")
    give_up(queues, "c", "record is not UTF-8")

    done = redrive("intake", "--reason", "UTF-8", "--limit", "1")

    assert done.output == "1 message sent back to intake\n"
    assert len(bodies(queues["IntakeDeadLetter"])) == 2
    assert "a" in bodies(queues["IntakeDeadLetter"])


def test_a_queue_that_is_not_there(queues: Queues) -> None:
    done = redrive("nowhere")

    assert (done.exit_code, "there are: intake, delivery" in done.output) == (1, True)


def test_no_deployment() -> None:
    with mock_aws():
        client.cache_clear()

        done = redrive()

    assert done.exit_code == 2
    assert "no stack OpenTrailPipeline in this account and Region" in done.output
