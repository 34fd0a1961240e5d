"""What a runtime is made of by default: the packaged stacks, and the services OpenTrail serves itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from opentrail.errors import DeployError
from opentrail.local.call import ServiceHandler
from opentrail.local.reading import reading_own_writes
from opentrail.local.remediation import STACK as REMEDIATION_STACK
from opentrail.local.source_bucket import LATE_SECONDS, ingest_parameters, make_source_bucket
from opentrail.local.source_bucket import STACK as INGEST_STACK

if TYPE_CHECKING:
    from opentrail.local.runtime import Runtime

DETECTIONS_STACK = "OpenTrailDetections"


def packaged_assembly() -> Path:
    """Return the assembly that ``make synth`` put into the package.

    Raises:
        DeployError: it is not there.
    """
    path = Path(__file__).parent.parent / "_deploy"
    if not (path / "manifest.json").exists():
        raise DeployError("the package holds no templates: run `make synth`, or give --assembly DIR")
    return path


def deploy_stacks(runtime: Runtime) -> Mapping[str, Mapping[str, str]]:
    """Deploy the assembly of the options with the laptop's cadence."""
    from opentrail.local.deployer import deploy_assembly

    options = runtime.options
    remediation = {"RemediationMode": options.remediation} if options.remediation else {}
    ingest = ingest_parameters(options.delivery_seconds) if options.ingest else {}
    left_out = {
        REMEDIATION_STACK: not options.remediation,
        INGEST_STACK: not options.ingest,
        # Who brings an assembly with rules of his own has asked for them.
        DETECTIONS_STACK: not options.detections and options.assembly is None,
    }
    if options.ingest:
        make_source_bucket(runtime.clients)
    return deploy_assembly(
        options.assembly or packaged_assembly(),
        clients=runtime.clients,
        account=options.account,
        region=options.region,
        store=runtime.stacks.at(options.account, options.region),
        parameters={
            "IntakeWindowSeconds": "1",
            "DeliveryWindowSeconds": str(options.delivery_seconds),
            "DigestPeriodSeconds": str(options.digest_seconds),
            "TrailCacheSeconds": "0",
            "LateSeconds": LATE_SECONDS if options.ingest else "0",
            **remediation,
            **ingest,
        },
        without=[stack for stack, is_out in left_out.items() if is_out],
    )


def own_services(runtime: Runtime) -> Mapping[str, ServiceHandler]:
    """Return the handlers of the services OpenTrail serves itself."""
    from opentrail.local.cloudtrail import cloudtrail_service
    from opentrail.local.tagging import SERVICE, tagging_service

    services = {"cloudformation": runtime.cloudformation}
    if "TrailsTableName" not in runtime.outputs:  # a bare laptop, before its deployment
        return services
    return {
        **services,
        "cloudtrail": reading_own_writes(
            cloudtrail_service(
                runtime.clients,
                runtime.outputs,
                lookups_per_second=runtime.options.lookups_per_second,
            ),
            runtime.drain,
        ),
        SERVICE: tagging_service(runtime.clients, runtime.outputs),
    }
