"""How long a dangerous change lasts on the laptop: from the call's answer to the live resource fixed.

Buckets are made public in turns; each time a second client looks until the bucket is private. In turns,
because the playbook looks again after its fix, and a bucket that is public anew by then is a failure.
The limits of the playbook are raised first: they would stop it after a handful of acts.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import boto3

READY = "OpenTrail ready at "
BUCKETS = [f"customer-data-{number}" for number in range(20)]
RUNS = 200
POLL_SECONDS = 0.005
PATIENCE_SECONDS = 30
LIMITS = ("OPENTRAIL_ACTS_PER_HOUR", "OPENTRAIL_ACTS_PER_RESOURCE")


def client(service: str, endpoint: str) -> Any:
    """A client of the laptop."""
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
    )


def raise_limits(endpoint: str) -> None:
    """Let the playbook act as often as it likes."""
    functions = client("lambda", endpoint)
    for function in functions.get_paginator("list_functions").paginate().search("Functions[]"):
        variables = function.get("Environment", {}).get("Variables", {})
        if variables.get("OPENTRAIL_PLAYBOOK") == "s3-public-acl":
            changed = {**variables, **dict.fromkeys(LIMITS, "1000000")}
            functions.update_function_configuration(
                FunctionName=function["FunctionName"], Environment={"Variables": changed}
            )


def one_run(s3: Any, bucket: str) -> float:
    """Make the bucket public; return the seconds until it is private."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    began = time.perf_counter()
    while len(s3.get_bucket_acl(Bucket=bucket)["Grants"]) > 1:
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise SystemExit("the bucket stays public")
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - began


def main() -> None:
    """Start a laptop, measure, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    runs = parser.parse_args().runs
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    laptop = subprocess.Popen(
        [Path(sys.executable).parent / "opentrail", "up", "--port", "0", "--remediation", "enforce"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert laptop.stdout is not None  # it was asked for
        endpoint = laptop.stdout.readline().strip().removeprefix(READY)
        raise_limits(endpoint)
        s3 = client("s3", endpoint)
        for bucket in BUCKETS:
            s3.create_bucket(Bucket=bucket)
        first = one_run(s3, BUCKETS[-1])
        times = [one_run(s3, BUCKETS[number % len(BUCKETS)]) for number in range(runs)]
    finally:
        laptop.send_signal(signal.SIGINT)
        laptop.wait()
    p99 = quantiles(times, n=100)[98] if runs > 1 else times[0]
    print(f"call to fix, {runs} runs: median {median(times):.3f} s, p99 {p99:.3f} s")
    print(f"the first, with a cold function: {first:.3f} s")


if __name__ == "__main__":
    main()
