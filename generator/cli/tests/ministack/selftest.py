#!/usr/bin/env python3
"""Checks of the launcher's additions to ministack. Run it after every change of the pinned version."""

import json
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

LAUNCHER = Path(__file__).with_name("launch.py")
RETAINED = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


def template(deployment="First", operation="one"):
    """Returns an API with a route. A change of the operation's name goes live with a new deployment."""
    def part(name, properties, **attributes):
        return {"Type": f"AWS::ApiGatewayV2::{name}", "Properties": {"ApiId": {"Ref": "Api"}, **properties}, **attributes}
    api = {"Name": "selftest", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
    return {"Resources": {
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": api},
        "Model": part("Model", {"Name": "message", "ContentType": "application/json", "Schema": {"type": "object"}}),
        "Route": part("Route", {"RouteKey": "ping", "OperationName": operation, "RouteResponseSelectionExpression": "$default"}),
        "RouteResponse": part("RouteResponse", {"RouteId": {"Ref": "Route"}, "RouteResponseKey": "$default"}),
        deployment: part("Deployment", {"Description": operation}, DependsOn=["Route", "RouteResponse"], **RETAINED),
        "Stage": part("Stage", {"StageName": "prod", "DeploymentId": {"Ref": deployment}}),
    }, "Outputs": {"Api": {"Value": {"Ref": "Api"}}}}


class Launcher(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.failures = Path(folder.name) / "failures.json"
        self.process = subprocess.Popen(
            [sys.executable, LAUNCHER, "--failures", self.failures], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.end)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.stacks, self.gateway = self.client("cloudformation"), self.client("apigatewayv2")

    def end(self):
        """Ends the launcher. Returns its exit code."""
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(60)

    def client(self, service):
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1", aws_access_key_id="test",
                            aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}))

    def script(self, *entries):
        self.failures.write_text(json.dumps(entries))

    def apply(self, kind, document, **options):
        """Applies a template with a change set. Returns the stack's status at the end."""
        made = self.stacks.create_change_set(StackName="selftest", ChangeSetName=f"change-{time.monotonic_ns()}", ChangeSetType=kind,
                                             TemplateBody=json.dumps(document), **options)
        self.stacks.execute_change_set(ChangeSetName=made["Id"])
        return self.settled(made["StackId"])

    def settled(self, stack):
        while True:
            [found] = self.stacks.describe_stacks(StackName=stack)["Stacks"]
            if not found["StackStatus"].endswith("IN_PROGRESS"):
                return found["StackStatus"]
            time.sleep(0.02)

    def create(self):
        self.assertEqual(self.apply("CREATE", template()), "CREATE_COMPLETE")
        [found] = self.stacks.describe_stacks(StackName="selftest")["Stacks"]
        return found["Outputs"][0]["OutputValue"]

    def served(self, api):
        """Returns the description of the deployment that the stage serves."""
        deployment = self.gateway.get_stage(ApiId=api, StageName="prod")["DeploymentId"]
        return self.gateway.get_deployment(ApiId=api, DeploymentId=deployment)["Description"]

    def deployments(self, api):
        return sorted(found["Description"] for found in self.gateway.get_deployments(ApiId=api)["Items"])

    def test_an_update_moves_the_stage_and_retains_the_old_deployment(self):
        api = self.create()
        self.assertEqual(self.apply("UPDATE", template("Second", "two")), "UPDATE_COMPLETE")
        self.assertEqual((self.served(api), self.deployments(api)), ("two", ["one", "two"]))
        [route] = self.gateway.get_routes(ApiId=api)["Items"]
        [_] = self.gateway.get_route_responses(ApiId=api, RouteId=route["RouteId"])["Items"]
        [model] = self.gateway.get_models(ApiId=api)["Items"]
        self.assertEqual(model["Schema"], '{"type": "object"}')

    def test_a_served_deployment_cannot_be_deleted(self):
        api = self.create()
        [only] = self.gateway.get_deployments(ApiId=api)["Items"]
        with self.assertRaises(ClientError) as refused:
            self.gateway.delete_deployment(ApiId=api, DeploymentId=only["DeploymentId"])
        self.assertEqual(refused.exception.response["Error"]["Code"], "BadRequestException")
        self.gateway.update_deployment(ApiId=api, DeploymentId=only["DeploymentId"], Description="changed")
        self.assertEqual(self.deployments(api), ["changed"])

    def test_a_failed_creation_rolls_back_and_deletes_retained_resources(self):
        self.script({"resource": "Stage", "on": "create"})
        self.assertEqual(self.apply("CREATE", template()), "ROLLBACK_COMPLETE")
        self.assertEqual(self.gateway.get_apis()["Items"], [])

    def test_a_failed_creation_deletes_the_stack_on_request(self):
        self.script({"resource": "Stage", "on": "create"})
        self.assertEqual(self.apply("CREATE", template(), OnStackFailure="DELETE"), "DELETE_COMPLETE")

    def test_a_failed_rollback_of_a_creation_leaves_resources_to_delete(self):
        self.script({"resource": "Stage", "on": "create"}, {"resource": "Api", "on": "delete", "times": 1})
        self.assertEqual(self.apply("CREATE", template()), "ROLLBACK_FAILED")
        [left] = self.stacks.list_stack_resources(StackName="selftest")["StackResourceSummaries"]
        self.assertEqual((left["LogicalResourceId"], left["ResourceStatus"]), ("Api", "DELETE_FAILED"))
        [stack] = self.stacks.describe_stacks(StackName="selftest")["Stacks"]
        self.stacks.delete_stack(StackName="selftest")
        self.assertEqual(self.settled(stack["StackId"]), "DELETE_COMPLETE")
        self.assertEqual(self.gateway.get_apis()["Items"], [])

    def test_a_failed_update_rolls_back(self):
        api = self.create()
        self.script({"resource": "Stage", "on": "update", "times": 1})
        self.assertEqual(self.apply("UPDATE", template("Second", "two")), "UPDATE_ROLLBACK_COMPLETE")
        self.assertEqual((self.served(api), self.deployments(api)), ("one", ["one"]))

    def test_a_rollback_of_an_update_fails_and_continues(self):
        self.create()
        self.script({"resource": "Stage", "on": "update", "times": 2})
        self.assertEqual(self.apply("UPDATE", template("Second", "two")), "UPDATE_ROLLBACK_FAILED")
        self.stacks.continue_update_rollback(StackName="selftest")
        self.assertEqual(self.settled("selftest"), "UPDATE_ROLLBACK_COMPLETE")

    def test_a_mistake_in_the_script_fails_the_operation(self):
        self.script({"resource": "Stage", "on": "remove"})
        self.assertEqual(self.apply("CREATE", template()), "ROLLBACK_COMPLETE")

    def test_the_launcher_ends_with_its_stdin(self):
        self.assertEqual(self.end(), 0)

    def test_the_launcher_ends_on_sigterm(self):
        self.process.terminate()
        self.assertEqual(self.process.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
