#!/usr/bin/env python3
"""Creates a WebSocket API with logs in an emulator, and fills its log groups. For tests and the benchmark of `stackgen logs`."""

import argparse
import contextlib
import heapq
import io
import itertools
import json
import random
import sys
import time
import uuid
import zipfile

import boto3
from botocore.config import Config

FUNCTIONS = ("chat-authorizer", "chat-connection", "chat-message")
ACCESS_GROUP = "/aws/apigateway/chat"
FORMAT = json.dumps({
    "requestId": "$context.requestId", "eventType": "$context.eventType", "routeKey": "$context.routeKey",
    "status": "$context.status", "connectionId": "$context.connectionId", "connectedAt": "$context.connectedAt",
    "sourceIp": "$context.identity.sourceIp", "principalId": "$context.authorizer.principalId",
    "authorizerStatus": "$context.authorizer.status", "authorizerError": "$context.authorizer.error",
    "authorizerLatency": "$context.authorizer.latency", "integrationStatus": "$context.integration.status",
    "integrationLatency": "$context.integrationLatency", "errorMessage": "$context.error.message"}, separators=(",", ":"))
CLOSES = {1000: "", 1001: "Going away", 1005: "Client-side close frame status not set", 1009: ""}


class Account:
    def __init__(self, endpoint):
        def client(service):
            return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test",
                                aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}))
        self.logs, self.gateway, self.functions = client("logs"), client("apigatewayv2"), client("lambda")

    def create(self):
        """Creates the API with its functions and log groups. Returns the ID of the API."""
        arns = [self.create_function(name) for name in FUNCTIONS]
        api = self.gateway.create_api(Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
        api = api["ApiId"]
        authorizer = self.gateway.create_authorizer(
            ApiId=api, Name="chat", AuthorizerType="REQUEST", AuthorizerUri=invocation(arns[0]), IdentitySource=[])
        targets = [self.create_integration(api, arn) for arn in arns[1:]]
        self.create_route(api, "$connect", targets[0], AuthorizationType="CUSTOM", AuthorizerId=authorizer["AuthorizerId"])
        self.create_route(api, "$disconnect", targets[0])
        self.create_route(api, "say", targets[1])
        groups = [ACCESS_GROUP, f"/aws/apigateway/{api}/prod", *(f"/aws/lambda/{name}" for name in FUNCTIONS)]
        for group in groups:
            self.logs.create_log_group(logGroupName=group)
        deployment = self.gateway.create_deployment(ApiId=api)["DeploymentId"]
        self.gateway.create_stage(
            ApiId=api, StageName="prod", DeploymentId=deployment, DefaultRouteSettings={"LoggingLevel": "INFO"},
            AccessLogSettings={"DestinationArn": f"arn:aws:logs:us-east-1:000000000000:log-group:{ACCESS_GROUP}", "Format": FORMAT})
        return api

    def create_function(self, name):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("index.js", "exports.handler = async () => ({ statusCode: 200 });")
        return self.functions.create_function(
            FunctionName=name, Runtime="nodejs22.x", Handler="index.handler", Role="arn:aws:iam::000000000000:role/chat",
            Code={"ZipFile": archive.getvalue()})["FunctionArn"]

    def create_integration(self, api, arn):
        made = self.gateway.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=invocation(arn))
        return f"integrations/{made['IntegrationId']}"

    def create_route(self, api, key, target, **options):
        self.gateway.create_route(ApiId=api, RouteKey=key, Target=target, **options)

    def put(self, events):
        """Writes events `(arrival, group, stream, time, message)` in the order of their arrival."""
        streams, written = set(), 0
        batches = itertools.groupby(sorted(events, key=lambda event: event[0] // 30_000), key=lambda event: event[0] // 30_000)
        for _, batch in batches:
            by_stream = {}
            for _, group, stream, at, message in batch:
                by_stream.setdefault((group, stream), []).append({"timestamp": at, "message": message})
            for (group, stream), found in by_stream.items():
                if (group, stream) not in streams:
                    with contextlib.suppress(self.logs.exceptions.ResourceAlreadyExistsException):
                        self.logs.create_log_stream(logGroupName=group, logStreamName=stream)
                    streams.add((group, stream))
                found.sort(key=lambda event: event["timestamp"])
                self.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=found)
                written += len(found)
        return written


def invocation(arn):
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


class World:
    """What happens in a stage: the lines of its logs, and the truth about its connections."""

    def __init__(self, api, seed, now):
        self.api, self.random, self.now = api, random.Random(seed), now
        self.events, self.truth = [], {}
        # When each execution environment of a function is free.
        self.environments = {name: [] for name in FUNCTIONS}

    def log(self, connection, group, stream, at, message):
        late = self.random.choice((0, 0, self.random.randrange(30_000)))
        self.events.append((at + late, group, stream, at, message))
        self.truth[connection]["lines"][group] = self.truth[connection]["lines"].get(group, 0) + 1

    def id(self, suffix="="):
        return "".join(self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789-_", k=15)) + suffix

    def access(self, connection, at, request, event, route, status, opened, **values):
        line = {"requestId": request, "eventType": event, "routeKey": route, "status": str(status), "connectionId": connection,
                "connectedAt": str(opened), "sourceIp": "203.0.113.7", "principalId": "-", "authorizerStatus": "-",
                "authorizerError": "-", "authorizerLatency": "-", "integrationStatus": "-", "integrationLatency": "-",
                "errorMessage": "-", **values}
        self.log(connection, ACCESS_GROUP, "access", at, json.dumps(line, separators=(",", ":")))

    def execution(self, connection, at, request, *texts):
        group = f"/aws/apigateway/{self.api}/prod"
        for number, text in enumerate(texts):
            self.log(connection, group, f"stream-{hash_of(connection) % 4}", at + number, f"({request}) {text}")

    def invoke(self, connection, function, at, lines, took):
        """Writes the lines of an invocation into the stream of a free environment."""
        group, free = f"/aws/lambda/{function}", self.environments[function]
        if free and free[0][0] < at:
            _, stream = heapq.heappop(free)
        else:
            stream = f"2026/11/30/[$LATEST]{uuid.UUID(int=self.random.getrandbits(128)).hex}"
        lambda_id = str(uuid.UUID(int=self.random.getrandbits(128)))
        self.log(connection, group, stream, at, f"START RequestId: {lambda_id} Version: $LATEST\n")
        for number, line in enumerate(lines(lambda_id)):
            self.log(connection, group, stream, at + 1 + number, line)
        end = at + max(took, 5)
        self.log(connection, group, stream, end, f"END RequestId: {lambda_id}\n")
        self.log(connection, group, stream, end + 1, f"REPORT RequestId: {lambda_id}\tDuration: {took}.00 ms\tBilled Duration: {took} ms\t"
                 f"Memory Size: 128 MB\tMax Memory Used: 30 MB\t\n")
        heapq.heappush(free, (end + 2, stream))
        return lambda_id

    def connect(self, at, fate, user):
        """A handshake. Returns the connection's ID, and whether it is open."""
        connection, request = self.id(), self.id()
        truth = {"status": 200, "messages": 0, "failed": 0, "code": None, "user": user, "fate": fate, "lines": {}}
        self.truth[connection] = truth
        if fate == "no-token":
            truth["status"], truth["user"] = 401, None
            self.access(connection, at, request, "CONNECT", "$connect", 401, at, errorMessage="Unauthorized")
            return connection, False
        verdict = {"level": "WARN", "message": "Authorization refused", "reason": "the token has expired"} if fate == "bad-token" else {
            "level": "INFO", "message": "Authorization successful", "role": "listener"}
        verdict |= {"requestId": request, "connectionId": connection}
        self.invoke(connection, "chat-authorizer", at + 5, lambda id: [json.dumps({**verdict, "lambdaRequestId": id})], 20)
        if fate == "bad-token":
            truth["status"], truth["user"] = 401, None
            self.access(connection, at + 30, request, "CONNECT", "$connect", 401, at, errorMessage="Unauthorized",
                        authorizerError="Unauthorized", authorizerLatency="21")
            return connection, False
        status = {"no-session": 404, "crash": 502}.get(fate, 200)
        truth["status"] = status
        message = {404: "Connection refused", 502: "thrown"}.get(status, "Connection accepted")
        line = {"level": "ERROR" if status == 502 else "INFO", "message": message, "connectionId": connection, "requestId": request,
                "routeKey": "$connect", "sessionId": f"session-{hash_of(connection) % 100}"}
        if status == 502:
            line["errorType"] = "TypeError"
        self.invoke(connection, "chat-connection", at + 40, lambda id: [json.dumps({**line, "lambdaRequestId": id})], 15)
        self.execution(connection, at + 32, request, "WebSocket Request Route: [$connect]",
                       f"Client [UserAgent: test, SourceIp: 203.0.113.7] is connecting to WebSocket API [{self.api}].",
                       *([f"Client [Connection Id: {connection}] connected to API [{self.api}] successfully."] if status == 200 else
                         [f"Method completed with status: {status}"]))
        error = {502: "Internal server error"}.get(status, "-")
        self.access(connection, at + 60, request, "CONNECT", "$connect", status, at, principalId=user, authorizerLatency="21",
                    authorizerStatus="200", integrationStatus=str(status) if status != 502 else "-", integrationLatency="16",
                    errorMessage=error)
        return connection, status == 200

    def say(self, connection, at, opened, fails):
        request, truth = self.id(), self.truth[connection]
        truth["messages"] += 1
        truth["failed"] += fails
        took = self.random.randrange(5, 40)
        body = "Task timed out after 3.00 seconds" if fails else "said it to 3 listeners"
        lambda_id = self.invoke(connection, "chat-message", at + 4, lambda id: [
            f"2026-11-30T08:00:00.000Z\t{id}\tINFO\tmessage {{ connectionId: '{connection}', requestId: '{request}' }}",
            f"2026-11-30T08:00:00.000Z {id} {body}" if fails else body], took)
        status = 500 if fails else 200
        self.execution(connection, at, request, "WebSocket Request Route: [say]",
                       f"WebSocket API [{self.api}] received message from client [Connection Id: {connection}].",
                       f"AWS Integration Endpoint RequestId : {lambda_id}", f"Method completed with status: {status}")
        self.access(connection, at + took + 20, request, "MESSAGE", "say", status, opened, integrationLatency=str(took),
                    integrationStatus="200", errorMessage="Internal server error" if fails else "-", principalId=truth["user"])
        return request

    def disconnect(self, connection, at, opened, code):
        request, truth = self.id(), self.truth[connection]
        truth["code"] = code
        line = {"level": "INFO", "message": "Connection closed", "connectionId": connection, "requestId": request,
                "routeKey": "$disconnect", "code": code, "reason": CLOSES[code]}
        self.invoke(connection, "chat-connection", at + 2, lambda id: [json.dumps({**line, "lambdaRequestId": id})], 8)
        self.access(connection, at + 20, request, "DISCONNECT", "$disconnect", 200, opened, integrationLatency="8", integrationStatus="200",
                    principalId=truth["user"])

    def live(self, number, events):
        """The life of a connection with about this many events, in the half hour before now."""
        fate = self.random.choices(("healthy", "no-token", "bad-token", "no-session", "crash", "bare-close", "failing", "too-large"),
                                   (60, 5, 5, 5, 3, 10, 8, 4))[0]
        at = self.now - self.random.randrange(600_000, 1_800_000)
        connection, is_open = self.connect(at, fate, f"user-{number}")
        if not is_open:
            return
        if fate == "bare-close":
            self.disconnect(connection, at + 1_000, at, 1005)
            return
        moment = at + 1_000
        for message in range(max(1, (events - 19) // 10)):
            moment += self.random.randrange(100, 20_000)
            self.say(connection, moment, at, fate == "failing" and message % 3 == 0)
        if self.random.random() < 0.9:
            self.disconnect(connection, moment + 500, at, 1009 if fate == "too-large" else 1000)

    def fill(self, connections, events):
        """Makes connections with this many events together."""
        lives = sorted(range(connections), key=lambda _: self.random.random())
        for number in lives:
            # Some remain for the last connection.
            left = events - len(self.events) - 100
            self.live(number, left // max(1, connections - len(self.truth)))
        # The last connection takes what is missing.
        connection, opened = None, self.now - 1_900_000
        while connection is None:
            made, is_open = self.connect(opened, "healthy", "the-rest")
            connection = made if is_open else None
        moment = opened + 1_000
        while len(self.events) + 10 <= events:
            moment += 150
            request = self.say(connection, moment, opened, False)
        while len(self.events) < events:
            moment += 10
            self.execution(connection, moment, request, "Successfully completed execution")
        if len(self.events) != events:
            raise SystemExit(f"{len(self.events)} events were made, not {events}")


def hash_of(text):
    return sum(text.encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("create", help="creates the API, and prints its ID")
    fill = commands.add_parser("fill", help="fills the log groups, and prints the truth about every connection as JSON")
    fill.add_argument("api")
    fill.add_argument("--connections", type=int, default=1000)
    fill.add_argument("--events", type=int, default=100_000)
    fill.add_argument("--seed", type=int, default=1)
    commands.add_parser("put", help="reads lines of JSON, {group, stream, time, message}, and writes them as events")
    arguments = parser.parse_args()
    account = Account(arguments.endpoint)
    if arguments.command == "create":
        print(account.create())
    elif arguments.command == "put":
        lines = [json.loads(line) for line in sys.stdin]
        account.put([(line["time"], line["group"], line["stream"], line["time"], line["message"]) for line in lines])
    else:
        world = World(arguments.api, arguments.seed, int(time.time() * 1000))
        world.fill(arguments.connections, arguments.events)
        written = account.put(world.events)
        print(json.dumps({"events": written, "connections": world.truth}))


if __name__ == "__main__":
    main()
