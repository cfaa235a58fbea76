"""A function that follows the probe's commands: see puppet.mjs, which is the same in Node.

It tells RECORDER every event that it gets. What to do stands in `do` of the query of a $connect event, in `do` of a
message, or in DO of the environment; for an authorizer in `auth` of the query. Several commands are joined by `;`.
"""

import base64
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request


def handler(event, context):
    tell({"event": event})
    if event.get("type") == "REQUEST":
        return authorize(event)
    answer = {"statusCode": 200}
    for command in commands(event):
        word, _, argument = command.partition(":")
        if word == "status":
            answer["statusCode"] = int(argument)
        elif word == "throw":
            raise Exception(argument)
        elif word == "sleep":
            time.sleep(int(argument) / 1000)
        elif word == "exit":
            os._exit(1)
        elif word == "body":
            answer["body"] = argument
        elif word == "raw":
            answer = decoded(argument)
        elif word == "post":
            tell({"post": post(event["requestContext"], argument)})
        elif word == "version":
            answer["body"] = os.environ.get("VERSION", "") or VERSION
    return answer


# Probes that deploy code replace this line.
VERSION = "one"


def commands(event):
    context = event["requestContext"]
    kind = context.get("eventType")
    if kind == "CONNECT":
        text = (event.get("queryStringParameters") or {}).get("do")
    elif kind == "MESSAGE":
        try:
            text = json.loads(event["body"])["do"]
        except (ValueError, KeyError, TypeError):
            text = None
    else:
        text = os.environ.get("DO_ON_DISCONNECT") if kind == "DISCONNECT" else None
    return (text or os.environ.get("DO", "")).split(";")


def authorize(event):
    query = event.get("queryStringParameters") or {}
    word, _, argument = (query.get("auth") or "allow").partition(":")
    if word == "unauthorized":
        raise Exception("Unauthorized")
    if word == "throw":
        raise Exception(argument)
    if word == "raw":
        return decoded(argument)
    resource = event["methodArn"]
    if word == "wildcard":
        # `…/{stage}/*/*`, which looks as if it matched everything.
        resource = resource.rsplit("/", 1)[0] + "/*/*"
    effect = "Deny" if word == "deny" else "Allow"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    answer = {
        "principalId": "somebody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"text": "words", "number": 7, "truth": True},
    }
    if word == "anonymous":
        del answer["principalId"]
    if word == "context":
        answer["context"] = decoded(argument)
    if word == "large":
        answer["context"] = {"large": "x" * 9000}
    return answer


def decoded(text):
    return json.loads(base64.urlsafe_b64decode(text))


def tell(entry):
    body = json.dumps(entry).encode()
    urllib.request.urlopen(urllib.request.Request(os.environ["RECORDER"], body), timeout=5).read()


def post(context, text):
    """Returns the status of a post to the caller's own connection."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.session import Session

    # IDs from an event are quoted once for the path.
    name = urllib.parse.quote(context["connectionId"], safe="")
    request = AWSRequest("POST", f"{os.environ['MANAGEMENT_ENDPOINT']}/@connections/{name}", data=text.encode())
    SigV4Auth(Session().get_credentials(), "execute-api", "us-east-1").add_auth(request)
    try:
        return urllib.request.urlopen(
            urllib.request.Request(request.url, request.data, dict(request.headers), method="POST"), timeout=5).status
    except urllib.error.HTTPError as refused:
        return refused.code
