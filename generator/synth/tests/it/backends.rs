//! Routes that call something else than a function as a proxy.

use insta::assert_snapshot;
use stackgen_cfn::{Node, emit};

use super::{errors, render, resource, resources_of_type};

/// Returns a file with routes, a table and a queue.
fn with_routes(routes: &str) -> String {
    format!(
        "name: s
functions: {{ f: {{ binary: f }} }}
resources:
  Jobs: {{ Type: AWS::SQS::Queue }}
  News: {{ Type: AWS::SNS::Topic }}
tables:
  notes:
    partitionKey: {{ name: id, type: S }}
    indexes: {{ by-user: {{ partitionKey: {{ name: user, type: S }} }} }}
websocket:
  name: api
  routes:
{routes}
environments: {{ dev: {{}}, prod: {{}} }}
"
    )
}

fn properties<'a>(template: &'a Node, id: &str) -> &'a Node {
    resource(template, id).get("Properties").unwrap()
}

#[test]
fn an_item_is_put_with_a_role_for_one_action_and_one_table() {
    let route = r#"    save:
      table: notes
      action: PutItem
      request: '{"TableName": "$table", "Item": {"id": {"S": "$context.requestId"}}}'
      response: '{"type": "saved"}'"#;
    let template = render(&with_routes(route), "dev");
    let of_route = |kind| resources_of_type(&template, kind);
    assert_eq!(of_route("AWS::Lambda::Permission"), []);
    assert_snapshot!(emit::yaml(properties(&template, "SaveRouteIntegration")), @r#"
    ApiId: !Ref WebSocketApi
    IntegrationType: AWS
    IntegrationMethod: POST
    IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:dynamodb:action/PutItem'
    TimeoutInMillis: 29000
    CredentialsArn: !GetAtt SaveRouteRole.Arn
    TemplateSelectionExpression: '\$default'
    RequestTemplates:
      $default: !Join
        - ''
        - - '#set($table = "'
          - !Ref NotesTable
          - '"){"TableName": "$table", "Item": {"id": {"S": "$context.requestId"}}}'
    "#);
    let policy = properties(&template, "SaveRouteRole").get("Policies");
    assert_snapshot!(emit::yaml(policy.unwrap()), @"
    - PolicyName: invoke
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Action:
              - dynamodb:PutItem
            Resource:
              - !GetAtt NotesTable.Arn
    ");
    let response = properties(&template, "SaveRouteIntegrationResponse");
    assert_snapshot!(emit::yaml(response), @r#"
    ApiId: !Ref WebSocketApi
    IntegrationId: !Ref SaveRouteIntegration
    IntegrationResponseKey: $default
    TemplateSelectionExpression: '\$default'
    ResponseTemplates:
      $default: '{"type": "saved"}'
    "#);
    let route = properties(&template, "SaveRoute");
    assert_eq!(
        route.get("RouteResponseSelectionExpression"),
        Some(&"$default".into())
    );
}

#[test]
fn a_deployment_depends_on_every_integration_response_and_route_response() {
    let routes = "    ping: { mock: 200, responses: { '/5\\d\\d/': down, $default: pong } }\n    job: { queue: Jobs, twoWay: true }";
    let template = render(&with_routes(routes), "dev");
    let (_, deployment) = resources_of_type(&template, "AWS::ApiGatewayV2::Deployment")[0];
    let awaited = deployment.get("DependsOn").and_then(Node::as_list).unwrap();
    for (kind, count) in [
        ("AWS::ApiGatewayV2::IntegrationResponse", 3),
        ("AWS::ApiGatewayV2::RouteResponse", 2),
        ("AWS::ApiGatewayV2::Route", 2),
    ] {
        let ids = resources_of_type(&template, kind);
        assert_eq!(ids.len(), count, "{kind}");
        assert!(ids.iter().all(|(id, _)| awaited.contains(&(*id).into())));
    }
}

#[test]
fn a_queue_may_be_a_logical_id_an_arn_or_an_intrinsic_function() {
    let routes = "    own: { queue: Jobs }\n    other: { queue: 'arn:aws:sqs:eu-west-1:111122223333:jobs' }\n    \
        imported: { queue: !ImportValue Jobs }";
    let template = render(&with_routes(routes), "dev");
    let uri = |id: &str| {
        let uri = properties(&template, id).get("IntegrationUri");
        emit::yaml(uri.unwrap())
    };
    assert_snapshot!(uri("OwnRouteIntegration"), @"!Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Jobs.QueueName}'");
    assert_snapshot!(uri("OtherRouteIntegration"), @"!Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:sqs:path/111122223333/jobs'");
    assert_snapshot!(uri("ImportedRouteIntegration"), @"
    !Join
    - ''
    - - !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:sqs:path/'
      - !Select [4, !Split [':', !ImportValue Jobs]]
      - /
      - !Select [5, !Split [':', !ImportValue Jobs]]
    ");
}

#[test]
fn headers_of_the_file_replace_those_of_the_service() {
    let route =
        "    job: { queue: Jobs, requestParameters: { header.content-type: \"'text/plain'\" } }";
    let template = render(&with_routes(route), "dev");
    let parameters = properties(&template, "JobRouteIntegration").get("RequestParameters");
    assert_snapshot!(emit::yaml(parameters.unwrap()), @"integration.request.header.content-type: '''text/plain'''");
}

#[test]
fn a_variable_is_defined_only_where_a_template_uses_it() {
    let routes = "    a: { topic: News, request: 'Action=Publish' }\n    b: { topic: News, response: '\"${topic}\"' }";
    let template = render(&with_routes(routes), "dev");
    let request =
        properties(&template, "ARouteIntegration").at_path(&["RequestTemplates", "$default"]);
    assert_eq!(request, Some(&"Action=Publish".into()));
    let response = properties(&template, "BRouteIntegrationResponse");
    assert_snapshot!(emit::yaml(response.at_path(&["ResponseTemplates", "$default"]).unwrap()), @r#"!Join ['', ['#set($topic = "', !Ref News, '")"${topic}"']]"#);
}

#[test]
fn a_function_with_templates_is_no_proxy_and_keeps_its_permission() {
    let routes = "    map: { function: f, response: done }\n    plain: f";
    let live = render(&with_routes(routes), "dev");
    let kind = |id: &str| properties(&live, id).get("IntegrationType").cloned();
    assert_eq!(kind("MapRouteIntegration"), Some("AWS".into()));
    assert_eq!(kind("FWebSocketIntegration"), Some("AWS_PROXY".into()));
    resource(&live, "MapRoutePermission");
    let pinned = render(&with_routes(routes), "prod");
    let role = properties(&pinned, "MapRouteIntegration").get("CredentialsArn");
    assert_eq!(
        role,
        Some(&stackgen_cfn::get_att("WebSocketInvokeRole", "Arn"))
    );
}

#[test]
fn a_pinned_api_without_functions_has_no_invoke_role() {
    let template = render(&with_routes("    ping: { mock: 200 }"), "prod");
    assert!(
        template
            .at_path(&["Resources", "WebSocketInvokeRole"])
            .is_none()
    );
}

#[test]
fn the_whole_arn_of_a_role_replaces_the_routes_own() {
    let route = "    job: { queue: Jobs, role: !ImportValue Sender }";
    let template = render(&with_routes(route), "dev");
    assert!(template.at_path(&["Resources", "JobRouteRole"]).is_none());
    let role = properties(&template, "JobRouteIntegration").get("CredentialsArn");
    assert_snapshot!(emit::yaml(role.unwrap()), @"!ImportValue Sender");
}

#[test]
fn the_resource_of_a_backend_must_exist_with_its_type() {
    assert_snapshot!(errors(&with_routes(
        "    none: { timeout: 5s }
    two: { table: notes, queue: Jobs }
    unknownTable: { table: note, action: PutItem, request: '{}' }
    noAction: { table: notes }
    badAction: { table: notes, action: PutItems, request: '{}' }
    create: { table: notes, action: CreateTable, request: '{}' }
    unknownQueue: { queue: Job }
    aTopic: { queue: News }
    badArn: { queue: 'arn:aws:sns:eu-west-1:111122223333:jobs' }
    flow: { stateMachine: Flow, action: Start }
    url: { httpProxy: example.com }"
    )), @r#"
    13:5 `none` names nothing that it calls
        help: add `function`, `table`, `queue`, `topic`, `stateMachine`, `eventBus`, `stream`, `service`, `http`, `httpProxy` or `mock`
    14:26 `two` calls both `table` and `queue`
        help: keep one of them: a route has one integration
    15:28 there is no table `note`
        help: did you mean `notes`?
    16:17 `noAction` lacks `action`
        help: use `BatchGetItem`, `BatchWriteItem`, `DeleteItem`, `GetItem`, `PutItem`, `Query`, `Scan` or `UpdateItem`
    16:17 `noAction` lacks `request`
        help: add the template of the request: `request: '{"TableName": "$table", …}'`
        row M20
    17:40 `action` cannot be `PutItems`
        help: did you mean `PutItem`?
    18:37 `action` cannot be `CreateTable`
        help: use `BatchGetItem`, `BatchWriteItem`, `DeleteItem`, `GetItem`, `PutItem`, `Query`, `Scan` or `UpdateItem`
    19:28 there is no resource `Job`
        help: did you mean `Jobs`?
    20:22 `News` has the type AWS::SNS::Topic, not AWS::SQS::Queue
        help: name another resource, or use the key for this type
    21:22 `arn:aws:sns:eu-west-1:111122223333:jobs` is not the ARN of an AWS::SQS::Queue
        help: it has the form `arn:aws:sqs:REGION:ACCOUNT:…`
    22:27 there is no resource `Flow`
        help: declare an AWS::StepFunctions::StateMachine `Flow` under `resources`, or write an ARN
    22:41 `action` cannot be `Start`
        help: use `StartExecution` or `StartSyncExecution`
    23:23 `example.com` is not a URL of an endpoint
        help: write a complete URL, such as `https://example.com/messages`
        row M25
    "#);
}

#[test]
fn keys_must_fit_the_backend_and_each_other() {
    assert_snapshot!(errors(&with_routes(
        "    proxied: { httpProxy: 'https://example.com', response: '{}' }
    mocked: { mock: 200, request: '{}', role: 'arn:aws:iam::111122223333:role/r' }
    sent: { queue: Jobs, action: SendMessageBatch }
    $connect: { mock: 200, response: '{}' }
    both: { mock: 200, response: '{}', responses: { $default: '{}' } }
    unselected: { queue: Jobs, requests: { a: '{}' } }
    selects: { queue: Jobs, requestSelection: $request.body.a }
    empty: { service: { name: ssm } }
    double: { service: { name: s3, action: GetObject, path: a/b, resource: 'arn:aws:s3:::a/b' } }
    bare: { service: { name: s3, path: a/b, resource: 'arn:aws:s3:::a/b' } }
    roled: { service: { name: s3, path: a/b, resource: 'arn:aws:s3:::a/b' }, role: 'arn:aws:iam::111122223333:role/r' }"
    )), @"
    13:50 `response` has no effect on a route with `httpProxy`
        help: use `http`: a proxy passes messages and answers on as they are
    14:26 `request` has no effect on a route with `mock`
        help: write the template in `mock`: it renders the status
    14:41 `role` has no effect on a route with `mock`
        help: remove it: only services of AWS are called with a role
    15:26 `action` has no effect on a route with `queue`
        help: remove it, or use `service`, which can call any action
    16:28 `$connect` cannot send an answer
        help: remove `response`: `$connect` returns the handshake's status, and its body is never sent
        row C9
    17:40 `both` has both `response` and `responses`
        help: move the template of `response` to `$default` in `responses`
    18:32 `unselected` lacks `requestSelection`
        help: add the expression that selects one of `requests`, such as `$request.body.kind`
    19:29 `requestSelection` has no `requests` to select from
        help: add `requests`, or remove `requestSelection`
    20:14 the service lacks `action`
        help: add `action`, or `path` for a service without actions
    20:14 the service lacks `resource`
        help: add the ARN that the role of the route allows, or name a `role`
    21:15 the service has both `action` and `path`
        help: keep one of them
    21:15 the service lacks `permission`
        help: add the IAM action that the path needs, such as `permission: s3:GetObject`, or name a `role`
    22:13 the service lacks `permission`
        help: add the IAM action that the path needs, such as `permission: s3:GetObject`, or name a `role`
    23:14 `resource` and `permission` have no effect beside `role`
        help: remove `role`, so that the route gets a role of its own, or remove the others
    ");
}

#[test]
fn values_of_backends_have_formats() {
    assert_snapshot!(errors(&with_routes(
        "    a: { queue: Jobs, requestParameters: { integration.request.header.A: \"'a'\", body.b: \"'b'\" } }
    b: { mock: 700 }
    c: { mock: 200, responses: { 200: a, '//': b } }
    d: { http: 'https://example.com', method: get }
    e: { queue: Jobs, requests: { a: b }, requestSelection: kind }
    g: { service: { name: SSM, action: getParameter, permission: ssm, resource: '*' } }
    h: { queue: [Jobs] }
    i: { queue: Jobs, passthrough: sometimes }"
    )), @"
    13:44 `integration.request.header.A` is not a request parameter
        help: write `header.A`
        row M24
    13:81 `body.b` is not a request parameter
        help: write `header.X-Room`, `querystring.room`, or `path.room` for `{room}` in the path
        row M24
    14:16 `mock` is 700; it must be between 100 and 599
    15:34 `200` is not a key of an integration response
        help: write a regular expression between slashes, such as `/200/`, or `$default`
        row M22
    15:42 `//` is not a key of an integration response
        help: write a regular expression between slashes, such as `/200/`, or `$default`
        row M22
    16:47 `get` is not a method of an integration
        help: write `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD` or `OPTIONS`
    17:61 `kind` does not read the message
        help: write `$request.body.kind`, or `${request.body.a}/${request.body.b}` for more than one field
        row M21
    18:27 `SSM` is not the name of a service
        help: write its name in integration URIs, such as `ssm` or `s3`
    18:40 `getParameter` is not an action of a service
        help: write its name in the service's API reference, such as `GetParameter`
    18:66 `ssm` is not an IAM action
        help: write one action, such as `ssm:GetParameter`
    19:17 `queue` must be a string or a number or true or false or a mapping, not a list
    20:36 `passthrough` cannot be `sometimes`
        help: use `whenNoMatch`, `whenNoTemplates` or `never`
    ");
}

#[test]
fn keys_of_other_tools_are_explained() {
    assert_snapshot!(errors(&with_routes(
        "    a: { integration: mock }
    b: { function: f, requestTemplates: {} }
    c: { queue: Jobs, credentialsArn: a }
    d: { uri: 'https://example.com' }
    e: { queue: Jobs, passthroughBehavior: NEVER }
    g: { mock: 200, responseSelection: a }
    f: { function: f, auth: jwt }"
    )), @"
    13:10 unknown key `integration` in `a`
        help: name the backend itself: `function`, `table`, `queue`, `topic`, `stateMachine`, `eventBus`, `stream`, `service`, `http`, `httpProxy` or `mock`
    14:23 unknown key `requestTemplates` in `b`
        help: write `request` for one template, or `requests` and `requestSelection` for several
        row M20
    15:23 unknown key `credentialsArn` in `c`
        help: remove it: the route gets a role that allows its one action; write `role` to use another one
        row M23
    16:10 unknown key `uri` in `d`
        help: write `httpProxy:` and the URL, or `http:` to map messages and answers with templates
        row M25
    17:23 unknown key `passthroughBehavior` in `e`
        help: write `passthrough: never`
        row M21
    18:21 unknown key `responseSelection` in `g`
        help: remove it: no operation of API Gateway sets it; the status, or the error message of a function, selects one of `responses`
        row M22
    19:23 unknown key `auth` in `f`
        help: use `websocket.authorizer`: API Gateway authorizes only `$connect`, once per connection, and passes the context that the authorizer returns to later routes in `requestContext.authorizer`
        row A1
    ");
}
