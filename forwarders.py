"""The second CDK application: the stacks for other Regions and accounts (docs/organization.md)."""

import aws_cdk as cdk

from stacks.forwarders import build

app = cdk.App()
build(app)
app.synth()
