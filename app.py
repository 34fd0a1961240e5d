"""The CDK application: context -> the stacks of one installation."""

import aws_cdk as cdk

from stacks.application import build

app = cdk.App()
build(app)
app.synth()
