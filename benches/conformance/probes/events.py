"""Rows E0 to E4: events of functions."""

import base64
import re
import time

from api import Api, Authorizer
from probes import probe, seen

DEFAULT = Api()
AUTHORIZED = Api(authorizer=Authorizer())
SENT = [("User-Agent", "bench/1"), ("Origin", "https://example.com"), ("X-Mixed-Case", "Kept")]
COMMON = ["routeKey", "eventType", "extendedRequestId", "requestTime", "messageDirection", "stage", "connectedAt",
          "requestTimeEpoch", "identity", "requestId", "domainName", "connectionId", "apiId"]


def differences(*found):
    """Returns the descriptions whose condition is false, from pairs (condition, description)."""
    wrong = [text for holds, text in found if not holds]
    return seen("; ".join(wrong) or "as documented", not wrong)


async def contexts(api):
    socket = await api.open(headers=SENT)
    await socket.send({"do": "body:hi"})
    await socket.receive()
    await socket.close(1000)
    return [(await api.event(socket, kind)) for kind in ("CONNECT", "MESSAGE", "DISCONNECT")]


@probe("E0", "the fields that every requestContext has")
async def common_fields(api):
    missing = {}
    for event in await contexts(api):
        context = event["requestContext"]
        for name in COMMON:
            if name not in context:
                missing.setdefault(name, []).append(context.get("eventType"))
    return differences(*((False, f"no {name}" + ("" if len(kinds) == 3 else f" in {', '.join(kinds)}"))
                         for name, kinds in missing.items()))


@probe("E0", "requestId equals extendedRequestId; connectionId is base64 that ends with `=`; messageDirection is `IN`")
async def common_ids(api):
    events = [event["requestContext"] for event in await contexts(api)]
    return differences(
        (all(context.get("requestId") == context.get("extendedRequestId") for context in events), "the two request IDs differ"),
        (all(is_base64(context["connectionId"]) for context in events), "connectionId is " + shape(events[0]["connectionId"])),
        (all(context.get("messageDirection") == "IN" for context in events), "no messageDirection"))


@probe("E0", "requestTime is `dd/Mon/yyyy:HH:mm:ss +0000`; connectedAt and requestTimeEpoch are milliseconds; connectedAt stays the same")
async def common_times(api):
    events = [event["requestContext"] for event in await contexts(api)]
    now = time.time() * 1000
    form = r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000"
    epochs = [context.get(name) for context in events for name in ("connectedAt", "requestTimeEpoch")]
    return differences(
        (all(re.fullmatch(form, context.get("requestTime", "")) for context in events), "requestTime has another form"),
        (all(isinstance(epoch, int) and abs(now - epoch) < 60_000 for epoch in epochs), "an epoch is not milliseconds"),
        (len({context.get("connectedAt") for context in events}) == 1, "connectedAt changes from event to event"))


@probe("E0", "identity has sourceIp, and userAgent when the client sent one")
async def common_identity(api):
    identities = [event["requestContext"].get("identity") or {} for event in await contexts(api)]
    return differences(
        (all(identity.get("sourceIp") == "127.0.0.1" for identity in identities), "no sourceIp"),
        (all(identity.get("userAgent") == "bench/1" for identity in identities), "userAgent is not the client's"))


@probe("E1", "CONNECT: headers in the client's case and multiValueHeaders, without Connection and Upgrade")
async def connect_headers(api):
    event = (await contexts(api))[0]
    headers, many = event.get("headers") or {}, event.get("multiValueHeaders") or {}
    names = {name.lower() for name in headers}
    return differences(
        (headers.get("X-Mixed-Case") == "Kept", "names are lower case" if "x-mixed-case" in headers else "a header is missing"),
        ([*many.values()] and all(isinstance(value, list) for value in many.values()), "no multiValueHeaders"),
        (not names & {"connection", "upgrade"}, "has Connection and Upgrade"))


@probe("E1", "CONNECT: X-Amzn-Trace-Id and X-Forwarded-For, -Port, -Proto are added")
async def connect_added_headers(api):
    headers = (await contexts(api))[0].get("headers") or {}
    names = {name.lower() for name in headers}
    wanted = ["X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"]
    missing = [name for name in wanted if name.lower() not in names]
    return seen(f"no {', '.join(missing)}" if missing else "all four", not missing)


@probe("E1", "CONNECT: query parameters, single and multi-value")
async def connect_query(api):
    socket = await api.open("a=1&a=2&b=x%20y")
    event = await api.event(socket, "CONNECT")
    await socket.close(1000)
    single, many = event.get("queryStringParameters") or {}, event.get("multiValueQueryStringParameters") or {}
    return differences(
        (single.get("a") == "2" and single.get("b") == "x y", f"single values are {single.get('a')!r}, {single.get('b')!r}"),
        (many.get("a") == ["1", "2"], f"multi values are {many.get('a')!r}"))


@probe("E1", "CONNECT: query parameters and stageVariables only if present; isBase64Encoded false; no body")
async def connect_absent(api):
    before = len(api.book.entries)
    response, socket = await api.handshake()
    entry = await api.book.entry(lambda entry: "event" in entry and entry in api.book.entries[before:]
                                 and entry["event"]["requestContext"].get("eventType") == "CONNECT"
                                 and not entry["event"].get("queryStringParameters"))
    if socket:
        await socket.close(1000)
    event = entry["event"]
    present = [name for name in ("queryStringParameters", "multiValueQueryStringParameters", "stageVariables", "body") if name in event]
    return differences(*((False, f"has {name}: {event[name]!r}") for name in present),
                       (event.get("isBase64Encoded") is False, "no isBase64Encoded"))


@probe("E1", "CONNECT: stageVariables if the stage has any", Api(variables=(("color", "green"),)))
async def connect_variables(api):
    socket = await api.open()
    event = await api.event(socket, "CONNECT")
    await socket.close(1000)
    found = event.get("stageVariables")
    return seen(f"{found}" if found else "none", found == {"color": "green"})


@probe("E2", "MESSAGE: body, isBase64Encoded, messageId; no headers, no query parameters")
async def message(api):
    event = (await contexts(api))[1]
    extra = [name for name in ("headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters") if name in event]
    return differences(
        (event.get("body") == '{"do": "body:hi"}', "the body is another"), (event.get("isBase64Encoded") is False, "no isBase64Encoded"),
        ("messageId" in event["requestContext"], "no messageId"), *((False, f"has {name}") for name in extra))


@probe("E3", "DISCONNECT: disconnectStatusCode and disconnectReason")
async def disconnect_code(api):
    context = (await contexts(api))[2]["requestContext"]
    return differences(*((name in context, f"no {name}") for name in ("disconnectStatusCode", "disconnectReason")))


@probe("E3", "DISCONNECT: headers Host, x-api-key, X-Forwarded-For and x-restapi, all but Host empty")
async def disconnect_headers(api):
    headers = (await contexts(api))[2].get("headers")
    if not headers:
        return seen("no headers", False)
    wanted = ["Host", "x-api-key", "X-Forwarded-For", "x-restapi"]
    missing = [name for name in wanted if name not in headers]
    filled = [name for name in wanted[1:] if headers.get(name)]
    return differences((not missing, f"no {', '.join(missing)}"), (not filled, f"{', '.join(filled)} not empty"))


@probe("E4", "REQUEST: headers with Connection and Upgrade, stageVariables `{}`, requestContext as in E0", AUTHORIZED)
async def authorizer_event(api):
    socket = await api.open("a=1", headers=SENT)
    event = await api.event(socket, "REQUEST")
    await socket.close(1000)
    names = {name.lower() for name in event.get("headers") or {}}
    missing = [name for name in COMMON if name not in event["requestContext"]]
    return differences(
        ({"connection", "upgrade"} <= names, "no Connection and Upgrade"),
        ("multiValueHeaders" in event, "no multiValueHeaders"),
        ((event.get("queryStringParameters") or {}).get("a") == "1", "no queryStringParameters"),
        ((event.get("multiValueQueryStringParameters") or {}).get("a") == ["1"], "no multiValueQueryStringParameters"),
        (event.get("stageVariables") == {}, "no stageVariables"),
        (not missing, f"requestContext without {', '.join(missing)}"))


def is_base64(text):
    try:
        return text.endswith("=") and len(base64.b64decode(text, validate=True)) == 11
    except ValueError:
        return False


def shape(text):
    return "a UUID" if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) else f"{len(text)} characters without `=`"
