"""The stacks of one installation, and the rules they are checked against at synthesis."""

from __future__ import annotations

import os
from dataclasses import dataclass

import aws_cdk as cdk

from opentrail.errors import SettingsError
from stacks.api_stack import ApiStack
from stacks.checks import check
from stacks.cis_stack import CisStack
from stacks.detections_stack import DetectionsStack
from stacks.forwarders import forward_regions
from stacks.ingest_stack import IngestStack
from stacks.integrity_stack import IntegrityStack
from stacks.options import Options
from stacks.pipeline_stack import PipelineStack
from stacks.remediation_stack import RemediationStack
from stacks.source_stack import SourceStack
from stacks.storage_stack import StorageStack
from stacks.tracing import trace


@dataclass(frozen=True, slots=True)
class Installation:
    """The stacks of one installation."""

    storage: StorageStack
    pipeline: PipelineStack
    api: ApiStack
    integrity: IntegrityStack
    remediation: RemediationStack | None = None
    detections: DetectionsStack | None = None


def build(app: cdk.App) -> Installation:
    """Add all stacks to ``app``, with the options in its context.

    Synthesis fails when a resource breaks an AwsSolutions or NIST 800-53 R5 rule without a written reason.

    Raises:
        SettingsError: an option in the context is malformed or needs a Region that is not known, or a
            playbook or rule it names is unusable.
    """
    options = Options.from_context(app.node.try_get_context)
    check(app)
    storage = StorageStack(
        app,
        "OpenTrailStorage",
        options=options,
        stack_name=f"{options.name_prefix}Storage",
        description="OpenTrail: buckets, tables and keys; everything here is kept when the stack is deleted",
    )
    pipeline = PipelineStack(
        app,
        "OpenTrailPipeline",
        options=options,
        storage=storage,
        stack_name=f"{options.name_prefix}Pipeline",
        description="OpenTrail: queues, rules and functions; only what waits in the queues is worth keeping",
    )
    api = ApiStack(
        app,
        "OpenTrailApi",
        options=options,
        storage=storage,
        stack_name=f"{options.name_prefix}Api",
        description="OpenTrail: CloudTrail's API, for callers with IAM credentials; it keeps nothing",
    )
    integrity = IntegrityStack(
        app,
        "OpenTrailIntegrity",
        options=options,
        storage=storage,
        stack_name=f"{options.name_prefix}Integrity",
        description="OpenTrail: rotates the keys that sign digests, proves every day; it keeps nothing",
    )
    if options.minimal_trail:
        SourceStack(
            app,
            "OpenTrailSource",
            options=options,
            storage=storage,
            stack_name=f"{options.name_prefix}Source",
            description="OpenTrail: a trail of AWS's own, so that EventBridge carries calls",
        )
    if options.source_bucket:
        IngestStack(
            app,
            "OpenTrailIngest",
            options=options,
            storage=storage,
            pipeline=pipeline,
            stack_name=f"{options.name_prefix}Ingest",
            description="OpenTrail: takes what CloudTrail writes into a bucket that is there already",
        )
    if options.cis_alarms:
        CisStack(
            app,
            "OpenTrailCis",
            options=options,
            alarm_topic_arn=storage.alarm_topic_arn,
            stack_name=f"{options.name_prefix}Cis",
            description="OpenTrail: alarms of CIS AWS Foundations section 4 on a trail's log group",
        )
    _forward_regions(app, options, pipeline)
    remediation = _remediation(app, options, storage, pipeline)
    detections = _detections(app, options, storage, pipeline)
    if options.tracing:
        trace(app)
    mark(app)
    return Installation(storage, pipeline, api, integrity, remediation, detections)


def mark(app: cdk.App) -> None:
    """Write into each template that it is OpenTrail's: whoever finds the stack knows it under any name."""
    for stack in app.node.children:
        if isinstance(stack, cdk.Stack):
            stack.template_options.metadata = {"OpenTrail": stack.node.id.removeprefix("OpenTrail")}


def _forward_regions(app: cdk.App, options: Options, pipeline: PipelineStack) -> None:
    """After the bus they forward to; the CDK command says where that is: the Region of its credentials."""
    if not options.regions:
        return
    home = os.environ.get("CDK_DEFAULT_REGION", "")
    if not home:
        raise SettingsError("regions: the home Region is not known; set AWS_REGION for the CDK command")
    for stack in forward_regions(app, options, home):
        stack.add_dependency(pipeline)


def _remediation(
    app: cdk.App, options: Options, storage: StorageStack, pipeline: PipelineStack
) -> RemediationStack | None:
    """Two dozen functions that may change things are there only when somebody asks for them."""
    if not options.remediation_mode:
        return None
    return RemediationStack(
        app,
        "OpenTrailRemediation",
        options=options,
        storage=storage,
        pipeline=pipeline,
        stack_name=f"{options.name_prefix}Remediation",
        description="OpenTrail: undoes dangerous changes, or says that it would; keeps what undoing needs",
    )


def _detections(
    app: cdk.App, options: Options, storage: StorageStack, pipeline: PipelineStack
) -> DetectionsStack | None:
    """There when there are rules."""
    if not options.detections_folder:
        return None
    return DetectionsStack(
        app,
        "OpenTrailDetections",
        options=options,
        storage=storage,
        pipeline=pipeline,
        stack_name=f"{options.name_prefix}Detections",
        description="OpenTrail: finds calls that rules written in Sigma describe, and tells of them",
    )
