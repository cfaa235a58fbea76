"""An API as a CloudFormation template, without a transform."""

import json

from api import STAGE
from targets.sign import REGION

# Timeout of functions in seconds, longer than any integration's.
TIMEOUT = 60


def puppet(_kind):
    """Writes the puppet, which is all kinds of functions, as a zip file beside the template."""
    return {"Runtime": "python3.11", "Code": "puppet.zip", "Handler": "puppet.handler"}


def uri(name):
    """Returns the integration URI of a function."""
    arn = f"arn:aws:lambda:{REGION}:000000000000:function:{name}"
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"


def template(api, recorder, package, name="puppet", deployment="Deployment", more=None):
    """Returns the API as a template. `package` returns Runtime, Code and Handler of a kind of function; `name` is a prefix of names;
    `deployment` is the logical ID of the stage's deployment, `more` that of a deployment without a stage."""
    resources = {"Api": resource("Api", {
        "Name": name, "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": api.selection})}
    environment = {
        "RECORDER": recorder, "DO_ON_DISCONNECT": api.on_disconnect,
        "MANAGEMENT_ENDPOINT": {"Fn::Sub": f"https://${{Api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE}"},
    }
    functions = ["message", "other", *(["authorizer"] if api.authorizer else [])]
    resources["Role"] = role()
    for kind in functions:
        permission = api.authorizer.permission if kind == "authorizer" else api.permission
        resources |= function(kind, f"{name}-{kind}", package(kind), environment, permission)
    limit = {"TimeoutInMillis": api.timeout_millis} if api.timeout_millis else {}
    resources["Integration"] = part("Integration", {
        "IntegrationType": "AWS_PROXY", "IntegrationUri": uri(f"{name}-message"), **limit})
    if api.authorizer:
        sources = {} if api.authorizer.identity_source is None else {"IdentitySource": list(api.authorizer.identity_source)}
        resources["Authorizer"] = part("Authorizer", {
            "Name": "authorizer", "AuthorizerType": "REQUEST", "AuthorizerUri": uri(f"{name}-authorizer"), **sources})
    wired = {}
    places = {"endpoint": f"{recorder}/endpoint", "function": uri(f"{name}-message")}
    for number, (key, route) in enumerate(api.routes):
        wired |= route_resources(number, key, route, api.authorizer)
        if route.integration:
            wired |= integration_resources(number, route.integration, places)
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources | wired | stage(api, list(wired), deployment, more)}


def role():
    allow = [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in ("execute-api:ManageConnections", "logs:*")]
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    return {"Type": "AWS::IAM::Role", "Properties": {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [{"PolicyName": "puppet", "PolicyDocument": {"Version": "2012-10-17", "Statement": allow}}]}}


def function(kind, name, package, environment, permission):
    logical = kind.capitalize() + "Function"
    made = {logical: {"Type": "AWS::Lambda::Function", "Properties": {
        "FunctionName": name, "Timeout": TIMEOUT, "Role": {"Fn::GetAtt": ["Role", "Arn"]}, **package,
        "Environment": {"Variables": environment}}}}
    if permission:
        source = {"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"}
        made[f"{logical}Permission"] = {"Type": "AWS::Lambda::Permission", "Properties": {
            "Action": "lambda:InvokeFunction", "FunctionName": {"Ref": logical}, "Principal": "apigateway.amazonaws.com",
            "SourceArn": source}}
    return made


def route_resources(number, key, route, authorizer):
    integration = f"Integration{number}" if route.integration else "Integration"
    properties = {
        "RouteKey": key, "Target": {"Fn::Join": ["/", ["integrations", {"Ref": integration}]]}, "AuthorizationType": "NONE"}
    made = {}
    if key == "$connect":
        properties["ApiKeyRequired"] = route.api_key
        if authorizer:
            properties |= {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": "Authorizer"}}
    if route.model:
        made["Model"] = part("Model", {"Name": "message", "ContentType": "application/json", "Schema": json.loads(route.model)})
        properties |= {"ModelSelectionExpression": "message", "RequestModels": {"message": "message"}}
    if route.two_way:
        properties["RouteResponseSelectionExpression"] = "$default"
        made[f"RouteResponse{number}"] = part("RouteResponse", {"RouteId": {"Ref": f"Route{number}"}, "RouteResponseKey": "$default"})
    return {f"Route{number}": part("Route", properties), **made}


def integration_resources(number, integration, places):
    made = {f"Integration{number}": part("Integration", integration.properties(places))}
    for index, response in enumerate(integration.responses):
        selection = {"TemplateSelectionExpression": response.selection} if response.selection else {}
        made[f"IntegrationResponse{number}x{index}"] = part("IntegrationResponse", {
            "IntegrationId": {"Ref": f"Integration{number}"}, "IntegrationResponseKey": response.key,
            "ResponseTemplates": dict(response.templates), **selection})
    return made


def stage(api, wired, deployment, more):
    properties = {"StageName": STAGE}
    made = {name: {**part("Deployment", {}), "DependsOn": wired} for name in [more] if name}
    if api.auto_deploy:
        properties["AutoDeploy"] = True
    elif api.deployed:
        made[deployment] = {**part("Deployment", {}), "DependsOn": wired}
        properties["DeploymentId"] = {"Ref": deployment}
    if api.throttle:
        rate, burst = api.throttle
        properties["DefaultRouteSettings"] = {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst}
    if api.variables:
        properties["StageVariables"] = dict(api.variables)
    return {**made, "Stage": part("Stage", properties)}


def resource(kind, properties):
    return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": properties}


def part(kind, properties):
    return resource(kind, {"ApiId": {"Ref": "Api"}, **properties})
