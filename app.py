"""The CDK application: context -> the OpenTrailStorage and OpenTrailPipeline stacks."""

import aws_cdk as cdk

from stacks.application import build

app = cdk.App()
build(app)
app.synth()
