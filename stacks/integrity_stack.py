"""What keeps the proof going: rotation of the keys that sign digests, and proof of every day."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from stacks.constructs.alarms import Alarms
from stacks.constructs.code_assets import function_code, package_layer
from stacks.constructs.key_rotation import KeyRotation
from stacks.constructs.validation import Validation
from stacks.options import Options
from stacks.storage_stack import StorageStack


class IntegrityStack(cdk.Stack):
    """OpenTrailIntegrity: functions that run by the clock, beside the line."""

    def __init__(
        self, scope: Construct, id_: str, *, options: Options, storage: StorageStack, **kwargs: Any
    ) -> None:
        super().__init__(scope, id_, **kwargs)
        code = function_code()
        layer = package_layer(self, "Packages", bundle=options.bundle_layer)
        self.rotation = KeyRotation(
            self, "Rotation", options=options, storage=storage, code=code, layer=layer
        )
        self.validation = Validation(
            self, "Validation", options=options, storage=storage, code=code, layer=layer
        )
        alarms = Alarms(self, "Alarms", topic_arn=storage.alarm_topic_arn)
        alarms.watch_rotation(self.rotation.function)
        alarms.watch_validation(self.validation.function)
        cdk.CfnOutput(self, "ValidateFunctionName", value=self.validation.function.function_name)
        cdk.CfnOutput(self, "RotateFunctionName", value=self.rotation.function.function_name)
