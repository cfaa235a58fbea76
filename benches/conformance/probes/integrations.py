"""Rows M20 to M25: integrations that are no Lambda proxies."""

import json

from api import Api, Integration, Response, Route, routes
from probes import probe, seen

OK = (("200", '{"statusCode": 200}'),)


def served(**named):
    """Returns an API with a two-way route per integration. `$default` answers, so that a wrong selection shows."""
    two_way = {key: Route(two_way=True, integration=integration) for key, integration in named.items()}
    return Api(routes=routes(**two_way, **{"$default": Route(two_way=True)}))


def mock(*responses, request=OK, **more):
    return Integration("MOCK", request_templates=request, template_selection="200", responses=responses, **more)


def answer(template, key="$default"):
    return Response(key, (("200", template),), "200")


def http(kind="HTTP", query="", method="POST", **more):
    return Integration(kind, "{endpoint}" + query, method, **more)


VTL = '{"text": "$input.path(\'$.text\')", "key": "$context.routeKey", "upper": "$input.path(\'$.text\').toUpperCase()"}'


def event(do):
    return json.dumps({"requestContext": {"eventType": "MESSAGE"}, "body": json.dumps({"do": do})})


FUNCTION_EVENT, FAILING_EVENT = event("body:rendered"), event("throw:no such room")

MOCKS = served(
    pong=mock(answer('{"pong": true}')),
    context=mock(answer('{"connection": "$context.connectionId"}')),
    choice=mock(answer('{"kind": "gone"}', "/4\\d{2}/"), answer('{"kind": "other"}'), request=(("200", '{"statusCode": 410}'),)),
    other=mock(answer('{"kind": "gone"}', "/4\\d{2}/"), answer('{"kind": "other"}')))
REQUESTS = served(
    rendered=http(request_templates=(("\\$default", VTL),), template_selection="\\$default"),
    through=http(request_templates=(("unused", "no"),), template_selection="none", passthrough="WHEN_NO_MATCH"),
    never=http(request_templates=(("unused", "no"),), template_selection="none", passthrough="NEVER"),
    parameters=http(parameters=(
        ("integration.request.header.x-text", "route.request.body.text"),
        ("integration.request.header.x-connection", "context.connectionId"),
        ("integration.request.querystring.fixed", "'words'"))))
ANSWERS = served(
    selected=http(query="?status=404", responses=(answer('{"kind": "missing"}', "/4\\d{2}/"), answer('{"kind": "other"}'))),
    proxied=http("HTTP_PROXY"))
FUNCTION = served(
    call=Integration("AWS", "{function}", "POST", (("\\$default", FUNCTION_EVENT),), "\\$default",
                     responses=(answer("$input.path('$.body')"),)),
    fail=Integration("AWS", "{function}", "POST", (("\\$default", FAILING_EVENT),), "\\$default",
                     responses=(answer("missing: $input.path('$.errorMessage')", "/no such .*/"), answer("other"))))
REFUSING = Api(routes=(("$connect", Route(integration=http("HTTP_PROXY", query="?status=403"))), ("$default", Route(two_way=True))))


async def told(api, message):
    """Returns the frame that answers the message."""
    socket = await api.open()
    await socket.send(message)
    frame = await socket.receive(3)
    frame.connection = socket.id
    await socket.close(1000)
    return frame


async def requested(api, action, message):
    """Returns the request that the endpoint received; None if it received none."""
    before = len(api.book.entries)
    socket = await api.open()
    await socket.send({"action": action, **message})
    entry = await api.book.entry(lambda entry: "request" in entry and entry in api.book.entries[before:], 2)
    await socket.close(1000)
    return (entry["request"], socket.id) if entry else (None, socket.id)


def answered(frame, expected):
    text = frame.data.decode(errors="replace") if frame.kind == "text" else f"{frame}"
    return seen(f"`{text[:120]}`" if frame.kind == "text" else text, frame.kind == "text" and frame.json == expected)


@probe("M20", "`MOCK` answers with the template of its integration response", MOCKS)
async def mock_answers(api):
    return answered(await told(api, {"action": "pong"}), {"pong": True})


@probe("M20", "`$context.connectionId` has a value in the response template", MOCKS)
async def mock_context(api):
    frame = await told(api, {"action": "context"})
    right = frame.kind == "text" and frame.json == {"connection": frame.connection}
    return seen("the connection's ID" if right else f"{frame}", right)


@probe("M20", "a request template renders `$input.path`, `$context` and a method of a Java string for an HTTP endpoint", REQUESTS)
async def request_template(api):
    request, _ = await requested(api, "rendered", {"text": "hi"})
    return body_seen(request, {"text": "hi", "key": "rendered", "upper": "HI"})


@probe("M21", "`WHEN_NO_MATCH` passes the message on when no request template matches", REQUESTS)
async def passes_through(api):
    request, _ = await requested(api, "through", {"text": "hi"})
    return body_seen(request, {"action": "through", "text": "hi"})


@probe("M21", "`NEVER` does not call the endpoint when no request template matches", REQUESTS)
async def never_passes(api):
    request, _ = await requested(api, "never", {"text": "hi"})
    return seen("not called" if request is None else "the endpoint was called", request is None)


def body_seen(request, expected):
    if request is None:
        return seen("the endpoint was not called", False)
    try:
        right = json.loads(request["body"]) == expected
    except ValueError:
        right = False
    return seen(f"`{request['body'][:120]}`", right)


@probe("M22", "a status of 410 selects the integration response `/4\\d{2}/`", MOCKS)
async def mock_status_selects(api):
    return answered(await told(api, {"action": "choice"}), {"kind": "gone"})


@probe("M22", "a status that matches no expression selects `$default`", MOCKS)
async def default_comes_last(api):
    return answered(await told(api, {"action": "other"}), {"kind": "other"})


@probe("M22", "the endpoint's status 404 selects `/4\\d{2}/`", ANSWERS)
async def endpoint_status_selects(api):
    return answered(await told(api, {"action": "selected"}), {"kind": "missing"})


@probe("M20", "an `AWS` integration sends the rendered event to the function, and renders its answer", FUNCTION)
async def function_without_proxy(api):
    frame = await told(api, {"action": "call"})
    return seen(f"{frame}", (frame.kind, frame.data) == ("text", b"rendered"))


@probe("M22", "the error message of a function selects `/no such .*/`", FUNCTION)
async def error_selects(api):
    frame = await told(api, {"action": "fail"})
    return seen(f"{frame}", (frame.kind, frame.data) == ("text", b"missing: no such room"))


@probe("M24", "request parameters set headers from the message and the context, and the query string from a literal", REQUESTS)
async def request_parameters(api):
    request, connection = await requested(api, "parameters", {"text": "hi"})
    if request is None:
        return seen("the endpoint was not called", False)
    headers = request["headers"]
    found = (headers.get("x-text"), headers.get("x-connection"), request["query"].get("fixed"))
    # The recorder stores headers in lower case.
    right = found == ("hi", connection.lower(), "words")
    return seen("set" if right else f"{found}", right)


@probe("M25", "`HTTP_PROXY` sends the message as it is, and its answer is the endpoint's", ANSWERS)
async def proxied(api):
    frame = await told(api, {"action": "proxied", "text": "hi"})
    right = frame.kind == "text" and json.loads(frame.json.get("body", "{}")) == {"action": "proxied", "text": "hi"}
    return seen("the endpoint's answer" if right else f"{frame}", right)


@probe("M25", "the endpoint's status on `$connect` refuses the handshake: 403", REFUSING)
async def endpoint_refuses(api):
    response, socket = await api.handshake()
    if socket is not None:
        socket.drop()
    return seen(f"{response.status}", response.status == 403)
