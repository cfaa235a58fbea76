#!/usr/bin/env python3
"""Breaks a stack, one fault at a time, and undoes it. For tests of `stackgen doctor`.

Reads commands from stdin, a line each: `break FAULT`, or `undo` for all that was broken since. Answers `ok` or the error. The stack
is that of `generator/cli/tests/it/doctor`; the endpoint is an emulator's or that of `stackgen dev`.
"""

import argparse
import json
import sys
import time
import traceback

import boto3
from botocore.config import Config

STAGE = "live"


class Stack:
    """A stack of an environment, with what undoes each change."""

    def __init__(self, endpoint, environment, is_local):
        self.is_local = is_local

        def client(service):
            return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test",
                                aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}))
        self.client, self.environment, self.undos = client, environment, []
        self.gateway, self.functions, self.tables, self.logs = map(client, ("apigatewayv2", "lambda", "dynamodb", "logs"))
        [self.api] = [one["ApiId"] for one in self.gateway.get_apis()["Items"] if one["Name"] == f"rooms-api-{environment}"]
        self.rooms, self.guard, self.table = (f"{name}-{environment}" for name in ("rooms", "guard", "Connections"))

    def undo(self):
        while self.undos:
            self.undos.pop()()

    def later(self, undo, *arguments, **named):
        self.undos.append(lambda: undo(*arguments, **named))

    def route(self, key):
        return next(one for one in self.gateway.get_routes(ApiId=self.api)["Items"] if one["RouteKey"] == key)

    def authorizer(self):
        return self.gateway.get_authorizers(ApiId=self.api)["Items"][0]

    def stage(self):
        return self.gateway.get_stage(ApiId=self.api, StageName=STAGE)

    def set_stage(self, **settings):
        self.gateway.update_stage(ApiId=self.api, StageName=STAGE, **settings)

    def set_authorizer(self, **settings):
        self.gateway.update_authorizer(ApiId=self.api, AuthorizerId=self.authorizer()["AuthorizerId"], **settings)

    def configure(self, **settings):
        self.functions.update_function_configuration(FunctionName=self.rooms, **settings)
        self.wait_for_function()

    def wait_for_function(self):
        deadline = time.monotonic() + 30
        while self.functions.get_function_configuration(FunctionName=self.rooms)["LastUpdateStatus"] == "InProgress":
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.rooms} is still being updated")
            time.sleep(0.05)

    def variables(self, change):
        found = self.functions.get_function_configuration(FunctionName=self.rooms)["Environment"]["Variables"]
        update = lambda variables: self.configure(Environment={"Variables": variables})
        self.later(update, found)
        update(change(dict(found)))

    def remove_permissions(self, function):
        policy = json.loads(self.functions.get_policy(FunctionName=function)["Policy"])
        for statement in policy["Statement"]:
            self.functions.remove_permission(FunctionName=function, StatementId=statement["Sid"])
            source = next((value for condition in statement.get("Condition", {}).values() for value in condition.values()), None)
            more = {"SourceArn": source} if source else {}
            self.later(self.functions.add_permission, FunctionName=function, StatementId=statement["Sid"],
                       Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com", **more)

    # Wiring

    def connect_open(self):
        route = self.route("$connect")
        change = lambda **settings: self.gateway.update_route(ApiId=self.api, RouteId=route["RouteId"], **settings)
        self.later(change, AuthorizationType="CUSTOM", AuthorizerId=route["AuthorizerId"])
        change(AuthorizationType="NONE")

    def identity_source(self):
        self.later(self.set_authorizer, IdentitySource=[])
        self.set_authorizer(IdentitySource=["route.request.querystring.token"])

    def default_missing(self):
        route = self.route("$default")
        self.later(self.gateway.create_route, ApiId=self.api, RouteKey="$default", Target=route["Target"], AuthorizationType="NONE")
        self.gateway.delete_route(ApiId=self.api, RouteId=route["RouteId"])

    def route_added(self):
        target = self.route("$default")["Target"]
        added = self.gateway.create_route(ApiId=self.api, RouteKey="sendAudio", Target=target, AuthorizationType="NONE")
        self.later(self.gateway.delete_route, ApiId=self.api, RouteId=added["RouteId"])

    def function_missing(self):
        uri = self.authorizer()["AuthorizerUri"]
        self.later(self.set_authorizer, AuthorizerUri=uri)
        self.set_authorizer(AuthorizerUri=uri.replace(f":{self.guard}", ":ghost"))

    def redeployed(self):
        """Changes the wiring. The test deploys it."""
        integration = self.gateway.get_integrations(ApiId=self.api)["Items"][0]
        change = lambda timeout: self.gateway.update_integration(
            ApiId=self.api, IntegrationId=integration["IntegrationId"], TimeoutInMillis=timeout)
        self.later(self.set_stage, DeploymentId=self.stage()["DeploymentId"])
        self.later(change, integration["TimeoutInMillis"])
        change(28_000)

    # Stage

    def auto_deploy_failed(self):
        """Turns AutoDeploy on, and removes all routes: API Gateway deploys no API without one (row D3)."""
        self.later(self.set_stage, DeploymentId=self.stage()["DeploymentId"])
        self.later(self.set_stage, AutoDeploy=False)
        self.set_stage(AutoDeploy=True)
        for route in self.gateway.get_routes(ApiId=self.api)["Items"]:
            identifiers = {"ApiId": self.api, "RouteId": route["RouteId"]}
            responses = self.gateway.get_route_responses(**identifiers)["Items"]
            names = ("RouteKey", "Target", "AuthorizationType", "AuthorizerId", "RouteResponseSelectionExpression")
            definition = {name: route[name] for name in names if name in route}
            self.later(self.create_route, definition, [one["RouteResponseKey"] for one in responses])
            self.gateway.delete_route(**identifiers)

    def create_route(self, definition, responses):
        route = self.gateway.create_route(ApiId=self.api, **definition)["RouteId"]
        for key in responses:
            self.gateway.create_route_response(ApiId=self.api, RouteId=route, RouteResponseKey=key)

    def not_deployed(self):
        found = self.stage()
        logs = {name: found["AccessLogSettings"][name] for name in ("DestinationArn", "Format")}
        create = lambda **more: self.gateway.create_stage(ApiId=self.api, StageName=STAGE, AccessLogSettings=logs, **more)
        self.later(create, DeploymentId=found["DeploymentId"])
        self.later(self.gateway.delete_stage, ApiId=self.api, StageName=STAGE)
        self.gateway.delete_stage(ApiId=self.api, StageName=STAGE)
        create()

    def moved(self):
        served = self.stage()["DeploymentId"]
        other = self.gateway.create_deployment(ApiId=self.api)["DeploymentId"]
        self.later(self.gateway.delete_deployment, ApiId=self.api, DeploymentId=other)
        self.later(self.set_stage, DeploymentId=served)
        self.set_stage(DeploymentId=other)

    def throttle_zero(self):
        settings = lambda limit: {"DefaultRouteSettings": {"ThrottlingRateLimit": float(limit), "ThrottlingBurstLimit": limit}}
        self.later(self.set_stage, **settings(5000))
        self.set_stage(**settings(0))

    def no_logs(self):
        settings = self.stage()["AccessLogSettings"]
        self.later(self.set_stage, AccessLogSettings=settings)
        if self.is_local:
            self.gateway.delete_access_log_settings(ApiId=self.api, StageName=STAGE)
        else:
            # ministack would delete the stage.
            self.set_stage(AccessLogSettings={})

    def no_log_role(self):
        set_role = lambda role: self.client("apigateway").update_account(
            patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])
        self.later(set_role, "arn:aws:iam::000000000000:role/logs")
        set_role("")

    def describe_deployment(self, change):
        deployment = self.stage()["DeploymentId"]
        found = self.gateway.get_deployment(ApiId=self.api, DeploymentId=deployment)["Description"]
        update = lambda text: self.gateway.update_deployment(ApiId=self.api, DeploymentId=deployment, Description=text)
        self.later(update, found)
        update(change(found))

    def verification_failed(self):
        self.describe_deployment(lambda text: f"{text} failed:2026-11-30T08:00:00Z")

    # Functions

    def version_missing(self):
        self.describe_deployment(lambda text: f"{text.split(' calls:')[0]} calls:{self.rooms}:99")

    def function_updating(self):
        self.later(self.configure, Description="")
        self.later(self.wait_for_function)
        self.functions.update_function_configuration(FunctionName=self.rooms, Description="updated")

    def no_concurrency(self):
        self.later(self.functions.delete_function_concurrency, FunctionName=self.rooms)
        self.functions.put_function_concurrency(FunctionName=self.rooms, ReservedConcurrentExecutions=0)

    def invoke_denied(self):
        self.remove_permissions(self.rooms)

    def authorizer_denied(self):
        self.remove_permissions(self.guard)

    def variable_missing(self):
        self.variables(lambda all: {name: value for name, value in all.items() if name != "GREETING"})

    def variable_differs(self):
        self.variables(lambda all: {**all, "GREETING": "bye"})

    def endpoint_wss(self):
        scheme = lambda url: url.replace("https://", "wss://").replace("http://", "ws://")
        self.variables(lambda all: {**all, "MANAGEMENT_ENDPOINT": scheme(all["MANAGEMENT_ENDPOINT"])})

    def endpoint_without_stage(self):
        self.variables(lambda all: {**all, "MANAGEMENT_ENDPOINT": all["MANAGEMENT_ENDPOINT"].rsplit("/", 1)[0]})

    def endpoint_unset(self):
        self.variables(lambda all: {**all, "MANAGEMENT_ENDPOINT": ""})

    def role_policies_removed(self, role):
        iam = self.client("iam")
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            self.later(iam.put_role_policy, RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
            iam.delete_role_policy(RoleName=role, PolicyName=policy)

    def posting_denied(self):
        role = self.functions.get_function_configuration(FunctionName=self.rooms)["Role"]
        self.role_policies_removed(role.rsplit("/", 1)[1])

    def invoke_role_denied(self):
        [role] = {one["CredentialsArn"] for one in self.gateway.get_integrations(ApiId=self.api)["Items"]}
        self.role_policies_removed(role.rsplit("/", 1)[1])

    def private_dns(self):
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="rooms", Description="rooms", VpcId=vpc)["GroupId"]
        endpoint = ec2.create_vpc_endpoint(VpcId=vpc, VpcEndpointType="Interface", SubnetIds=[subnet], PrivateDnsEnabled=True,
                                           ServiceName="com.amazonaws.us-east-1.execute-api")["VpcEndpoint"]["VpcEndpointId"]
        self.later(ec2.delete_vpc_endpoints, VpcEndpointIds=[endpoint])
        place = lambda subnets, groups: self.configure(VpcConfig={"SubnetIds": subnets, "SecurityGroupIds": groups})
        self.later(place, [], [])
        place([subnet], [group])

    # Data

    def table_missing(self):
        found = self.tables.describe_table(TableName=self.table)["Table"]
        index = ("IndexName", "KeySchema", "Projection")
        definition = {key: found[key] for key in ("TableName", "KeySchema", "AttributeDefinitions")}
        definition["GlobalSecondaryIndexes"] = [{key: one[key] for key in index} for one in found["GlobalSecondaryIndexes"]]
        self.later(self.expire, True)
        self.later(self.tables.create_table, BillingMode="PAY_PER_REQUEST", **definition)
        self.tables.delete_table(TableName=self.table)

    def expire(self, enabled):
        self.tables.update_time_to_live(TableName=self.table, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": "ttl"})

    def no_ttl(self):
        self.later(self.expire, True)
        self.expire(False)

    def index_missing(self):
        index = {"IndexName": "byRoom", "KeySchema": [{"AttributeName": "room", "KeyType": "HASH"}],
                 "Projection": {"ProjectionType": "ALL"}}
        update = lambda change, value, **more: self.tables.update_table(
            TableName=self.table, GlobalSecondaryIndexUpdates=[{change: value}], **more)
        attributes = [{"AttributeName": name, "AttributeType": "S"} for name in ("connectionId", "room")]
        self.later(update, "Create", index, AttributeDefinitions=attributes)
        update("Delete", {"IndexName": "byRoom"})

    def orphans(self):
        key = {"connectionId": {"S": "dkLJXcbuoAMCJCQ="}}
        self.later(self.tables.delete_item, TableName=self.table, Key=key)
        self.tables.put_item(TableName=self.table, Item=key)

    # Clients

    def closes(self, code, age, count=5):
        """Logs that connections closed, as the functions of the starters do."""
        access = self.stage()["AccessLogSettings"]["DestinationArn"].split(":log-group:")[1].removesuffix(":*")
        now = int(time.time() * 1000)
        ids = [f"close{number}=" for number in range(count)]
        closed = [{"message": "Connection closed", "routeKey": "$disconnect", "code": code, "connectionId": one} for one in ids]
        ended = [{"eventType": "DISCONNECT", "connectionId": one, "connectedAt": str(now - int(age * 1000))} for one in ids]
        self.log(f"/aws/lambda/{self.rooms}", now, closed)
        self.log(access, now, ended)

    def log(self, group, now, lines):
        try:
            self.logs.create_log_group(logGroupName=group)
        except self.logs.exceptions.ResourceAlreadyExistsException:
            pass
        stream = f"fault-{now}"
        self.logs.create_log_stream(logGroupName=group, logStreamName=stream)
        self.later(self.delete_stream, group, stream)
        events = [{"timestamp": now, "message": json.dumps(line)} for line in lines]
        self.logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def delete_stream(self, group, stream):
        """Deletes the group where single streams cannot be deleted."""
        try:
            self.logs.delete_log_stream(logGroupName=group, logStreamName=stream)
        except Exception:
            self.logs.delete_log_group(logGroupName=group)
            self.logs.create_log_group(logGroupName=group)

    def bare_close(self):
        self.closes(1005, 1)

    def idle(self):
        self.closes(1001, 603)

    def two_hours(self):
        self.closes(1001, 7200)

    def lost(self):
        self.closes(1006, 95)

    def too_large(self):
        self.closes(1009, 20, count=1)

    # CloudFormation

    def stack_updating(self):
        """Updates the stack, which goes on for a while: a log group keeps its events for another time."""
        stacks, name = self.client("cloudformation"), f"rooms-{self.environment}"
        wait = lambda: stacks.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        found = stacks.get_template(StackName=name)["TemplateBody"]
        template = found if isinstance(found, str) else json.dumps(found)
        assert '"RetentionInDays": 30' in template or "RetentionInDays: 30" in template, template
        changed = template.replace('"RetentionInDays": 30', '"RetentionInDays": 14').replace("RetentionInDays: 30", "RetentionInDays: 14")
        update = lambda body: stacks.update_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        self.later(wait)
        self.later(update, template)
        self.later(wait)
        update(changed)

    # Metrics

    def metric(self, namespace, name, **dimensions):
        data = {"MetricName": name, "Value": 7, "Unit": "Count",
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()]}
        self.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[data])

    def integration_errors(self):
        self.metric("AWS/ApiGateway", "IntegrationError", ApiId=self.api, Stage=STAGE)

    def execution_errors(self):
        self.metric("AWS/ApiGateway", "ExecutionError", ApiId=self.api, Stage=STAGE)

    def client_errors(self):
        self.metric("AWS/ApiGateway", "ClientError", ApiId=self.api, Stage=STAGE)

    def function_throttles(self):
        self.metric("AWS/Lambda", "Throttles", FunctionName=self.rooms)

    def function_errors(self):
        self.metric("AWS/Lambda", "Errors", FunctionName=self.rooms)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint")
    parser.add_argument("environment")
    parser.add_argument("--local", action="store_true", help="the endpoint is that of `stackgen dev`")
    arguments = parser.parse_args()
    stack = Stack(arguments.endpoint, arguments.environment, arguments.local)
    print("ok", flush=True)
    for line in sys.stdin:
        try:
            match line.split():
                case ["break", fault]:
                    getattr(stack, fault.replace("-", "_"))()
                case ["undo"]:
                    stack.undo()
            print("ok", flush=True)
        except Exception:
            print(traceback.format_exc().replace("\n", " | "), flush=True)


if __name__ == "__main__":
    main()
