"""What AWS itself counted of a deployment: CloudWatch's metrics of its functions and tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from opentrail.adapters.aws.failure import storage_errors
from opentrail.branches.cost import Measured
from opentrail.branches.cost.installation import MEMORY_MIB

DAY_SECONDS = 86_400
FUNCTION, TABLE = "FunctionName", "TableName"


def measure(clients: Any, outputs: Mapping[str, str], start: datetime, end: datetime) -> Measured:
    """Sum the metrics of every function and table that ``outputs`` of the stacks name, in whole days.

    What CloudWatch has nothing of stays unknown. Needs ``cloudwatch:GetMetricData``.

    Raises:
        StorageError: CloudWatch refused or did not answer.
    """
    sums = _sums(clients("cloudwatch"), _queries(outputs), start, end)
    seconds = {stage: sums.get(f"{stage}_Duration", 0.0) / 1000 for stage in MEMORY_MIB}
    runs = _total(sums, "_Invocations")
    return Measured(
        runs=runs,
        gb_seconds=sum(seconds[stage] * MEMORY_MIB[stage] / 1024 for stage in seconds) if runs else None,
        writes=_total(sums, "_ConsumedWriteCapacityUnits"),
        reads=_total(sums, "_ConsumedReadCapacityUnits"),
    )


def _queries(outputs: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for name, value in outputs.items():
        stage = name.removesuffix(FUNCTION).lower()
        if name.endswith(FUNCTION) and stage in MEMORY_MIB:
            found += [_query("AWS/Lambda", m, FUNCTION, value, stage) for m in ("Invocations", "Duration")]
        elif name.endswith(TABLE) and not name.startswith("Exports"):
            table = name.removesuffix(TABLE).lower()
            metrics = ("ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits")
            found += [_query("AWS/DynamoDB", metric, TABLE, value, table) for metric in metrics]
    return found


def _query(namespace: str, metric: str, dimension: str, value: str, of: str) -> dict[str, Any]:
    named = {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": dimension, "Value": value}],
    }
    return {
        "Id": f"{of}_{metric}",
        "MetricStat": {"Metric": named, "Period": DAY_SECONDS, "Stat": "Sum"},
    }


def _sums(cloudwatch: Any, queries: list[dict[str, Any]], start: datetime, end: datetime) -> dict[str, float]:
    """By query; those without any value are absent."""
    sums: dict[str, float] = {}
    if not queries:
        return sums
    with storage_errors("read the metrics of the deployment"):
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=start, EndTime=end
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                if result["Values"]:
                    sums[result["Id"]] = sums.get(result["Id"], 0.0) + sum(result["Values"])
    return sums


def _total(sums: Mapping[str, float], suffix: str) -> float | None:
    values = [value for name, value in sums.items() if name.endswith(suffix)]
    return sum(values) if values else None
