"""Delays and failures of resource operations in CloudFormation stacks."""

import asyncio

from ministack.services.cloudformation import _stacks, stacks

from launcher.failures import Operation


def install(delay, failures):
    """Lets every change to a resource take `delay` seconds, and fail if `failures` says so.

    ministack runs only operations that block through `run_reentrant`, and the others directly on its event loop. All of them go
    through our function, which waits without blocking the server. So the server answers requests during a stack operation.
    """
    blocks, run_in_thread = stacks._runs_on_worker_thread, stacks.run_reentrant

    async def run(function, *arguments):
        operation = operation_of(function.__name__, arguments)
        if operation:
            await asyncio.sleep(delay + failures.delay(operation))
            failures.check(operation)
        if blocks(arguments[0]):
            return await run_in_thread(function, *arguments)
        return function(*arguments)

    stacks._runs_on_worker_thread = lambda _type: True
    stacks.run_reentrant = run


def operation_of(name, arguments):
    """Returns the operation that a function of ministack performs, or None if it changes nothing."""
    match name, arguments:
        case "_provision_keeping_seed", (_, resource, _, stack):
            return Operation(resource, "create", rolls_back(stack))
        case ("_update_keeping_seed" | "_update_resource"), (_, _, before, after, stack, resource, _):
            return None if before == after else Operation(resource, "update", rolls_back(stack))
        case "_delete_resource", (_, _, _, stack, resource):
            return Operation(resource, "delete", rolls_back(stack))
    raise TypeError(f"ministack calls {name} with {len(arguments)} arguments, which this launcher does not support")


def rolls_back(stack):
    return "ROLLBACK" in _stacks[stack]["StackStatus"]
