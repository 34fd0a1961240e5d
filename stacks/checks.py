"""The rule packs every synthesis is checked against, and the exceptions that are the design's own."""

from __future__ import annotations

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from stacks.acknowledge import acknowledge

# Exceptions of one resource stand where that resource is made. These follow from how all of it is built.
_BY_DESIGN = {
    "NIST.800.53.R5-IAMNoInlinePolicy": "Each role serves one function and its policy is that function's: "
    "nobody shall reuse it, and it goes when its role goes.",
    "NIST.800.53.R5-LambdaInsideVPC": "The functions talk to AWS services alone and listen to nobody; a VPC "
    "would add endpoints that are paid by the hour, and another way to lose records.",
    "NIST.800.53.R5-LambdaConcurrency": "Pollers bound how many run at once. Reserving would take from the "
    "account's share, and throttle where records should rather wait in their queue.",
    "NIST.800.53.R5-LambdaDLQ": "What comes by a queue goes to that queue's dead-letter queue; playbooks "
    "have an on-failure destination; what the clock starts does the missed work at its next run.",
    "NIST.800.53.R5-CloudWatchLogGroupEncrypted": "Logs of functions and of requests hold no records, only "
    "counts and ids, and are encrypted by CloudWatch Logs with a key of AWS's.",
}


def check(app: cdk.App) -> None:
    """Stop the synthesis of ``app`` at a broken rule of AwsSolutions or NIST 800-53 R5 without a reason."""
    cdk.Validations.of(app).add_plugins(
        AwsSolutionsChecks(app, verbose=True), NIST80053R5Checks(app, verbose=True)
    )
    for rule, reason in _BY_DESIGN.items():
        acknowledge(app, rule, reason)
