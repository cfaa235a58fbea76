#!/usr/bin/env python3
"""Deploys the same chat as three other tools would, and changes what it deployed. For tests of `stackgen deploy --redeploy-stage`."""

import argparse
import io
import json
import time
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config

TEMPLATES = Path(__file__).resolve().parents[3] / "lint/fixtures/peers"
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
# `cdk bootstrap` creates a stack with this parameter, and every template of CDK reads it.
CDK_BOOTSTRAP = {"Resources": {"Version": {"Type": "AWS::SSM::Parameter", "Properties": {
    "Type": "String", "Name": "/cdk-bootstrap/hnb659fds/version", "Value": "21"}}}}

# The authorizer's and the chat's code, for any tool. CONNECTS decides whether `$connect` succeeds.
CHAT = """
const allow = (event) => ({ principalId: 'guest', policyDocument: { Version: '2012-10-17', Statement: [
  { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: event.methodArn }] } });
exports.handler = async (event) => {
  if (event.type === 'REQUEST') return allow(event);
  return { statusCode: event.requestContext.eventType !== 'CONNECT' || CONNECTS ? 200 : 500, body: 'pong' };
};
"""
# The custom resource with which the Serverless Framework sets the account's logging role.
CUSTOM_RESOURCE = """
exports.handler = async (event) => {
  const { StackId, RequestId, LogicalResourceId } = event;
  const body = JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'role', StackId, RequestId, LogicalResourceId });
  await fetch(event.ResponseURL, { method: 'PUT', body });
};
"""


class Account:
    def __init__(self, endpoint):
        def client(service):
            return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test",
                                aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}))
        self.stacks, self.gateway = client("cloudformation"), client("apigatewayv2")
        self.functions, self.s3 = client("lambda"), client("s3")
        self.rest = client("apigateway")

    def create(self, tool):
        """Creates the stack of a tool. Returns the ID of its API."""
        if tool == "cdk":
            self.apply("create", "CDKToolkit", json.dumps(CDK_BOOTSTRAP))
            self.apply("create", tool, (TEMPLATES / "cdk/Chat.template.json").read_text())
        elif tool == "sam":
            self.apply("create", tool, (TEMPLATES / "sam/template.yaml").read_text())
        else:
            self.create_serverless(tool)
        self.set_code(tool, connects=True)
        return self.resources(tool, "AWS::ApiGatewayV2::Api")[0]

    def create_serverless(self, stack):
        """Creates the stack as `serverless deploy` does: first the bucket, then its objects, then the rest."""
        text = (TEMPLATES / "serverless/cloudformation-template-update-stack.json").read_text()
        template = json.loads(text)
        bucket = {"ServerlessDeploymentBucket": template["Resources"]["ServerlessDeploymentBucket"]}
        self.apply("create", stack, json.dumps({"Resources": bucket}))
        [bucket] = self.resources(stack, "AWS::S3::Bucket")
        functions = [resource["Properties"] for resource in template["Resources"].values()
                     if resource["Type"] == "AWS::Lambda::Function"]
        for function in functions:
            code = CUSTOM_RESOURCE if "custom-resource" in function["FunctionName"] else chat(connects=True)
            self.s3.put_object(Bucket=bucket, Key=function["Code"]["S3Key"], Body=zipped(function["Handler"], code))
        self.apply("update", stack, text)

    def apply(self, verb, stack, template):
        change = self.stacks.create_stack if verb == "create" else self.stacks.update_stack
        change(StackName=stack, TemplateBody=template, Capabilities=CAPABILITIES)
        deadline = time.monotonic() + 60
        while True:
            [found] = self.stacks.describe_stacks(StackName=stack)["Stacks"]
            if not found["StackStatus"].endswith("IN_PROGRESS"):
                break
            if time.monotonic() > deadline:
                raise SystemExit(f"{stack} stays {found['StackStatus']}")
            time.sleep(0.05)
        if found["StackStatus"] != f"{verb.upper()}_COMPLETE":
            raise SystemExit(json.dumps(self.stacks.describe_stack_events(StackName=stack)["StackEvents"], default=str, indent=1))

    def resources(self, stack, kind):
        """Returns the physical IDs of a stack's resources of a type."""
        pages = self.stacks.list_stack_resources(StackName=stack)["StackResourceSummaries"]
        return [found["PhysicalResourceId"] for found in pages if found["ResourceType"] == kind]

    def set_code(self, stack, connects):
        """Replaces the code of the chat and of its authorizer."""
        for function in self.resources(stack, "AWS::Lambda::Function"):
            handler = self.functions.get_function_configuration(FunctionName=function)["Handler"]
            if "custom-resource" not in function:
                self.functions.update_function_code(FunctionName=function, ZipFile=zipped(handler, chat(connects)))

    def add_route(self, api, key):
        """Adds a route, as a person would in the console."""
        [route, *_] = [found for found in self.gateway.get_routes(ApiId=api)["Items"] if found["RouteKey"] == "$default"]
        self.gateway.create_route(ApiId=api, RouteKey=key, Target=route["Target"])

    def set_log_role(self):
        """Sets the role by which API Gateway writes logs."""
        role = "arn:aws:iam::000000000000:role/logs"
        self.rest.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])

    def create_bucket(self, tool):
        """Creates the bucket in which a tool keeps what it deploys, as the tool does."""
        if tool == "cdk":
            self.s3.create_bucket(Bucket="cdk-hnb659fds-assets-000000000000-us-east-1")
            return
        template = {
            "Resources": {"SamCliSourceBucket": {"Type": "AWS::S3::Bucket"}},
            "Outputs": {"SourceBucket": {"Value": {"Ref": "SamCliSourceBucket"}}},
        }
        name = "aws-sam-cli-managed-default"
        self.stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
        self.stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def chat(connects):
    return CHAT.replace("CONNECTS", "true" if connects else "false")


def zipped(handler, code):
    """Returns a zip file with the module of a handler."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(handler.rpartition(".")[0] + ".js"), code)
    return file.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint", help="URL of the emulator")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("create").add_argument("tool", choices=["cdk", "sam", "serverless"])
    actions.add_parser("create-bucket").add_argument("tool", choices=["cdk", "sam"])
    actions.add_parser("set-log-role")
    code = actions.add_parser("break-code")
    code.add_argument("tool")
    for name in ("add-route", "disable-auto-deploy"):
        actions.add_parser(name).add_argument("api")
    arguments = parser.parse_args()
    account = Account(arguments.endpoint)
    match arguments.action:
        case "create":
            print(account.create(arguments.tool))
        case "create-bucket":
            account.create_bucket(arguments.tool)
        case "set-log-role":
            account.set_log_role()
        case "break-code":
            account.set_code(arguments.tool, connects=False)
        case "add-route":
            account.add_route(arguments.api, "history2")
        case "disable-auto-deploy":
            account.gateway.update_stage(ApiId=arguments.api, StageName="prod", AutoDeploy=False)


if __name__ == "__main__":
    main()
