"""Rows M1 to M19."""

import json

from botocore.exceptions import ClientError

import client
from api import Api, NotProbed, Route, own, routes
from probes import probe, seen

DEFAULT = Api()
NO_DEFAULT = Api(routes=routes("ping"))
NESTED = Api(routes=routes("a/b", "7", **{"$default": Route()}), selection="${request.body.one.x}/${request.body.two}")
NUMBERS = Api(routes=routes("7", **{"$default": Route()}))
SCHEMA = json.dumps({"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": ["text"]})
ONE_WAY = Api(routes=routes("ping", "$default"))
# Members of the gateway's own error message, without IDs.
SHAPE = ["message", "connectionId", "requestId"]


@probe("M1", "`$request.body.action` selects the route that it names", NO_DEFAULT)
async def selection(api):
    return await routed(api, {"action": "ping"}, "ping")


@probe("M1", "`${request.body.one.x}/${request.body.two}` selects the route `a/b`", NESTED)
async def compound_selection(api):
    return await routed(api, {"one": {"x": "a"}, "two": "b"}, "a/b")


@probe("M1", "a number is converted to a string: `{\"action\": 7}` selects the route `7`", NUMBERS)
async def number_selects(api):
    return await routed(api, {"action": 7}, "7")


@probe("M2", "`$default` receives messages that are not JSON", NUMBERS)
async def not_json(api):
    return await routed(api, "words", "$default")


@probe("M2", "`$default` receives messages without the key", NUMBERS)
async def no_key(api):
    return await routed(api, {"other": 1}, "$default")


@probe("M2", "`$default` receives messages with a key that no route has", NUMBERS)
async def no_match(api):
    return await routed(api, {"action": "nobody"}, "$default")


async def routed(api, message, expected):
    socket = await api.open()
    await socket.send(message)
    entry = await api.book.entry(lambda entry: is_message(entry, socket), 2)
    first = await socket.silence() if entry is None else None
    await socket.close(1000)
    if entry is None:
        return seen(f"no function was called; {first} came", False)
    found = entry["event"]["requestContext"]["routeKey"]
    if expected == "$default" and found not in api.routes:
        return seen(f"`$default`, and the event's routeKey is `{found}`", "partly")
    return seen(f"`{found}`", found == expected)


def is_message(entry, socket):
    context = entry.get("event", {}).get("requestContext", {})
    return context.get("eventType") == "MESSAGE" and context.get("connectionId") == socket.id


@probe("M3", "`Forbidden` frame for an unknown action without `$default`; the socket stays open", NO_DEFAULT)
async def forbidden(api):
    socket = await api.open()
    await socket.send({"action": "nobody"})
    return await told(socket, "Forbidden")


@probe("M3", "the frame's bytes: `{\"message\": \"Forbidden\", \"connectionId\":\"…\", \"requestId\":\"…\"}`", NO_DEFAULT)
async def bytes_of_an_error(api):
    socket = await api.open()
    await socket.send({"action": "nobody"})
    frame = await socket.receive(2)
    await socket.close(1000)
    request = frame.json.get("requestId", "")
    expected = f'{{"message": "Forbidden", "connectionId":"{socket.id}", "requestId":"{request}"}}'
    text = "exactly" if frame.data.decode(errors="replace") == expected else "no frame" if frame.kind == "nothing" else f"{frame}"
    return seen(text, frame.data.decode(errors="replace") == expected)


@probe("M4", "`Internal server error` frame when a function throws, also on a one-way route; the socket stays open", ONE_WAY)
async def function_throws(api):
    socket = await api.open()
    await socket.send({"do": "throw:no"})
    return await told(socket, "Internal server error")


@probe("M5", "`Endpoint request timed out` frame after the integration's timeout, here 1 s", Api(timeout_millis=1000))
async def function_times_out(api):
    socket = await api.open()
    await socket.send({"do": "sleep:3000"})
    return await told(socket, "Endpoint request timed out", patience=4)


@probe("M5", "… and after 29 s, the default")
async def function_times_out_by_default(api):
    socket = await api.open()
    await socket.send({"do": "sleep:32000"})
    return await told(socket, "Endpoint request timed out", patience=40)


@probe("M6", "`Bad request body` frame when the message does not match the route's model",
       Api(routes=routes(**{"$default": Route(two_way=True, model=SCHEMA)})))
async def model_does_not_match(api):
    socket = await api.open()
    await socket.send({"do": "body:hi"})
    return await told(socket, "Bad request body")


async def told(socket, message, patience=2):
    """Returns the gateway's own answer, and whether the socket is still open."""
    frame = await socket.receive(patience)
    await socket.frame(client.PING, b"still")
    after = await socket.receive(2)
    await socket.close(1000)
    found = frame.json.get("message")
    if found is None:
        what = f"{frame} came"
    else:
        strange = sorted(set(SHAPE) ^ set(frame.json))
        what = f"`{found}`" + (f" (keys: {', '.join(frame.json)})" if strange else "")
    open_after = after.kind == "pong"
    return seen(f"{what}; {'stays open' if open_after else after}", found == message and open_after)


@probe("M7", "the client gets nothing on a one-way route, whatever the function returns", ONE_WAY)
async def one_way(api):
    socket = await api.open()
    came = []
    for command in ("body:hi", "status:500", "raw:bnVsbA=="):
        await socket.send({"do": command})
        frame = await socket.silence()
        if frame.kind != "nothing":
            came.append(f"{frame} for `{command.replace('raw:bnVsbA==', 'null')}`")
    await socket.close(1000)
    return seen("; ".join(came) or "nothing", not came)


@probe("M8", "the client gets the `body` on a two-way route")
async def two_way(api):
    socket = await api.open()
    await socket.send({"do": "body:hi"})
    frame = await socket.receive(2)
    await socket.close(1000)
    return seen(f"{frame}", (frame.kind, frame.data) == ("text", b"hi"))


@probe("M9", "400 for RequestParameters on a route other than `$connect`", own())
async def parameters_off_connect(api):
    api.control()
    try:
        await api.call("create_route", RouteKey="other", RequestParameters={"route.request.querystring.a": {"Required": True}})
    except ClientError as error:
        code = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return seen(f"{code} {error.response['Error']['Code']}", code == 400)
    return seen("accepted", False)


@probe("M10", "close 1003 for a binary frame")
async def binary(api):
    socket = await api.open()
    await socket.frame(client.BINARY, b"\x00\x01\xff")
    return await closed(api, socket, 1003)


@probe("M11", "close 1009 for a frame over 32 KB")
async def large_frame(api):
    socket = await api.open()
    await socket.frame(client.TEXT, b"x" * (33 * 1024))
    return await closed(api, socket, 1009)


@probe("M11", "close 1009 for a message over 128 KB, in frames of 32 KB")
async def large_message(api):
    socket = await api.open()
    await fragments(socket, 5)
    return await closed(api, socket, 1009)


@probe("M11", "a message of 128 KB in frames of 32 KB is accepted")
async def largest_message(api):
    socket = await api.open()
    await fragments(socket, 4)
    entry = await api.book.entry(lambda entry: is_message(entry, socket), 3)
    frame = None if entry else await socket.silence()
    await socket.close(1000)
    size = len(entry["event"].get("body") or "") if entry else 0
    return seen(f"accepted, {size:,} bytes" if entry else f"{frame}", size == 128 * 1024)


async def fragments(socket, count):
    for number in range(count):
        await socket.frame(client.CONTINUATION if number else client.TEXT, b"x" * 32768, final=number == count - 1)


async def closed(api, socket, code):
    frame = await socket.receive(2)
    if frame.kind == "nothing" and await api.book.entry(lambda entry: is_message(entry, socket), 0.5):
        frame_text = "a function received it"
    else:
        frame_text = f"{frame}"
    socket.drop()
    return seen(frame_text, frame.code == code)


@probe("M12", "a ping is answered with a pong and reaches no function")
async def ping(api):
    socket = await api.open()
    await socket.frame(client.PING, b"here")
    frame = await socket.receive(2)
    reached = await api.book.entry(lambda entry: is_message(entry, socket), client.SILENCE)
    await socket.close(1000)
    text = f"{frame.kind}{', and a function was called' if reached else ''}"
    return seen(text, (frame.kind, frame.data, reached) == ("pong", b"here", None))


@probe("M13", "close 1001 `Going away` after 10 idle minutes; shortened if the target allows it", Api(idle=2))
async def idle(api):
    return await ended(api, 10 * 60)


@probe("M14", "close 1001 after two hours; shortened if the target allows it", Api(longest=2))
async def longest(api):
    return await ended(api, 2 * 60 * 60)


async def ended(api, seconds):
    """Returns the end of an idle connection. `api.limits` is true if the target was configured to end it early."""
    if not api.limits and not (api.slow and seconds <= 600):
        raise NotProbed(f"the target's limit of {seconds // 60} minutes cannot be changed")
    socket = await api.open()
    frame = await socket.receive(6 if api.limits else seconds + 30)
    socket.drop()
    return seen(f"{frame}" if frame.kind != "nothing" else "stays open", (frame.code, frame.data.lower()) == (1001, b"going away"))


@probe("M15", "DELETE closes with 1000; `$disconnect` gets 1000 `Connection Closed Normally`")
async def deleted(api):
    socket = await api.open()
    await api.manage("DELETE", socket.id)
    frame = await socket.receive(2)
    # The client answers a close frame, which ends the connection.
    await socket.frame(client.CLOSE, (frame.code or 1000).to_bytes(2, "big"))
    socket.drop()
    said = await disconnected(api, socket)
    return seen(f"{frame}; {said}", frame.code == 1000 and said == "1000 `Connection Closed Normally`")


@probe("M16", "`$disconnect` gets 1005 `Client-side close frame status not set` when the client closes without a code")
async def closed_bare(api):
    socket = await api.open()
    await socket.close()
    said = await disconnected(api, socket)
    return seen(said, said == "1005 `Client-side close frame status not set`")


@probe("M17", "`$disconnect` gets 1001 without a reason when the user leaves the page")
async def page_left(api):
    socket = await api.open()
    await socket.close(1001)
    said = await disconnected(api, socket)
    return seen(said, said == "1001 without a reason")


async def disconnected(api, socket):
    context = (await api.event(socket, "DISCONNECT"))["requestContext"]
    if "disconnectStatusCode" not in context:
        return "`$disconnect` without a code"
    reason = context.get("disconnectReason")
    return f"{context['disconnectStatusCode']} {f'`{reason}`' if reason else 'without a reason'}"


@probe("M18", "`$disconnect` runs after the connection has ended: a post from it is answered with 410", Api(on_disconnect="post:bye"))
async def after_the_end(api):
    before = len(api.book.entries)
    socket = await api.open()
    await socket.close(1000)
    posted = await api.book.entry(lambda entry: "post" in entry and entry in api.book.entries[before:], 5)
    return seen(f"post answered with {posted['post']}" if posted else "no `$disconnect` came", bool(posted) and posted["post"] == 410)


@probe("M19", "messages over the stage's rate are refused (the frame's text is not documented)", Api(throttle=(1, 2)))
async def throttled(api):
    socket = await api.open()
    for number in range(12):
        await socket.send({"do": f"body:{number}"})
    answered, refused = 0, set()
    while (frame := await socket.receive(2)).kind == "text":
        if "message" in frame.json:
            refused.add(frame.json["message"])
        else:
            answered += 1
    await socket.close(1000)
    told = " and ".join(f"`{message}`" for message in sorted(refused))
    return seen(f"{told or 'no error frame'} ; {'some' if answered < 12 else 'all 12'} answered".replace(" ;", ";"),
                answered < 12 and bool(refused))
