"""CloudWatch Logs: log groups, metric filters, subscription filters, resource policies."""

from __future__ import annotations

from typing import Any, Final

from opentrail.local.deployer.properties import Properties
from opentrail.local.deployer.providers.base import Provider, Site, Wanted, retag
from opentrail.local.deployer.state import Made

_MAX_NAME: Final = 512  # characters of a log group or filter name


class LogGroup(Provider):
    """A log group."""

    type_name = "AWS::Logs::LogGroup"
    replaced_by = frozenset({"LogGroupName", "LogGroupClass"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``group`` (CreateLogGroup), ``key``, ``days`` and ``tags``."""
        return {
            "days": properties.whole("RetentionInDays"),
            "key": properties.text("KmsKeyId"),
            "tags": properties.tags(),
            "group": properties.rest(site.shape("logs", "CreateLogGroup")),
        }

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Create the group."""
        request = {"logGroupName": site.name(_MAX_NAME), **wanted["group"]}
        if wanted["key"]:
            request["kmsKeyId"] = wanted["key"]
        site.client("logs").create_log_group(**request)
        name = request["logGroupName"]
        return Made(name, {"Arn": site.arn("logs", f"log-group:{name}:*")})

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Bring retention, key and tags to what is wanted."""
        client, name = site.client("logs"), made.physical_id
        if wanted["days"] != (before["days"] if before else None):
            if wanted["days"] is None:
                client.delete_retention_policy(logGroupName=name)
            else:
                client.put_retention_policy(logGroupName=name, retentionInDays=wanted["days"])
        if before is not None and wanted["key"] != before["key"]:
            if wanted["key"]:
                client.associate_kms_key(logGroupName=name, kmsKeyId=wanted["key"])
            else:
                client.disassociate_kms_key(logGroupName=name)
        arn = made.attributes["Arn"].removesuffix(":*")  # tags take the ARN without the streams
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(resourceArn=arn, tags=tags),
            remove=lambda names: client.untag_resource(resourceArn=arn, tagKeys=names),
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the group with everything in it."""
        site.client("logs").delete_log_group(logGroupName=made.physical_id)


class MetricFilter(Provider):
    """A filter that counts lines of a log group."""

    type_name = "AWS::Logs::MetricFilter"
    replaced_by = frozenset({"FilterName", "LogGroupName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return PutMetricFilter's parameters under ``filter``."""
        shape = site.shape("logs", "PutMetricFilter")
        transformations = properties.children("MetricTransformations")
        member = shape.members["metricTransformations"].member  # type: ignore[attr-defined]
        wanted: Wanted = {"filter": properties.rest(shape)}
        wanted["filter"]["metricTransformations"] = [_transformation(one, member) for one in transformations]
        return wanted

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Name the filter; ``settle`` writes it."""
        return Made(wanted["filter"].get("filterName") or site.name(_MAX_NAME))

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the filter whole."""
        if before is not None:  # moto would keep the old filter beside the new one of the same name
            self.delete(made, before, site)
        site.client("logs").put_metric_filter(**{**wanted["filter"], "filterName": made.physical_id})

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the filter."""
        site.client("logs").delete_metric_filter(
            logGroupName=wanted["filter"]["logGroupName"], filterName=made.physical_id
        )


class SubscriptionFilter(Provider):
    """A filter that sends lines of a log group on."""

    type_name = "AWS::Logs::SubscriptionFilter"
    replaced_by = frozenset({"FilterName", "LogGroupName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return PutSubscriptionFilter's parameters under ``filter``."""
        return {"filter": properties.rest(site.shape("logs", "PutSubscriptionFilter"))}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Name the filter; ``settle`` writes it."""
        return Made(wanted["filter"].get("filterName") or site.name(_MAX_NAME))

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the filter whole."""
        site.client("logs").put_subscription_filter(**{**wanted["filter"], "filterName": made.physical_id})

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the filter."""
        site.client("logs").delete_subscription_filter(
            logGroupName=wanted["filter"]["logGroupName"], filterName=made.physical_id
        )


class ResourcePolicy(Provider):
    """Which services may write to log groups of the account."""

    type_name = "AWS::Logs::ResourcePolicy"
    replaced_by = frozenset({"PolicyName"})

    def read(self, properties: Properties, site: Site) -> Wanted:
        """Return ``name`` and ``document`` (JSON text)."""
        properties.need("PolicyDocument")
        return {"name": properties.need("PolicyName"), "document": properties.text("PolicyDocument")}

    def create(self, wanted: Wanted, site: Site) -> Made:
        """Name the policy; ``settle`` writes it."""
        return Made(wanted["name"])

    def settle(self, made: Made, before: Wanted | None, wanted: Wanted, site: Site) -> None:
        """Write the policy."""
        site.client("logs").put_resource_policy(
            policyName=made.physical_id, policyDocument=wanted["document"]
        )

    def delete(self, made: Made, wanted: Wanted, site: Site) -> None:
        """Delete the policy."""
        site.client("logs").delete_resource_policy(policyName=made.physical_id)


def _transformation(one: Properties, shape: Any) -> dict[str, Any]:
    """Return one transformation in the API's form: dimensions are a map there, a list in a template."""
    dimensions = one.tags("Dimensions")
    fitted = one.rest(shape)
    if dimensions:
        fitted["dimensions"] = dimensions
    return fitted
