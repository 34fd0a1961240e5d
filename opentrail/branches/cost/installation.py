"""What is deployed whatever comes in. A test holds these numbers against the synthesized stacks.

The remediation and CIS stacks are options and left out.
"""

from __future__ import annotations

MEMORY_MIB = {
    "record": 1024,
    "deliver": 1769,
    "digest": 512,
    "insights": 1769,
    "rollup": 1024,
    "validate": 1769,
    "rotate": 256,
}
ALARMS = 20
DASHBOARDS = 1
METRICS = 13  # of these handlers; the API's are there only once it is asked
ENCRYPTION_KEYS = 1
SIGNING_KEYS = 1  # to begin with
QUEUES = 2  # that functions poll
INTAKE_WINDOW_SECONDS = 60
DELIVERY_WINDOW_SECONDS = 300
INTAKE_BATCH = 3000  # of ten thousand: Lambda takes 6 MB
INTAKE_CONCURRENCY = 2
DELIVERY_CONCURRENCY = 2
HISTORY_DAYS = 90
INSIGHTS_RUNS_A_DAY = 1440
ROLLUPS_A_DAY = 24
DIGESTS_A_DAY = 24
