"""CreateStack, UpdateStack, DeleteStack, and everything that only reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from opentrail.errors import DeployError
from opentrail.local.cloudformation import answers
from opentrail.local.cloudformation.place import Session
from opentrail.local.cloudformation.request import (
    check_capabilities,
    check_name,
    check_options,
    given_parameters,
    settings_of,
)
from opentrail.local.cloudformation.wire import Refusal
from opentrail.local.deployer.engine import CAN_UPDATE
from opentrail.local.deployer.state import Resource, StackState

Members = dict[str, Any]
Operation = Callable[[Session], Members]

NOTHING_TO_DO = "No updates are to be performed."
SOURCE_TEXT = "TemplateText"  # in a stack's settings: its template as it was given


def source_of(session: Session, before: StackState | None) -> tuple[str, dict[str, Any]]:
    """Return the template a call deploys, which may be the stack's own.

    Raises:
        Refusal: it names none.
    """
    found = session.source()
    if found is not None:
        return found
    if session.parameters.get("UsePreviousTemplate") and before is not None:
        return text_of(before), dict(before.template)
    raise Refusal("Either Template URL or Template Body must be specified.")


def text_of(stack: StackState) -> str:
    """Return a stack's template as it was given; an empty one while it waits for its first change set."""
    return str(stack.settings.get(SOURCE_TEXT) or json.dumps(stack.template))


def create_stack(session: Session) -> Members:
    """Create a stack; the answer comes when it is made or rolled back."""
    parameters, place = session.parameters, session.place
    name = str(parameters["StackName"])
    check_name(name)
    check_options(parameters)
    existing = place.store.get(name)
    if existing is not None and existing.status != "REVIEW_IN_PROGRESS":
        raise Refusal(f"Stack [{name}] already exists", "AlreadyExistsException")
    text, template = source_of(session, None)
    check_capabilities(template, parameters.get("Capabilities") or ())
    given = given_parameters(parameters.get("Parameters"), template.get("Parameters", {}), None)
    settings = {**settings_of(parameters), SOURCE_TEXT: text}
    stack = deploy(session, name, template, given, settings)
    if stack.status != "CREATE_COMPLETE" and parameters.get("OnFailure") == "DELETE":
        delete(session, stack)
    return {"StackId": stack.stack_id}


def update_stack(session: Session) -> Members:
    """Update a stack; the answer comes when it is done or rolled back."""
    parameters = session.parameters
    name = str(parameters["StackName"])
    check_options(parameters)
    stack = existing_stack(session, name)
    text, template = source_of(session, stack)
    check_capabilities(template, parameters.get("Capabilities") or ())
    given = given_parameters(parameters.get("Parameters"), template.get("Parameters", {}), stack)
    settings = {**settings_of(parameters, stack), SOURCE_TEXT: text}
    plan = session.engine(settings.get("RoleARN", "")).plan(stack.name, template, given)
    if plan.is_empty and settings.get("Tags") == stack.settings.get("Tags"):
        raise Refusal(NOTHING_TO_DO)
    return {"StackId": deploy(session, stack.name, template, given, settings).stack_id}


def existing_stack(session: Session, name: str) -> StackState:
    """Return a stack that can be updated now.

    Raises:
        Refusal: there is none, or it is in a state without updates.
    """
    stack = session.place.store.get(name)
    if stack is None or stack.status == "DELETE_COMPLETE":
        raise Refusal(f"Stack [{name}] does not exist")
    if stack.status not in CAN_UPDATE:
        raise Refusal(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
    return stack


def deploy(
    session: Session, name: str, template: Members, given: dict[str, str], settings: Members
) -> StackState:
    """Deploy, and return the stack as it is then, rolled back or not.

    Raises:
        Refusal: the template was refused before anything was touched.
    """
    store = session.place.store
    seen = 0 if (before := store.get(name)) is None else len(before.events)
    try:
        stack = session.engine(settings.get("RoleARN", "")).deploy(name, template, given)
    except DeployError as error:
        failed = store.get(name)
        if failed is None or len(failed.events) == seen:
            raise Refusal(str(error)) from error
        if failed.status == "ROLLBACK_COMPLETE":
            failed.settings = settings
        return failed
    stack.settings = settings
    session.changed(stack)
    return stack


def delete_stack(session: Session) -> Members:
    """Delete a stack; a stack that is not there is no error."""
    stack = session.place.store.get(str(session.parameters["StackName"]))
    if stack is None or stack.status == "DELETE_COMPLETE":
        return {}
    if stack.settings.get("EnableTerminationProtection"):
        raise Refusal(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    if session.parameters.get("RetainResources"):
        raise Refusal("RetainResources is not simulated")
    delete(session, stack)
    return {}


def delete(session: Session, stack: StackState) -> None:
    """Delete; what goes wrong is in the stack's events, as CloudFormation has it."""
    role = session.parameters.get("RoleARN") or stack.settings.get("RoleARN", "")
    session.place.forget_change_sets(stack)
    if stack.status == "REVIEW_IN_PROGRESS":
        session.place.store.remove(stack)
        return
    try:
        session.engine(role).delete(stack.name)
    except DeployError:
        return
    finally:
        session.changed(stack)


def describe_stacks(session: Session) -> Members:
    """One stack, or all that are not deleted."""
    name = session.parameters.get("StackName")
    found = [session.place.stack(name)] if name else list(session.place.store)
    return {"Stacks": [answers.show_stack(stack) for stack in found]}


def list_stacks(session: Session) -> Members:
    """All stacks, deleted ones too, newest first."""
    wanted = session.parameters.get("StackStatusFilter")
    store = session.place.store
    stacks = sorted([*store, *store.deleted()], key=lambda stack: stack.created, reverse=True)
    shown = [answers.show_summary(one) for one in stacks if not wanted or one.status in wanted]
    return {"StackSummaries": shown}


def describe_stack_events(session: Session) -> Members:
    """What happened to a stack, newest first."""
    stack = session.place.stack(session.parameters["StackName"])
    return {"StackEvents": [answers.show_event(stack, event) for event in reversed(stack.events)]}


def describe_events(session: Session) -> Members:
    """The same by operation; ``FailedEvents`` keeps those that failed."""
    only = session.parameters.get("OperationId")
    found = [
        {**event, "EventType": "STACK_EVENT"}
        for event in describe_stack_events(session)["StackEvents"]
        if only in {None, event["OperationId"]}
    ]
    if (session.parameters.get("Filters") or {}).get("FailedEvents"):
        found = [event for event in found if event["ResourceStatus"].endswith("_FAILED")]
    return {"OperationEvents": found}


def describe_stack_resources(session: Session) -> Members:
    """The resources of a stack, found by the stack or by one of its physical ids."""
    name, physical = session.parameters.get("StackName"), session.parameters.get("PhysicalResourceId")
    stack = session.place.stack(name) if name else _owner(session, str(physical))
    logical = session.parameters.get("LogicalResourceId")
    found = [one for one in stack.resources.values() if logical in {None, one.logical_id}]
    return {"StackResources": [answers.show_resource(stack, one) for one in found]}


def _owner(session: Session, physical: str) -> StackState:
    for stack in session.place.store:
        if any(one.made.physical_id == physical for one in stack.resources.values()):
            return stack
    raise Refusal(f"Stack for {physical} does not exist")


def describe_stack_resource(session: Session) -> Members:
    """One resource, with its metadata."""
    stack = session.place.stack(session.parameters["StackName"])
    return {"StackResourceDetail": answers.show_resource(stack, _resource(session, stack))}


def _resource(session: Session, stack: StackState) -> Resource:
    logical = session.parameters["LogicalResourceId"]
    found = stack.resources.get(logical)
    if found is None:
        raise Refusal(f"Resource {logical} does not exist for stack {stack.name}")
    return found


def list_stack_resources(session: Session) -> Members:
    """The resources of a stack, in short."""
    stack = session.place.stack(session.parameters["StackName"])
    shown = [answers.show_resource(stack, one) for one in stack.resources.values()]
    return {"StackResourceSummaries": shown}


def get_template(session: Session) -> Members:
    """The template as it was given."""
    change_set = (
        session.place.change_set(session.parameters) if "ChangeSetName" in session.parameters else None
    )
    if change_set is not None:
        return {"TemplateBody": change_set.text, "StagesAvailable": ["Original", "Processed"]}
    stack = session.place.stack(session.parameters["StackName"])
    return {"TemplateBody": text_of(stack), "StagesAvailable": ["Original", "Processed"]}


def get_template_summary(session: Session) -> Members:
    """What a template declares and needs; of a stack or of the call."""
    name = session.parameters.get("StackName")
    template = session.place.stack(name).template if name else source_of(session, None)[1]
    return answers.show_template(template)


def validate_template(session: Session) -> Members:
    """Whether a template is one, and what it declares."""
    summary = answers.show_template(source_of(session, None)[1])
    kept = ("Capabilities", "CapabilitiesReason", "DeclaredTransforms", "Description")
    parameters = [
        {name: one[name] for name in ("ParameterKey", "DefaultValue", "NoEcho", "Description")}
        for one in summary["Parameters"]
    ]
    return {**{name: summary[name] for name in kept}, "Parameters": parameters}


def list_exports(session: Session) -> Members:
    """Every export of the Region."""
    return {"Exports": list(_exports(session))}


def _exports(session: Session) -> Iterator[Members]:
    for stack in session.place.store:
        for name, value in stack.exports.items():
            yield {"ExportingStackId": stack.stack_id, "Name": name, "Value": value}


def list_imports(session: Session) -> Members:
    """The stacks that use an export."""
    name = str(session.parameters["ExportName"])
    importers = session.place.store.importers(name)
    if not importers:
        raise Refusal(f"Export '{name}' is not imported by any stack.")
    return {"Imports": importers}


def update_termination_protection(session: Session) -> Members:
    """Protect a stack from deletion, or no longer."""
    stack = session.place.stack(session.parameters["StackName"])
    stack.settings["EnableTerminationProtection"] = session.parameters["EnableTerminationProtection"]
    return {"StackId": stack.stack_id}


def get_stack_policy(session: Session) -> Members:
    """The policy that was set, if any; the laptop keeps it and does not enforce it."""
    return {
        "StackPolicyBody": session.place.stack(session.parameters["StackName"]).settings.get("StackPolicy")
    }


OPERATIONS: dict[str, Operation] = {
    "CreateStack": create_stack,
    "DeleteStack": delete_stack,
    "DescribeEvents": describe_events,
    "DescribeStackEvents": describe_stack_events,
    "DescribeStackResource": describe_stack_resource,
    "DescribeStackResources": describe_stack_resources,
    "DescribeStacks": describe_stacks,
    "GetStackPolicy": get_stack_policy,
    "GetTemplate": get_template,
    "GetTemplateSummary": get_template_summary,
    "ListExports": list_exports,
    "ListImports": list_imports,
    "ListStackResources": list_stack_resources,
    "ListStacks": list_stacks,
    "UpdateStack": update_stack,
    "UpdateTerminationProtection": update_termination_protection,
    "ValidateTemplate": validate_template,
}
