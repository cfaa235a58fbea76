use insta::assert_snapshot;
use stackgen_cfn::Sources;

use super::{Graph, dot, mermaid, svg};
use crate::{Inputs, Model};

fn graph(template: &str) -> Graph {
    let mut sources = Sources::new();
    let template = stackgen_cfn::parse(sources.add("template.yaml", template)).unwrap();
    Graph::new(&Model::from_template(&template, &Inputs::none()))
}

/// Two routes to a function that another function authorizes, and a table that it may read.
const TEMPLATE: &str = "
Resources:
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: socket, ProtocolType: WEBSOCKET } }
  Auth:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      AuthorizerType: REQUEST
      Name: auth
      AuthorizerUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Guard.Arn}/invocations'
      IdentitySource: [route.request.querystring.token]
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Handler.Arn}/invocations'
  Outside:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Api, IntegrationType: HTTP_PROXY, IntegrationUri: 'https://example.com/<a>&\"b\"' }
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: CUSTOM, AuthorizerId: !Ref Auth, Target: !Sub 'integrations/${Integration}' }
  Send:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: send, AuthorizationType: NONE, Target: !Sub 'integrations/${Integration}' }
  Ask:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: ask, AuthorizationType: NONE, Target: !Sub 'integrations/${Integration}' }
  Away:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: away, Target: !Sub 'integrations/${Outside}' }
  Dead:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: dead }
  Handler: { Type: AWS::Lambda::Function, Properties: { Timeout: 5, Role: !GetAtt Role.Arn } }
  Guard: { Type: AWS::Lambda::Function, Properties: { FunctionName: guard } }
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: access
          PolicyDocument:
            Statement:
              - { Effect: Allow, Action: [dynamodb:GetItem, dynamodb:Query], Resource: !GetAtt Items.Arn }
              - { Effect: Deny, Action: dynamodb:PutItem, Resource: !GetAtt Items.Arn }
              - { Effect: Allow, Action: execute-api:ManageConnections, Resource: '*' }
  Items:
    Type: AWS::DynamoDB::Table
    Properties: { TableName: items, KeySchema: [{ AttributeName: id, KeyType: HASH }] }
";

#[test]
fn routes_with_the_same_target_share_a_box() {
    assert_snapshot!(mermaid(&graph(TEMPLATE)), @r#"
    flowchart LR
      function_Handler("Handler<br/><small>5 s</small><br/><small>sends to connections</small>")
      function_Guard("guard")
      table_Items[("items<br/><small>key id</small>")]
      api_Api[["socket<br/><small>WebSocket API</small>"]]
      routes_Api_1["$connect<br/><small>needs querystring.token</small>"]
      routes_Api_2["send<br/>ask"]
      routes_Api_3["away"]
      other_7[/"https://example.com/#60;a#62;#38;#34;b#34;"/]
      routes_Api_4["dead<br/><small>no integration</small>"]
      api_Api --> routes_Api_1
      routes_Api_1 -.->|"authorizer"| function_Guard
      routes_Api_1 --> function_Handler
      api_Api --> routes_Api_2
      routes_Api_2 --> function_Handler
      api_Api --> routes_Api_3
      routes_Api_3 --> other_7
      api_Api --> routes_Api_4
      function_Handler -->|"reads"| table_Items
    "#);
}

#[test]
fn dot_escapes_quotes() {
    let dot = dot(&graph(TEMPLATE));
    assert!(
        dot.contains(r#"label="https://example.com/<a>&\"b\"""#),
        "{dot}"
    );
}

#[test]
fn svg_escapes_markup_and_control_characters() {
    let mut graph = graph(TEMPLATE);
    graph.nodes[0].lines = vec!["</text><script>\u{1b}".to_owned()];
    let svg = svg(&graph);
    assert!(svg.contains("&lt;/text&gt;&lt;script&gt;\u{fffd}"));
    assert!(svg.contains("https://example.com/&lt;a&gt;&amp;&quot;b&quot;"));
    assert!(!svg.contains("<script>"));
}

#[test]
fn svg_has_literal_colours_without_css() {
    let svg = svg(&graph(TEMPLATE));
    let style = svg.find("<style>").unwrap()..svg.find("</style>").unwrap();
    let without_css = svg.replace(&svg[style], "");
    for rect in without_css.split("<rect ").skip(1) {
        let (attributes, _) = rect.split_once('>').unwrap();
        assert!(attributes.contains("fill=\"#"), "{attributes}");
    }
    assert!(!svg.contains("var("), "{svg}");
}

#[test]
fn an_empty_model_is_an_empty_graph() {
    let graph = graph("Resources: {}");
    assert_eq!(graph, Graph::default());
    assert_eq!(mermaid(&graph), "flowchart LR\n");
    assert!(svg(&graph).ends_with("</svg>\n"));
}

#[test]
fn boxes_do_not_overlap_and_arrows_go_right() {
    let graph = graph(TEMPLATE);
    let layout = super::layout::layout(&graph);
    for (index, a) in layout.boxes.iter().enumerate() {
        for b in &layout.boxes[index + 1..] {
            let apart = a.x + a.width <= b.x
                || b.x + b.width <= a.x
                || a.y + a.height <= b.y
                || b.y + b.height <= a.y;
            assert!(apart, "{a:?} overlaps {b:?}");
        }
    }
    assert!(layout.ends.iter().all(|ends| ends.from.0 < ends.to.0));
}

/// A template with many routes. With `each`, every route has an integration, an authorizer and a function of its own,
/// and every function a role and a table; otherwise they share the first.
fn large(count: usize, each: bool) -> String {
    let mut text = String::from(
        "Resources:\n  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: a, ProtocolType: WEBSOCKET } }\n",
    );
    let arn = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/";
    for number in 0..count {
        let own = if each { number } else { 0 };
        text += &format!(
            "  Route{number}: {{ Type: AWS::ApiGatewayV2::Route, Properties: {{ ApiId: !Ref Api, RouteKey: r{number}, \
             AuthorizationType: CUSTOM, AuthorizerId: !Ref Auth{number}, Target: !Sub 'integrations/${{To{own}}}' }} }}
  Auth{number}: {{ Type: AWS::ApiGatewayV2::Authorizer, Properties: {{ ApiId: !Ref Api, Name: a{number}, AuthorizerType: REQUEST, \
             AuthorizerUri: !Sub '{arn}${{F{own}.Arn}}/invocations' }} }}
  To{number}: {{ Type: AWS::ApiGatewayV2::Integration, Properties: {{ ApiId: !Ref Api, IntegrationType: AWS_PROXY, \
             IntegrationUri: !Sub '{arn}${{F{own}.Arn}}/invocations' }} }}
  F{number}: {{ Type: AWS::Lambda::Function, Properties: {{ Role: !GetAtt Role{number}.Arn }} }}
  Role{number}: {{ Type: AWS::IAM::Role, Properties: {{ Policies: [{{ PolicyName: p, PolicyDocument: {{ Statement: \
             {{ Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Table{number}.Arn }} }} }}] }} }}
  Table{number}: {{ Type: AWS::DynamoDB::Table }}\n"
        );
    }
    text
}

#[test]
fn the_cost_of_a_graph_grows_linearly() {
    for each in [true, false] {
        let steps = |count: usize| {
            let text = large(count, each);
            super::steps::count(|| svg(&graph(&text)))
        };
        let (short, long) = (steps(100), steps(400));
        assert!(short > 400, "the loops are not counted: {short} steps");
        assert!(long <= 4 * short + short / 2, "{short} steps became {long}");
    }
}

#[test]
fn texts_that_many_boxes_repeat_are_cut() {
    // Every function may use every table, and every route has the same long source.
    let count = 400;
    let tables: Vec<_> = (0..count).map(|n| format!("!GetAtt T{n}.Arn")).collect();
    let source = "s".repeat(10_000);
    let mut text = format!(
        "Resources:
  Api: {{ Type: AWS::ApiGatewayV2::Api, Properties: {{ Name: a, ProtocolType: WEBSOCKET }} }}
  Auth: {{ Type: AWS::ApiGatewayV2::Authorizer, Properties: {{ ApiId: !Ref Api, Name: a, AuthorizerType: REQUEST,
    IdentitySource: ['route.request.querystring.{source}'] }} }}
  Role: {{ Type: AWS::IAM::Role, Properties: {{ Policies: [{{ PolicyName: p, PolicyDocument: {{ Statement:
    {{ Effect: Allow, Action: dynamodb:Query, Resource: [{}] }} }} }}] }} }}\n",
        tables.join(", ")
    );
    for number in 0..count {
        text += &format!(
            "  T{number}: {{ Type: AWS::DynamoDB::Table }}
  F{number}: {{ Type: AWS::Lambda::Function, Properties: {{ Role: !GetAtt Role.Arn }} }}
  R{number}: {{ Type: AWS::ApiGatewayV2::Route, Properties: {{ ApiId: !Ref Api, RouteKey: r{number}, AuthorizerId: !Ref Auth }} }}\n"
        );
    }
    let graph = graph(&text);
    let to_tables = graph.edges.iter().filter(|edge| edge.label == "reads");
    assert_eq!(to_tables.count(), 100_000);
    let last = graph.nodes.iter().find(|node| node.id == "function_F399");
    assert_eq!(last.unwrap().details, ["uses 400 tables"]);
    let routes = graph
        .nodes
        .iter()
        .filter(|node| node.id.starts_with("routes_"));
    let longest = routes.flat_map(|node| &node.details).map(String::len).max();
    assert!(longest.unwrap() < 250);
}

/// Integrations with services, and functions with tables in their policies or their environment.
const SERVICES: &str = "
Transform: AWS::Serverless-2016-10-31
Parameters: { RoleArn: { Type: String } }
Resources:
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: socket, ProtocolType: WEBSOCKET } }
  Put:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS
      IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:dynamodb:action/PutItem'
      RequestTemplates: { $default: !Sub '{\"TableName\": \"${Connections}\"}' }
  Get:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS
      IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:dynamodb:action/GetItem'
      RequestTemplates: { $default: '{\"TableName\": \"rooms\", \"Key\": {}}' }
  Send:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS
      IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Jobs.QueueName}'
  Else:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Api, IntegrationType: AWS, IntegrationUri: 'arn:aws:apigateway:eu-west-1:dynamodb:action/PutItem' }
  Connect: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: $connect, Target: !Sub 'integrations/${Put}' } }
  Look: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: look, Target: !Sub 'integrations/${Get}' } }
  Work: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: work, Target: !Sub 'integrations/${Send}' } }
  Other: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: other, Target: !Sub 'integrations/${Else}' } }
  Connections: { Type: AWS::DynamoDB::Table }
  Rooms: { Type: AWS::DynamoDB::Table, Properties: { TableName: rooms } }
  Jobs: { Type: AWS::SQS::Queue }
  Worker:
    Type: AWS::Serverless::Function
    Properties: { Policies: [ { DynamoDBReadPolicy: { TableName: !Ref Connections } }, { DynamoDBWritePolicy: { TableName: rooms } } ] }
  Sweeper:
    Type: AWS::Serverless::Function
    Properties: { Role: !Ref RoleArn, Environment: { Variables: { TABLE: !Ref Connections, OTHER: x } } }
";

#[test]
fn services_show_the_table_or_queue_behind_them() {
    assert_snapshot!(mermaid(&graph(SERVICES)), @r#"
    flowchart LR
      function_Worker("Worker")
      function_Sweeper("Sweeper")
      table_Connections[("Connections")]
      table_Rooms[("rooms")]
      api_Api[["socket<br/><small>WebSocket API</small>"]]
      routes_Api_1["$connect"]
      service_Put[/"DynamoDB PutItem"/]
      routes_Api_2["look"]
      service_Get[/"DynamoDB GetItem"/]
      routes_Api_3["work"]
      resource_Jobs[/"Jobs<br/><small>SQS Queue</small>"/]
      routes_Api_4["other"]
      other_12[/"arn:aws:apigateway:eu-west-1:dynamodb:action/PutItem"/]
      api_Api --> routes_Api_1
      service_Put -->|"writes"| table_Connections
      routes_Api_1 --> service_Put
      api_Api --> routes_Api_2
      service_Get -->|"reads"| table_Rooms
      routes_Api_2 --> service_Get
      api_Api --> routes_Api_3
      routes_Api_3 --> resource_Jobs
      api_Api --> routes_Api_4
      routes_Api_4 --> other_12
      function_Worker -->|"reads"| table_Connections
      function_Worker -->|"writes"| table_Rooms
      function_Sweeper -.->|"TABLE"| table_Connections
    "#);
}

#[test]
fn actions_that_read_a_table_are_labelled_so() {
    for action in [
        "BatchGetItem",
        "DescribeTable",
        "ListTagsOfResource",
        "Query",
    ] {
        let template = SERVICES.replace("action/GetItem", &format!("action/{action}"));
        let graph = mermaid(&graph(&template));
        let edge = "service_Get -->|\"reads\"| table_Rooms";
        assert!(graph.contains(edge), "{action}: {graph}");
    }
}
