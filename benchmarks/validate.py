"""opentrail validate against aws cloudtrail validate-logs, and against the floor: download and hash, no more.

One trail of 24 digests of 50 log files, one loopback endpoint that answers each
request after 20 ms. Whole processes are timed, in turns, after each ran once untimed
to leave its modules compiled, as they are where a command is used twice. Run it with
``python -m benchmarks.validate``; ratios are what counts, times depend on the machine.
``--digests 240`` shows what is left of the ratio to the floor when starting up is not
what counts; aws-cli, which would take five minutes for it, is then left out.

The floor is read twice: with 16 connections of one process, as it was measured when
the aims were set, and with as many connections and processes as the verifier has.
Neither inflates, which the verifier must: digests name the hash of what is inside.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import http.client
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.audit_server import AuditServer
from tests.support.tampering import ARN, BUCKET, HOUR, REGION, START, World, digest_name, iso, log_name

DIGESTS, FILES, RECORDS = 24, 50, 100
DELAY_SECONDS = 0.020
BIN = Path(sys.executable).parent
FLOORS = {"floor-16": (1, 16), "floor-all": (os.cpu_count() or 1, 32)}  # processes, connections of each


@dataclass(frozen=True, slots=True)
class Cost:
    """One process: wall-clock and processor seconds."""

    wall: float
    cpu: float


def big_world(digests: int) -> World:
    """Hours of 50 log files each; the bytes of a file do not compress to nothing."""
    world = World(windows={"current": (START - 24 * HOUR, START + 29 * 24 * HOUR)})
    previous = None
    for number in range(digests):
        begin, end = START + number * HOUR, START + (number + 1) * HOUR
        names = [
            _put_file(world, begin + timedelta(seconds=60 * i), number * FILES + i) for i in range(FILES)
        ]
        key = digest_name(end)
        world.add_digest(key, begin, end, names, previous)
        previous = key
    return world


def _put_file(world: World, moment: datetime, number: int) -> str:
    name = log_name(moment, f"F{number}")
    records = [
        {
            "eventID": hashlib.sha256(f"{number}/{i}".encode()).hexdigest(),
            "eventTime": iso(moment),
            "eventName": "CreateUser",
            "requestParameters": {"token": hashlib.sha512(f"{i}.{number}".encode()).hexdigest() * 2},
            "userAgent": "aws-cli/1.46 " * 40,
        }
        for i in range(RECORDS)
    ]
    world.objects[name] = gzip.compress(json.dumps({"Records": records}).encode(), mtime=0), {}
    return name


def _serve(pipe: Connection, digests: int) -> None:
    server = AuditServer(big_world(digests), DELAY_SECONDS)
    pipe.send((server.url, [key for key in server.keys if "/CloudTrail/" in key]))
    server.serve_forever()


def run(command: Sequence[str], environ: dict[str, str]) -> Cost:
    """Run one process to its end; it has to succeed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command[0]} exited {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def floor(url: str, keys: Sequence[str], processes: int, connections: int) -> None:
    """Download and hash."""
    shares = [(url, keys[i::processes], connections) for i in range(processes)]
    workers = [multiprocessing.Process(target=_floor_share, args=share) for share in shares]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _floor_share(url: str, keys: Sequence[str], connections: int) -> None:
    def read(mine: Sequence[str]) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        for key in mine:
            connection.request("GET", f"/{BUCKET}/{key}")
            hashlib.sha256(connection.getresponse().read()).hexdigest()

    threads = [threading.Thread(target=read, args=(keys[i::connections],)) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Time the three in turns and print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--digests", type=int, default=DIGESTS)
    parser.add_argument("--floor", nargs=3, metavar=("URL", "KEYS", "NAME"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.floor:
        url, listing, name = given.floor
        floor(url, json.loads(Path(listing).read_text()), *FLOORS[name])
        return
    mine, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(theirs, given.digests), daemon=True)
    server.start()
    url, keys = mine.recv()
    try:
        compare(url, keys, given.rounds, given.digests)
    finally:
        server.terminate()
        server.join()


def compare(url: str, keys: Sequence[str], rounds: int, digests: int) -> None:
    """Print seconds and ratios, the median of pairs."""
    listing = Path(tempfile.gettempdir()) / f"opentrail-floor-{os.getpid()}.json"
    listing.write_text(json.dumps(keys))
    left_out = ("AWS_", "PYTHONDONTWRITEBYTECODE")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    environ |= {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "NO_PROXY": "127.0.0.1",
    }
    span = ["--trail-arn", ARN, "--s3-bucket", BUCKET]
    span += ["--start-time", iso(START), "--end-time", iso(START + (digests + 1) * HOUR)]
    commands = {
        "opentrail": [str(BIN / "opentrail"), "validate", *span],
        "aws-cli": [str(BIN / "aws"), "cloudtrail", "validate-logs", *span],
        **{
            name: [sys.executable, "-m", "benchmarks.validate", "--floor", url, str(listing), name]
            for name in FLOORS
        },
    }
    if digests > DIGESTS:
        del commands["aws-cli"]
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    try:
        for turn in range(rounds + 1):
            for name, command in commands.items():
                cost = run(command, environ)
                if turn:
                    costs[name].append(cost)
    finally:
        listing.unlink()
    for name, found in costs.items():
        wall = statistics.median(cost.wall for cost in found)
        print(f"{name:10} wall {wall:6.2f} s   CPU {statistics.median(cost.cpu for cost in found):5.2f} s")
    for name, aim in (("aws-cli", "wall <= 0.07, CPU <= 0.4"), *((name, "wall <= 1.25") for name in FLOORS)):
        if name not in costs:
            continue
        pairs = list(zip(costs["opentrail"], costs[name], strict=True))
        wall = statistics.median(ours.wall / other.wall for ours, other in pairs)
        cpu = statistics.median(ours.cpu / other.cpu for ours, other in pairs)
        print(f"opentrail / {name}: wall {wall:.3f}, CPU {cpu:.2f} (aim: {aim})")


if __name__ == "__main__":
    main()
