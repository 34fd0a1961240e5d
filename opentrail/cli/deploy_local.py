"""``make deploy-local``: the real CDK deploys every stack to the laptop, and the demo runs on them."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

import click

from opentrail.cli import demo
from opentrail.cli._cdk import CDK, Cdk
from opentrail.cli._stagehand import BrokenPromise, Terminal, check, laptop, proved, scene

# `cdk --progress events` prints one line per resource: stack, count, time, status, type, construct.
EVENT = re.compile(
    r"^(?P<stack>\S+) \| .* \| (?P<status>[A-Z_]+)\s+\| (?P<type>\S+)\s+\| (?P<name>.*)$", re.M
)

KEPT = {"logRetentionDays": "60"}
ADDING = {
    "cisAlarms": "true",
    "detectionsFolder": "detections",
    "minimalTrail": "true",
    "regions": "eu-west-1",
    "remediationMode": "observe",
    "sourceBucket": "central-trail-logs",
}
ADDED = (
    "OpenTrailCis",
    "OpenTrailDetections",
    "OpenTrailIngest",
    "OpenTrailRegionForwarder-eu-west-1",
    "OpenTrailRemediation",
    "OpenTrailSource",
)


@click.command(hidden=True)
def command() -> None:
    """Deploy OpenTrail to this machine with the real CDK, use it, change it, destroy it.

    Runs in a checkout that `make setup` has prepared.
    """
    if not CDK.exists():
        raise click.ClickException(f"there is no {CDK}: run `make deploy-local` in a checkout")
    started = time.monotonic()
    try:
        with laptop("--bare") as terminal, tempfile.TemporaryDirectory() as folder:
            play(terminal, Path(folder))
    except BrokenPromise as broken:
        click.echo(f"\n{click.style('FAILED', fg='red')}  {broken}", err=True)
        sys.exit(1)
    click.echo(f"\nEvery step held. {time.monotonic() - started:.0f} seconds.")


def play(terminal: Terminal, folder: Path) -> None:
    """All scenes, in order.

    Raises:
        BrokenPromise: at the first step that does not hold.
    """
    cdk, stacks = Cdk(terminal), folder / "stacks"
    scene("A  cdk deploy, to an endpoint without OpenTrail")
    cdk.synth(stacks)
    cdk.bootstrap(stacks)
    show(cdk.deploy(stacks), "✅")
    proved("every stack is deployed")
    demo.play(terminal, folder)
    repeat(cdk, stacks)
    change(terminal, cdk, folder / "changed")
    extend(cdk, folder / "extended")
    destroy(terminal, cdk, folder / "extended")


def repeat(cdk: Cdk, stacks: Path) -> None:
    """The same again changes nothing."""
    scene("B  cdk deploy once more")
    said = cdk.deploy(stacks)
    show(said, "✅")
    done = [line for line in said.splitlines() if "✅" in line]
    check(bool(done) and all("(no changes)" in line for line in done), f"something changed: {said}")
    proved("nothing changed")


def change(terminal: Terminal, cdk: Cdk, changed: Path) -> None:
    """An option is changed, seen in the diff, and deployed in place."""
    scene("C  Another option: the functions' logs are kept for 60 days")
    before = retention(terminal)
    cdk.synth(changed, **KEPT)
    said = cdk.diff(changed)
    click.echo(re.sub("^", "    ", said[said.index("[~] AWS::Logs::LogGroup") :][:200], flags=re.M))
    show(cdk.deploy(changed), "✅")
    after = retention(terminal)
    check(before.keys() == after.keys(), f"log groups were replaced: {before} {after}")
    check(set(after.values()) == {"60"}, f"the log groups keep {after}")
    proved(
        f"{len(after)} log groups were changed in place, from {', '.join(set(before.values()))} days to 60"
    )


def extend(cdk: Cdk, extended: Path) -> None:
    """The stacks that only options bring join those that are there."""
    scene("D  Every option that adds a stack")
    cdk.synth(extended, **KEPT, **ADDING)
    said = cdk.deploy(extended)
    show(said, "✅")
    there = re.findall(r"✅ +(OpenTrail[\w-]+)", said)
    missing = [name for name in ADDED if name not in there]
    check(not missing, f"these stacks were not deployed: {missing}")
    proved(f"{len(there)} stacks are deployed, {len(ADDED)} of them new")


def retention(terminal: Terminal) -> dict[str, str]:
    """Log group -> days."""
    query = "--query 'logGroups[].[logGroupName,to_string(retentionInDays)]' --output text"
    lines = terminal.aws(f"logs describe-log-groups {query}", quiet=True).splitlines()
    return dict(line.split() for line in lines)


def destroy(terminal: Terminal, cdk: Cdk, stacks: Path) -> None:
    """Everything goes but what holds audit data, and the command says what stays."""
    scene("E  cdk destroy")
    said = cdk.destroy(stacks)
    events = [found.groupdict() for found in EVENT.finditer(said)]
    kept = sorted({(one["type"], one["name"].strip()) for one in events if one["status"] == "DELETE_SKIPPED"})
    for type_name, name in kept:
        click.echo(f"    kept  {type_name}  {name}")
    types = {type_name for type_name, _ in kept}
    holding = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"}
    check(holding <= types, f"only {types} were kept: {said[-3000:]}")
    files = terminal.aws(f"s3 ls --recursive s3://{demo.BUCKET}/AWSLogs/", quiet=True).splitlines()
    check(len(files) > 0, "the log files are gone")
    names = terminal.aws("s3 ls", quiet=True)
    check("logsbucket" in names, f"the log bucket is gone: {names}")
    left = terminal.aws(
        "cloudformation describe-stacks --query 'Stacks[].StackName' --output text", quiet=True
    )
    check(left.split() == ["CDKToolkit"], f"stacks are left: {left}")
    proved("the stacks are gone; buckets, tables and keys are kept")


def show(said: str, mark: str) -> None:
    """Print the lines of a long output that carry a mark."""
    for line in said.splitlines():
        if mark in line:
            click.echo(f"    {line.strip()}")


if __name__ == "__main__":
    command()
