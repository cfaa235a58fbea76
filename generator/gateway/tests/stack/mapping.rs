//! Integrations that call DynamoDB without a function (rows M20 to M23).

use futures_util::SinkExt;

use crate::serving::{Socket, connect, receive};
use crate::support::{apply, gateway, template_from_text};

/// An API that writes and reads a table. `forget` uses a role that may not delete.
const TEMPLATE: &str = r##"
Resources:
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: notes
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{ Effect: Allow, Principal: { Service: apigateway.amazonaws.com }, Action: sts:AssumeRole }]
      Policies:
        - PolicyName: notes
          PolicyDocument:
            Statement:
              - { Effect: Allow, Action: [dynamodb:PutItem, dynamodb:GetItem], Resource: !GetAtt Notes.Arn }
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: { Name: notes, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }
  Put:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS
      IntegrationMethod: POST
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:dynamodb:action/PutItem
      CredentialsArn: !GetAtt Role.Arn
      TemplateSelectionExpression: \$default
      RequestTemplates:
        $default: !Sub |
          {"TableName": "${Notes}", "Item": {"id": {"S": "$input.path('$.id')"}, "text": {"S": "$util.escapeJavaScript($input.path('$.text'))"}, "by": {"S": "$context.connectionId"}}}
  Get:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS
      IntegrationMethod: POST
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:dynamodb:action/GetItem
      CredentialsArn: !GetAtt Role.Arn
      TemplateSelectionExpression: \$default
      RequestTemplates:
        $default: !Sub '{"TableName": "${Notes}", "Key": {"id": {"S": "$input.path(''$.id'')"}}}'
  GetResponse:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties:
      ApiId: !Ref Api
      IntegrationId: !Ref Get
      IntegrationResponseKey: /200/
      TemplateSelectionExpression: \$default
      ResponseTemplates:
        $default: '{"note": "$input.path(''$.Item.text.S'')"}'
  Delete:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS
      IntegrationMethod: POST
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:dynamodb:action/DeleteItem
      CredentialsArn: !GetAtt Role.Arn
      RequestTemplates:
        $default: !Sub '{"TableName": "${Notes}", "Key": {"id": {"S": "a"}}}'
  Queue:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS
      IntegrationMethod: POST
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:sqs:path/000000000000/notes
      CredentialsArn: !GetAtt Role.Arn
  PutRoute: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: put, Target: !Sub 'integrations/${Put}' } }
  GetRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: get, Target: !Sub 'integrations/${Get}', RouteResponseSelectionExpression: $default }
  GetRouteResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Api, RouteId: !Ref GetRoute, RouteResponseKey: $default }
  DeleteRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: delete, Target: !Sub 'integrations/${Delete}', RouteResponseSelectionExpression: $default }
  DeleteRouteResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Api, RouteId: !Ref DeleteRoute, RouteResponseKey: $default }
  QueueRoute: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: queue, Target: !Sub 'integrations/${Queue}' } }
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [PutRoute, GetRoute, GetRouteResponse, GetResponse, DeleteRoute, DeleteRouteResponse, QueueRoute]
    Properties: { ApiId: !Ref Api }
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: { ApiId: !Ref Api, StageName: prod, DeploymentId: !Ref Deployment }
"##;

async fn send(socket: &mut Socket, message: &str) {
    socket.send(message.to_owned().into()).await.expect("sent");
}

#[tokio::test]
async fn row_m23_an_integration_writes_and_reads_a_table_as_its_role_allows() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(TEMPLATE)).await;
    let mut socket = connect(&gateway, "notes", "/prod").await;
    send(
        &mut socket,
        r#"{"action":"put","id":"a","text":"say \"hi\""}"#,
    )
    .await;
    send(&mut socket, r#"{"action":"get","id":"a"}"#).await;
    assert_eq!(receive(&mut socket).await, r#"{"note": "say "hi""}"#);
    send(&mut socket, r#"{"action":"delete"}"#).await;
    let denied = receive(&mut socket).await;
    assert!(denied.contains("AccessDeniedException"), "{denied}");
    assert!(denied.contains("dynamodb:DeleteItem"), "{denied}");
    // SQS does not run here.
    send(&mut socket, r#"{"action":"queue"}"#).await;
    let failed = receive(&mut socket).await;
    assert!(failed.contains("Internal server error"), "{failed}");
    gateway.shutdown().await;
}
