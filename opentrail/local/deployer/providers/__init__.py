"""The resource types this runtime builds: type name -> provider."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from opentrail.local.deployer.providers import (
    apigatewayv2,
    cdk,
    cloudtrail,
    cloudwatch,
    dynamodb,
    ecr,
    events,
    iam,
    kms,
    lambda_functions,
    lambda_triggers,
    logs,
    s3,
    scheduler,
    sns,
    sqs,
    ssm,
)
from opentrail.local.deployer.providers.base import Provider

_ALL: Final[tuple[Provider, ...]] = (
    apigatewayv2.Api(),
    apigatewayv2.Integration(),
    apigatewayv2.Route(),
    apigatewayv2.Stage(),
    cdk.Metadata(),
    cloudtrail.Trail(),
    cloudwatch.Alarm(),
    cloudwatch.Dashboard(),
    dynamodb.GlobalTable(),
    dynamodb.Table(),
    ecr.Repository(),
    events.EventBus(),
    events.EventBusPolicy(),
    events.Rule(),
    iam.ManagedPolicy(),
    iam.Policy(),
    iam.Role(),
    kms.Alias(),
    kms.Key(),
    lambda_functions.Function(),
    lambda_functions.LayerVersion(),
    lambda_triggers.EventInvokeConfig(),
    lambda_triggers.EventSourceMapping(),
    lambda_triggers.Permission(),
    logs.LogGroup(),
    logs.MetricFilter(),
    logs.ResourcePolicy(),
    logs.SubscriptionFilter(),
    s3.Bucket(),
    s3.BucketPolicy(),
    scheduler.Schedule(),
    scheduler.ScheduleGroup(),
    sns.Subscription(),
    sns.Topic(),
    sns.TopicPolicy(),
    sqs.Queue(),
    sqs.QueuePolicy(),
    ssm.Parameter(),
)

PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType({one.type_name: one for one in _ALL})
