"""What counting for Insights costs, against the record function's work on the same records.

The deliver function counts, while it indexes a history file: it has the records read already. Measured
are the counts of calls and who called (``Tally``), turn about with the record function (parse, accept,
select for two trails and history, pack), over the same records in slices of 10,000; CPU time, the median
ratio of the slices. The history files are those the pipeline makes of a slice.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from benchmarks.delivery import SLICE, MemoryStore, cpu_seconds, median_ratio, run_deliver, run_record
from benchmarks.records import envelope, generate
from opentrail.branches.history.attributes import Indexed, read_record
from opentrail.branches.history.tally import MANAGEMENT, Tally
from opentrail.format.log_file import decompress, split_records


def count(files: Sequence[Sequence[Indexed]]) -> None:
    """Count each file's records, and write down the counts and callers as its index item has them."""
    for records in files:
        tally = Tally(MANAGEMENT)
        tally.add(records)
        assert tally.counts()
        tally.callers()


def history_of(store: MemoryStore) -> list[list[Indexed]]:
    """The records of each history file, read as the index reads them."""
    return [
        [read_record(raw) for raw in split_records(decompress(body))]
        for (bucket, _), body in store.objects.items()
        if bucket == "history"
    ]


def main() -> None:
    """Measure and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    options = parser.parse_args()
    bodies = [envelope(raw, number) for number, raw in enumerate(generate(options.records))]
    times: dict[str, list[float]] = defaultdict(list)
    for start in range(0, len(bodies), SLICE):
        part = bodies[start : start + SLICE]
        queue = run_record(part)
        files = history_of(run_deliver(queue))
        times["record"].append(cpu_seconds(partial(run_record, part)))
        times["count"].append(cpu_seconds(partial(count, files)))
        times["deliver"].append(cpu_seconds(partial(run_deliver, queue)))
    to_record = median_ratio(times["count"], times["record"])
    to_both = median_ratio(
        times["count"], [r + d for r, d in zip(times["record"], times["deliver"], strict=True)]
    )
    print(f"counting / record function:             {to_record:.1%}   aim <= 10%")
    print(f"counting / record and deliver function: {to_both:.1%}")


if __name__ == "__main__":
    main()
