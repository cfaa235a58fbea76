"""Corrections of ministack's rollbacks."""

from ministack.core.responses import now_iso
from ministack.services.cloudformation import handlers, stacks


def install():
    """Restores resources whose update failed, and keeps resources that a failed rollback did not delete."""
    # CloudFormation also restores the resource whose update failed. ministack does that only for custom resources.
    stacks._sends_back_failed_update = lambda _type: True

    roll_back = stacks._roll_back_operation

    async def roll_back_and_keep(name, identifier, stack, *rest, **options):
        await roll_back(name, identifier, stack, *rest, **options)
        keep_failed(stack)

    stacks._roll_back_operation = handlers._roll_back_operation = roll_back_and_keep


def keep_failed(stack):
    """Returns resources to a stack with the status ROLLBACK_FAILED. ministack drops them, so that DeleteStack leaves them behind."""
    if stack["StackStatus"] != "ROLLBACK_FAILED":
        return
    for resource, record in stack.pop("_rollback_failed").items():
        stack["_resources"][resource] = {
            **record, "LogicalResourceId": resource, "ResourceStatus": "DELETE_FAILED", "Attributes": {}, "Timestamp": now_iso()}
