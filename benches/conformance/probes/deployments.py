"""Rows D1 to D14 and D21: deployments, through the control plane with AWS's own clients."""

import asyncio

from botocore.exceptions import ClientError

from api import NotProbed, Route, own, routes
from probes import probe, seen
from targets.ministack import code, make_route
from targets.template import uri

TWO_WAY = Route(two_way=True)


async def refused(call, status):
    """Returns the result of a call that should fail."""
    try:
        await call
    except ClientError as error:
        found = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return seen(f"{found} {error.response['Error']['Code']}", found == status)
    return seen("accepted", False)


async def answer(api, message, patience=3):
    """Sends a message on a new connection, and returns the answer."""
    socket = await api.open()
    await socket.send(message)
    frame = await socket.receive(patience)
    await socket.close(1000)
    return frame


async def items(api, operation):
    return (await api.call(operation))["Items"]


async def stage(api):
    return await api.call("get_stage", StageName=api.stage)


async def integration(api):
    [only] = await items(api, "get_integrations")
    return only["IntegrationId"]


async def add_route(api, key):
    """Creates a two-way route without deploying it."""
    await asyncio.to_thread(make_route, api.control(), api.api_id, key, TWO_WAY, await integration(api), None)


async def deploy(api):
    """Creates a deployment that no stage serves."""
    made = await api.call("create_deployment")
    for _ in range(50):
        found = await api.call("get_deployment", DeploymentId=made["DeploymentId"])
        if found["DeploymentStatus"] != "PENDING":
            break
        await asyncio.sleep(0.1)
    return made["DeploymentId"]


async def activate(api, deployment):
    await api.call("update_stage", StageName=api.stage, DeploymentId=deployment)


async def new_route_answers(api):
    """Returns true if a route named `new` receives messages. Without it, the answer is `Forbidden` or missing."""
    return (await answer(api, {"action": "new", "do": "body:new"})).data == b"new"


@probe("D1", "a new route is not served until a deployment that contains it is activated", own(routes=routes("ping")))
async def new_route(api):
    await add_route(api, "new")
    before = await new_route_answers(api)
    await activate(api, await deploy(api))
    after = await new_route_answers(api)
    text = f"{'served' if before else 'not served'} before the deployment, {'served' if after else 'not served'} after it"
    return seen(text, (before, after) == (False, True))


@probe("D1", "a changed integration still calls the old function until it is deployed", own())
async def changed_integration(api):
    await asyncio.to_thread(other_says, api)
    await api.call("update_integration", IntegrationId=await integration(api), IntegrationUri=uri(api.names["other"]))
    before = (await answer(api, {"do": "version"})).data
    await activate(api, await deploy(api))
    after = (await answer(api, {"do": "version"})).data
    names = {b"one": "the old function", b"other": "the new function"}
    text = f"{names.get(before, 'nothing')} before the deployment, {names.get(after, 'nothing')} after it"
    return seen(text, (before, after) == (b"one", b"other"))


def other_says(api):
    """Checks with `version`, which the other function answers differently."""
    api.control()
    api.functions.update_function_code(FunctionName=api.names["other"], ZipFile=code("other"))


@probe("D2", "new code behind an unqualified function ARN is live without a deployment", own())
async def new_code(api):
    api.control()
    await answer(api, {"do": "version"})
    await asyncio.to_thread(api.functions.update_function_code, FunctionName=api.names["message"], ZipFile=code("two"))
    found = (await answer(api, {"do": "version"})).data
    return seen("live" if found == b"two" else f"`{found.decode()}` still answers", found == b"two")


@probe("D2", "a changed stage variable is live without a deployment", own(variables=(("color", "green"),)))
async def new_stage_variable(api):
    await api.call("update_stage", StageName=api.stage, StageVariables={"color": "blue"})
    socket = await api.open()
    event = await api.event(socket, "CONNECT")
    await socket.close(1000)
    found = (event.get("stageVariables") or {}).get("color")
    if found is None:
        return seen("no stageVariables in the event", False)
    return seen(f"`{found}`", found == "blue")


@probe("D3", "400 for CreateDeployment when the API has no route", own())
async def deployment_without_routes(api):
    made = await asyncio.to_thread(api.control().create_api, Name="empty", ProtocolType="WEBSOCKET",
                                   RouteSelectionExpression="$request.body.action")
    return await refused(asyncio.to_thread(api.gateway.create_deployment, ApiId=made["ApiId"]), 400)


@probe("D3", "a deployment becomes DEPLOYED", own())
async def deployment_status(api):
    found = await api.call("get_deployment", DeploymentId=await deploy(api))
    return seen(found["DeploymentStatus"], found["DeploymentStatus"] == "DEPLOYED")


@probe("D4", "under AutoDeploy, a new route is served without a call of CreateDeployment", own(routes=routes("ping"), auto_deploy=True))
async def auto_deploy(api):
    await add_route(api, "new")
    for _ in range(10):
        if await new_route_answers(api):
            return seen("served", True)
    return seen("not served", False)


@probe("D5", "400 for setting DeploymentId under AutoDeploy", own(auto_deploy=True))
async def deployment_under_auto_deploy(api):
    made = await api.call("create_deployment")
    return await refused(api.call("update_stage", StageName=api.stage, DeploymentId=made["DeploymentId"]), 400)


@probe("D6", "400 for deleting a deployment that a stage serves", own())
async def deployment_in_use(api):
    deployment = (await stage(api)).get("DeploymentId")
    return await refused(api.call("delete_deployment", DeploymentId=deployment), 400)


@probe("D7", "CloudFormation: a new route without a new Deployment resource is not served", own(routes=routes("ping"), stack=True))
async def template_with_a_route(api):
    await api.stack.update(routes=routes("ping", new=TWO_WAY))
    there = await new_route_answers(api)
    keys = {route["RouteKey"] for route in await items(api, "get_routes")}
    if "new" not in keys:
        raise NotProbed("the route was not created")
    return seen("served at once" if there else "not served", not there)


@probe("D8", "CloudFormation: a manually moved stage stays there while the Stage in the template is unchanged", own(stack=True))
async def pointer_moved_by_hand(api):
    deployment = await deploy(api)
    await activate(api, deployment)
    await api.stack.update(routes=routes("ping", **{"$default": TWO_WAY}))
    found = (await stage(api)).get("DeploymentId")
    return seen("stays" if found == deployment else "moved back", found == deployment)


@probe("D9", "… and when the logical ID of the Deployment changes, the stage is updated, and manually created deployments remain", own(stack=True))
async def new_logical_id(api):
    by_hand = await deploy(api)
    await activate(api, by_hand)
    await api.stack.update(deployment="Another")
    served = (await stage(api)).get("DeploymentId")
    kept = by_hand in [found["DeploymentId"] for found in await items(api, "get_deployments")]
    text = f"{'stage updated' if served != by_hand else 'stage not updated'}, {'orphan kept' if kept else 'orphan deleted'}"
    return seen(text, served != by_hand and kept)


@probe("D10", "CloudFormation: a deployment that is removed from the template cannot be deleted while a manually moved stage serves it", own(stack=True))
async def removed_while_served(api):
    # A second deployment that the template's stage does not refer to. The probe activates it by hand.
    await api.stack.update(more="Second")
    first = (await stage(api)).get("DeploymentId")
    second = next(found["DeploymentId"] for found in await items(api, "get_deployments") if found["DeploymentId"] != first)
    await activate(api, second)
    said = await api.stack.update()
    kept = second in [found["DeploymentId"] for found in await items(api, "get_deployments")]
    served = (await stage(api)).get("DeploymentId") == second
    return seen(said or ("kept" if kept and served else "deleted"), kept and served)


@probe("D11", "UpdateStage to an earlier deployment serves its routes again", own(routes=routes("ping")))
async def rollback(api):
    earlier = (await stage(api)).get("DeploymentId")
    await add_route(api, "new")
    await activate(api, await deploy(api))
    if not await new_route_answers(api):
        return seen("the new route is not served after its deployment", False)
    await activate(api, earlier)
    gone = not await new_route_answers(api)
    return seen("the earlier routes" if gone else "the new route is still served", gone)


@probe("D12", "UpdateStage merges", own(variables=(("color", "green"), ("shape", "round"))))
async def stage_merges(api):
    settings = {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 50}
    await api.call("update_stage", StageName=api.stage, Description="words", DefaultRouteSettings=settings)
    await api.call("update_stage", StageName=api.stage, StageVariables={"color": "blue"})
    found = await stage(api)
    lost = [name for name, there in (
        ("Description", found.get("Description") == "words"),
        ("DefaultRouteSettings", found.get("DefaultRouteSettings", {}).get("ThrottlingBurstLimit") == 50),
        ("the other stage variable", found.get("StageVariables", {}).get("shape") == "round"),
    ) if not there]
    return seen(f"lost: {', '.join(lost)}" if lost else "merges", not lost)


@probe("D12", "a stage variable is removed with `\"\"`", own(variables=(("color", "green"), ("shape", "round"))))
async def stage_variable_removed(api):
    await api.call("update_stage", StageName=api.stage, StageVariables={"color": "", "shape": "round"})
    found = (await stage(api)).get("StageVariables", {})
    return seen(f"{found}", found == {"shape": "round"})


@probe("D13", "409 ConflictException for concurrent changes", own())
async def concurrent(api):
    api.control()
    raise NotProbed("depends on timing on AWS, too")


@probe("D14", "409 for a route key that already exists", own())
async def duplicate_route(api):
    return await refused(api.call("create_route", RouteKey="$connect"), 409)


@probe("D14", "409 for a stage name that already exists", own())
async def duplicate_stage(api):
    return await refused(api.call("create_stage", StageName=api.stage), 409)


@probe("D21", "an open socket stays open when UpdateStage moves the stage, and its next message uses a route of the new deployment",
       own(routes=routes("ping")))
async def moved_under_a_socket(api):
    socket = await api.open()
    await add_route(api, "new")
    await activate(api, await deploy(api))
    await socket.send({"action": "new", "do": "body:new"})
    frame = await socket.receive(3)
    await socket.close(1000)
    return seen(str(frame), frame.data == b"new")
