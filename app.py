"""The CDK application: context -> the stacks OpenTrailStorage, OpenTrailPipeline, OpenTrailApi and OpenTrailIntegrity."""

import aws_cdk as cdk

from stacks.application import build

app = cdk.App()
build(app)
app.synth()
