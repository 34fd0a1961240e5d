"""Change sets: plan a deployment, show it, carry it out.

Source: CloudFormation API reference, CreateChangeSet, DescribeChangeSet, ExecuteChangeSet.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Final

from opentrail.local.cloudformation import answers
from opentrail.local.cloudformation.place import ChangeSet, Session
from opentrail.local.cloudformation.request import (
    check_capabilities,
    check_name,
    check_options,
    given_parameters,
    settings_of,
)
from opentrail.local.cloudformation.stacks import (
    SOURCE_TEXT,
    Members,
    Operation,
    delete,
    deploy,
    existing_stack,
    source_of,
)
from opentrail.local.cloudformation.wire import Refusal
from opentrail.local.deployer.state import StackState

# The CDK CLI knows a change set without changes by the beginning of this text.
NO_CHANGES: Final = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "opentrail/change-sets")


def create_change_set(session: Session) -> Members:
    """Plan a deployment; without a stack of that name, one in REVIEW_IN_PROGRESS comes into being."""
    parameters, place = session.parameters, session.place
    kind = parameters.get("ChangeSetType") or "UPDATE"
    if kind == "IMPORT" or parameters.get("ResourcesToImport"):
        raise Refusal("Change sets that import resources are not simulated")
    check_options(parameters)
    stack = _new_stack(session) if kind == "CREATE" else existing_stack(session, str(parameters["StackName"]))
    before = None if kind == "CREATE" else stack
    text, template = source_of(session, before)
    check_capabilities(template, parameters.get("Capabilities") or ())
    given = given_parameters(parameters.get("Parameters"), template.get("Parameters", {}), before)
    settings = {**settings_of(parameters, before), SOURCE_TEXT: text}
    plan = session.engine(settings.get("RoleARN", "")).plan(stack.name, template, given)
    same_tags = settings.get("Tags") == stack.settings.get("Tags")
    nothing = before is not None and plan.is_empty and same_tags
    name = str(parameters["ChangeSetName"])
    made = ChangeSet(
        arn=_arn(session, stack, name),
        name=name,
        stack=stack,
        kind=kind,
        created=datetime.now(UTC),
        description=parameters.get("Description"),
        text=text,
        template=template,
        parameters=given,
        settings=settings,
        plan=None if nothing else plan,
        reason=NO_CHANGES if nothing else "",
        on_failure=parameters.get("OnStackFailure") or "ROLLBACK",
        execution="UNAVAILABLE" if nothing else "AVAILABLE",
    )
    place.change_sets[made.arn] = made
    return {"Id": made.arn, "StackId": stack.stack_id}


def _new_stack(session: Session) -> StackState:
    name = str(session.parameters["StackName"])
    check_name(name)
    existing = session.place.store.get(name)
    if existing is not None and existing.status != "REVIEW_IN_PROGRESS":
        raise Refusal(f"Stack [{name}] already exists and cannot be created again with the changeSet")
    return session.engine().review(name)


def _arn(session: Session, stack: StackState, name: str) -> str:
    unique = uuid.uuid5(_NAMESPACE, f"{stack.stack_id}/{name}/{session.place.store.next_serial()}")
    head = stack.stack_id.partition(":stack/")[0]
    return f"{head}:changeSet/{name}/{unique}"


def _named(session: Session) -> ChangeSet:
    found = session.place.change_set(session.parameters)
    if found is None:
        name = session.parameters["ChangeSetName"]
        raise Refusal(f"ChangeSet [{name}] does not exist", "ChangeSetNotFound", 404)
    return found


def describe_change_set(session: Session) -> Members:
    """What a change set would do, or why it failed."""
    one = _named(session)
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in one.parameters.items()]
    return {
        **_summary(one),
        "Parameters": parameters,
        "NotificationARNs": one.settings.get("NotificationARNs", []),
        "RollbackConfiguration": {},
        "Capabilities": one.settings.get("Capabilities", []),
        "Tags": one.settings.get("Tags", []),
        "Changes": [answers.show_change(change) for change in one.plan.changes] if one.plan else [],
        "OnStackFailure": one.on_failure,
    }


def _summary(one: ChangeSet) -> Members:
    return {
        "ChangeSetName": one.name,
        "ChangeSetId": one.arn,
        "StackId": one.stack.stack_id,
        "StackName": one.stack.name,
        "Description": one.description,
        "CreationTime": one.created,
        "ExecutionStatus": one.execution,
        "Status": one.status,
        "StatusReason": one.reason or None,
        "IncludeNestedStacks": False,
    }


def execute_change_set(session: Session) -> Members:
    """Carry a change set out; the answer comes when the stack is done or rolled back."""
    check_options(session.parameters)
    one = _named(session)
    if one.plan is None or one.execution != "AVAILABLE":
        raise Refusal(
            f"ChangeSet [{one.arn}] cannot be executed in its current status of [{one.status}]",
            "InvalidChangeSetStatus",
        )
    session.place.forget_change_sets(one.stack)
    one.execution = "EXECUTE_COMPLETE"
    session.place.change_sets[one.arn] = one
    settings = {**one.settings, "ChangeSetId": one.arn}
    stack = deploy(session, one.stack.name, dict(one.template), one.parameters, settings)
    if one.kind == "CREATE" and stack.status != "CREATE_COMPLETE" and one.on_failure == "DELETE":
        delete(session, stack)
    return {}


def delete_change_set(session: Session) -> Members:
    """Delete a change set; the stack it was to create stays in review, as in AWS."""
    found = session.place.change_set(session.parameters)
    if found is not None:
        del session.place.change_sets[found.arn]
    return {}


def list_change_sets(session: Session) -> Members:
    """The change sets of a stack, newest first."""
    stack = session.place.stack(session.parameters["StackName"])
    found = [one for one in session.place.change_sets.values() if one.stack is stack]
    return {"Summaries": [_summary(one) for one in reversed(found)]}


OPERATIONS: dict[str, Operation] = {
    "CreateChangeSet": create_change_set,
    "DeleteChangeSet": delete_change_set,
    "DescribeChangeSet": describe_change_set,
    "ExecuteChangeSet": execute_change_set,
    "ListChangeSets": list_change_sets,
}
