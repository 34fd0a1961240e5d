"""``opentrail cost``: what CloudTrail would charge, and what this deployment costs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import click
from click.core import ParameterSource

from opentrail.branches.cost import (
    GROUPS,
    Keeping,
    Line,
    Workload,
    cloudtrail_charge,
    estimate,
    group,
    load_prices,
    of_trails,
    own_cost,
)
from opentrail.cli._bill import Bill, no_such_trail
from opentrail.cli._deployment import UNREACHABLE, UncheckedError, prefix_option
from opentrail.cli._meter import Metered, read_meter, today
from opentrail.errors import StorageError
from opentrail.model.usage import Usage, total

LEAST_IN_GLACIER = 90  # days, as the stacks' options deepArchiveDays and glacierDays
DAY = click.DateTime(formats=["%Y-%m-%d"])
ESTIMATE_ONLY = (
    "events_per_month",
    "data_share",
    "write_share",
    "places",
    "trails",
    "insights_types",
    "forwarded_share",
)
METER_ONLY = ("since", "until", "trail", "by", "name_prefix")


@click.command("cost")
@click.option("--from", "since", type=DAY, help="The first day, UTC (default: the first of this month).")
@click.option("--to", "until", type=DAY, help="The last day, UTC (default: today).")
@click.option("--trail", help="The charge for one trail alone: its name or ARN.")
@click.option(
    "--by",
    type=click.Choice(list(GROUPS)),
    default="trail",
    show_default=True,
    help="Rows of the first table.",
)
@click.option(
    "--months-kept", type=click.FloatRange(0), default=12, show_default=True, help="How long files are kept."
)
@click.option(
    "--glacier-days", type=click.IntRange(0), default=0, help="As the option glacierDays of the stacks."
)
@click.option("--deep-archive-days", type=click.IntRange(0), default=0, help="As the option deepArchiveDays.")
@click.option(
    "--estimate",
    "estimated",
    is_flag=True,
    help="Instead of what was metered: a month, by the options below.",
)
@click.option("--events-per-month", type=click.FloatRange(0), default=1_000_000, show_default=True)
@click.option(
    "--data-share", type=click.FloatRange(0, 1), default=0, help="How many are data events: 0 to 1."
)
@click.option(
    "--write-share", type=click.FloatRange(0, 1), default=0.3, show_default=True, help="Of management events."
)
@click.option("--places", type=click.IntRange(1), default=1, help="Accounts times Regions with events.")
@click.option("--trails", type=click.IntRange(1), default=1, help="With all management events.")
@click.option(
    "--insights-types", type=click.IntRange(0, 2), default=0, help="1: call rates; 2: error rates, too."
)
@click.option(
    "--forwarded-share",
    type=click.FloatRange(0, 1),
    default=0,
    help="From other accounts or Regions: 0 to 1.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, with every day's readings.")
@prefix_option
@click.pass_context
def command(context: click.Context, /, as_json: bool, estimated: bool, **options: Any) -> None:
    """Price what was delivered: what CloudTrail would charge for it, and what this deployment costs.

    Events, files and bytes are metered, of each trail, account, Region and day. Prices are list
    prices in US dollars, without free tiers; docs/cost.md says how the rest is computed.

    Asks the deployment in AWS, or the `opentrail up` that AWS_ENDPOINT_URL names. With --estimate it
    asks nobody.

    Exit code 0: done. 1: no such trail. 2: it could not be found out.
    """
    _refuse(context, METER_ONLY if estimated else ESTIMATE_ONLY, estimated)
    if (
        0 < options["deep_archive_days"] < options["glacier_days"] + LEAST_IN_GLACIER
        and options["glacier_days"]
    ):
        raise click.UsageError(
            f"--deep-archive-days must be at least {LEAST_IN_GLACIER} days after --glacier-days"
        )
    keeping = Keeping(
        months=options["months_kept"],
        glacier_days=options["glacier_days"],
        deep_archive_days=options["deep_archive_days"],
    )
    if estimated:
        bill = _estimate(options, keeping)
    else:
        first, last = _span(options["since"], options["until"])
        try:
            metered = read_meter(options["name_prefix"], first, last)
        except (StorageError, *UNREACHABLE) as error:
            raise UncheckedError(str(error)) from error
        bill = _bill(metered, options, keeping)
    if as_json:
        click.echo(json.dumps(bill.as_object(), indent=2))
    else:
        bill.show()


def _refuse(context: click.Context, names: Sequence[str], estimated: bool) -> None:
    """Options of the other mode: better an error than a number that is not what was asked for."""
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if parameter.name in names and given:
            raise click.UsageError(
                f"{parameter.opts[0]} {'does not go' if estimated else 'goes'} with --estimate"
            )


def _estimate(options: dict[str, Any], keeping: Keeping) -> Bill:
    workload = Workload(
        events=options["events_per_month"],
        **{name: options[name] for name in ESTIMATE_ONLY if name != "events_per_month"},
    )
    load, usage = estimate(workload)
    return Bill(
        about=f"A month of {workload.events:,.0f} events. {_priced(keeping)}",
        cloudtrail=cloudtrail_charge(usage, keeping, load_prices()),
        own=own_cost(load, keeping, load_prices()),
    )


def _bill(metered: Metered, options: Mapping[str, Any], keeping: Keeping) -> Bill:
    trails = of_trails(metered.readings)
    name = options["trail"]
    if name:
        known = sorted({reading.destination for reading in trails})
        trails = [r for r in trails if name in (r.destination, _trail_name(r.destination))]
        if not trails:
            raise no_such_trail(name, known)
    return Bill(
        about=f"Delivered from {metered.first} to {metered.last}. {_priced(keeping)}",
        cloudtrail=cloudtrail_charge(total(r.usage for r in trails), keeping, load_prices()),
        own=[] if name else _own(metered, keeping),
        grouped_by=options["by"],
        usage=_short(group(trails, options["by"])),
        readings=trails if name else metered.readings,
    )


def _own(metered: Metered, keeping: Keeping) -> list[Line]:
    return own_cost(metered.load, keeping, load_prices(), keys=metered.keys, measured=metered.measured)


def _span(since: Any, until: Any) -> tuple[date, date]:
    """The first and the last day. Without a first one, that of the last one's month."""
    last = until.date() if until else today()
    first = since.date() if since else last.replace(day=1)
    if first > last:
        raise click.UsageError(f"--from {first} is after --to {last}")
    if first > today():
        raise click.UsageError(f"{first} is still to come")
    return first, last


def _trail_name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _short(usage: Mapping[str, Usage]) -> Mapping[str, Usage]:
    """Trails by their names, where no two have the same."""
    short = {_trail_name(name): each for name, each in usage.items()}
    return short if len(short) == len(usage) else usage


def _priced(keeping: Keeping) -> str:
    prices = load_prices()
    return (
        f"List prices of {prices.region}, {prices.dated}, without free tiers; "
        f"S3 for the {keeping.months:g} months files are kept."
    )
