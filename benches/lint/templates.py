"""Templates to check: the flagship, 1,000 stacks, growing stacks, and the linter's fixtures."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "generator/lint/fixtures"
FLAGSHIP = {
    "flagship": ROOT / "out/prod/template.yaml",
    "flagship, by CDK": ROOT / "generator/model/tests/fixtures/cdk/prod.template.json",
}
# Group of rules about suppressions, which other linters do not share.
OWN = "template"


def many(folder, stackgen, count):
    """Writes this many stacks with distinct names, from the flagship and the starters in turn."""
    stacks = [text for starter in sorted((ROOT / "templates").iterdir()) for text in rendered(folder, stackgen, starter)]
    out = folder / f"stacks-{count}"
    out.mkdir()
    for number in range(count):
        text = stacks[number % len(stacks)]
        for env in ("dev", "prod"):
            text = text.replace(f"-{env}", f"-{number}-{env}")
        (out / f"stack-{number:04}.yaml").write_text(text)
    return out


def rendered(folder, stackgen, starter):
    out = folder / starter.name
    if not out.exists():
        subprocess.run([stackgen, "synth", "--quiet", "--unbuilt", "--file", starter / "stackgen.yaml", "--format", "cfn-yaml", "--out", out], check=True)
    return [file.read_text() for file in sorted(out.glob("*/template.yaml"))]


def resources(parts, head=""):
    """Returns a template of an API and parts. A part is the texts of its resources."""
    api = '  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: api, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}'
    return "\n".join([head + "Resources:", api, *parts]) + "\n"


def resource(id, kind, properties):
    return f"  {id}: {{Type: AWS::{kind}, Properties: {{{properties}}}}}"


def uri(function):
    arn = f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"
    return f"!Sub '{arn}'"


def caller(route):
    return f"!Sub 'arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/*/{route}'"


def integrated(number, function):
    return [
        resource(f"Route{number}", "ApiGatewayV2::Route", f"ApiId: !Ref Api, RouteKey: action{number}, AuthorizationType: NONE, Target: !Sub 'integrations/${{Integration{number}}}'"),
        resource(f"Integration{number}", "ApiGatewayV2::Integration", f"ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: {uri(function)}"),
        resource(f"Permission{number}", "Lambda::Permission", f"Action: lambda:InvokeFunction, FunctionName: !Ref {function}, Principal: apigateway.amazonaws.com, SourceArn: {caller(f'action{number}')}"),
    ]


def function(id, role):
    return resource(id, "Lambda::Function", f"Handler: a, Runtime: nodejs22.x, Timeout: 10, Code: {{ZipFile: a}}, Role: !GetAtt {role}.Arn")


def role(id):
    grant = "{Effect: Allow, Action: execute-api:ManageConnections, Resource: !Sub 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/POST/@connections/*'}"
    return resource(id, "IAM::Role", f"AssumeRolePolicyDocument: {{Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: sts:AssumeRole}}]}}, Policies: [{{PolicyName: a, PolicyDocument: {{Statement: [{grant}]}}}}]")


def grow(kind, count):
    """Returns a template of about this many resources, almost all of one kind."""
    parts, head = [], ""
    match kind:
        case "functions, each with a route, a permission and a role":
            for number in range(count // 5):
                parts += [*integrated(number, f"Function{number}"), function(f"Function{number}", f"Role{number}"), role(f"Role{number}")]
        case "routes of one function":
            parts += [function("Function", "Role"), role("Role")]
            for number in range(count // 3):
                parts += integrated(number, "Function")
        case "routes with authorizers":
            parts += [function("Function", "Role"), role("Role")]
            for number in range(count // 2):
                parts += [resource(f"Route{number}", "ApiGatewayV2::Route", f"ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref Authorizer{number}"),
                          resource(f"Authorizer{number}", "ApiGatewayV2::Authorizer", f"ApiId: !Ref Api, Name: a{number}, AuthorizerType: REQUEST, AuthorizerUri: {uri('Function')}")]
        case "apis with deployments and stages":
            for number in range(count // 4):
                parts += [resource(f"Api{number}", "ApiGatewayV2::Api", f"Name: api{number}, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action"),
                          resource(f"Route{number}", "ApiGatewayV2::Route", f"ApiId: !Ref Api{number}, RouteKey: $default, AuthorizationType: NONE"),
                          f"  Deployment{number}: {{Type: AWS::ApiGatewayV2::Deployment, DependsOn: Route{number}, Properties: {{ApiId: !Ref Api{number}}}}}",
                          resource(f"Stage{number}", "ApiGatewayV2::Stage", f"ApiId: !Ref Api{number}, StageName: prod, DeploymentId: !Ref Deployment{number}")]
        case "policies of one role":
            parts += [function("Function", "Role"), role("Role")]
            for number in range(count):
                parts.append(resource(f"Policy{number}", "IAM::Policy", f"PolicyName: p{number}, Roles: [!Ref Role], PolicyDocument: {{Statement: [{{Effect: Allow, Action: execute-api:ManageConnections, Resource: {caller(number)}}}]}}"))
        case "routes under conditions":
            lines = [f"  Condition{number}: !Equals [!Ref Parameter, a{number}]" for number in range(count)]
            head = "\n".join(["Parameters: {Parameter: {Type: String}}", "Conditions:", *lines, ""])
            for number in range(count):
                parts.append(f"  Route{number}: {{Type: AWS::ApiGatewayV2::Route, Condition: Condition{number}, Properties: {{ApiId: !Ref Api, RouteKey: a{number}, AuthorizationType: !If [Condition{number}, NONE, AWS_IAM]}}}}")
        case "tables":
            for number in range(count):
                parts.append(resource(f"Table{number}", "DynamoDB::Table", f"TableName: t{number}, KeySchema: [{{AttributeName: connectionId, KeyType: HASH}}], AttributeDefinitions: [{{AttributeName: connectionId, AttributeType: S}}]"))
        case "functions by SAM":
            head = "Transform: AWS::Serverless-2016-10-31\n"
            for number in range(count // 2):
                parts.append(resource(f"Function{number}", "Serverless::Function", "Handler: a, Runtime: nodejs22.x, InlineCode: a"))
                parts += integrated(number, f"Function{number}")[1:2]
    return resources(parts, head)


KINDS = ["functions, each with a route, a permission and a role", "routes of one function", "routes with authorizers",
         "apis with deployments and stages", "policies of one role", "routes under conditions", "tables", "functions by SAM"]


def sides(folder):
    """Writes both sides of every fixture as files with the same name in two folders. Returns the names by group. Skips fixtures
    whose mistake is the difference between two revisions, because only stackgen compares revisions."""
    groups = {}
    for side, other in (("bad", "+"), ("good", "-")):
        (folder / side).mkdir(parents=True)
        for file in sorted(FIXTURES.glob("*/*.diff")):
            if file.parent.name == OWN or file.with_suffix(".previous").exists():
                continue
            lines = file.read_text().splitlines(keepends=True)
            name = f"{file.parent.name}.{file.stem}.yaml"
            (folder / side / name).write_text("".join(line[1:] for line in lines if not line.startswith(other)))
            groups.setdefault(file.parent.name, set()).add(name)
    return {group: sorted(names) for group, names in groups.items()}
