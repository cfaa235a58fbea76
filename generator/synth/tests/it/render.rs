//! Templates as people see them.

use insta::{assert_debug_snapshot, assert_snapshot};
use stackgen_cfn::emit;

use super::{Artifacts, Dialect, Request, STARTERS, load, render};

#[test]
fn the_smallest_stack_reads_well() {
    assert_snapshot!(emit::yaml(&render(STARTERS[2].1, "dev")), @"
    AWSTemplateFormatVersion: '2010-09-09'
    Metadata:
      Stackgen:
        Stack: echo
        Environment: dev
        Release: live
      cfn-lint:
        config:
          ignore_checks:
            - W3002
    Resources:
      EchoLogGroup:
        Type: AWS::Logs::LogGroup
        DeletionPolicy: Delete
        UpdateReplacePolicy: Delete
        Properties:
          LogGroupName: /aws/lambda/echo-dev
          RetentionInDays: 30
      EchoRole:
        Type: AWS::IAM::Role
        Properties:
          AssumeRolePolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Principal:
                  Service: lambda.amazonaws.com
                Action: sts:AssumeRole
          Policies:
            - PolicyName: access
              PolicyDocument:
                Version: '2012-10-17'
                Statement:
                  - Effect: Allow
                    Action:
                      - logs:CreateLogStream
                      - logs:PutLogEvents
                    Resource:
                      - !GetAtt EchoLogGroup.Arn
      EchoFunction:
        Type: AWS::Lambda::Function
        Properties:
          FunctionName: echo-dev
          Code: target/lambda/echo/bootstrap.zip
          Runtime: provided.al2023
          Handler: bootstrap
          Architectures:
            - arm64
          MemorySize: 128
          Timeout: 3
          Role: !GetAtt EchoRole.Arn
          LoggingConfig:
            LogGroup: !Ref EchoLogGroup
      WebSocketApi:
        Type: AWS::ApiGatewayV2::Api
        Properties:
          Name: echo-api-dev
          ProtocolType: WEBSOCKET
          RouteSelectionExpression: $request.body.action
      EchoWebSocketIntegration:
        Type: AWS::ApiGatewayV2::Integration
        Properties:
          ApiId: !Ref WebSocketApi
          IntegrationType: AWS_PROXY
          IntegrationMethod: POST
          IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${EchoFunction.Arn}/invocations'
          TimeoutInMillis: 29000
      DefaultRoute:
        Type: AWS::ApiGatewayV2::Route
        Properties:
          ApiId: !Ref WebSocketApi
          RouteKey: $default
          AuthorizationType: NONE
          RouteResponseSelectionExpression: $default
          Target: !Sub 'integrations/${EchoWebSocketIntegration}'
      DefaultRouteResponse:
        Type: AWS::ApiGatewayV2::RouteResponse
        Properties:
          ApiId: !Ref WebSocketApi
          RouteId: !Ref DefaultRoute
          RouteResponseKey: $default
      DefaultRoutePermission:
        Type: AWS::Lambda::Permission
        Properties:
          Action: lambda:InvokeFunction
          FunctionName: !GetAtt EchoFunction.Arn
          Principal: apigateway.amazonaws.com
          SourceArn: !Sub 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/prod/$default'
      WebSocketDeploymentD7F3268224:
        Type: AWS::ApiGatewayV2::Deployment
        DependsOn:
          - DefaultRoute
          - DefaultRouteResponse
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          ApiId: !Ref WebSocketApi
          Description: stackgen sha256:d7f326822447147ae82600f5500b5c48c0c779d3090bf71ebc8d71b7b4830028 env:dev
      WebSocketStage:
        Type: AWS::ApiGatewayV2::Stage
        Properties:
          ApiId: !Ref WebSocketApi
          StageName: prod
          DeploymentId: !Ref WebSocketDeploymentD7F3268224
    Outputs:
      WebSocketUrl:
        Description: Where clients connect
        Value: !Sub 'wss://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod'
      WebSocketManagementUrl:
        Description: Where messages to connections are posted
        Value: !Sub 'https://${WebSocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod'
      WebSocketApiId:
        Description: Id of the WebSocket API
        Value: !Ref WebSocketApi
      WebSocketStageName:
        Description: Name of the WebSocket API's stage
        Value: prod
      WebSocketDeploymentId:
        Description: The deployment that this template makes and its stage serves
        Value: !Ref WebSocketDeploymentD7F3268224
    ");
}

#[test]
fn sam_differs_in_the_functions_alone() {
    let stack = load(STARTERS[2].1);
    let artifacts = Artifacts::new();
    let of = |dialect| {
        let request = Request {
            environment: "dev",
            dialect,
            project_path: "../..",
            artifacts: &artifacts,
        };
        emit::yaml(&stack.render(&request).unwrap().template)
    };
    let (cloudformation, sam) = (of(Dialect::CloudFormation), of(Dialect::Sam));
    let lines = |text: &str, other: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !other.lines().any(|known| known == *line))
            .map(str::to_owned)
            .collect()
    };
    assert_debug_snapshot!(lines(&cloudformation, &sam), @r#"
    [
        "  cfn-lint:",
        "    config:",
        "      ignore_checks:",
        "        - W3002",
        "    Type: AWS::Lambda::Function",
        "      Code: '../../target/lambda/echo/bootstrap.zip'",
    ]
    "#);
    assert_debug_snapshot!(lines(&sam, &cloudformation), @r#"
    [
        "Transform: AWS::Serverless-2016-10-31",
        "    Type: AWS::Serverless::Function",
        "    Metadata:",
        "      BuildMethod: rust-cargolambda",
        "      BuildProperties:",
        "        Binary: echo",
        "      CodeUri: '../../'",
    ]
    "#);
}

#[test]
fn every_part_of_the_language_renders() {
    assert_snapshot!(emit::yaml(&render(include_str!("everything.yaml"), "prod")), @r#"
    AWSTemplateFormatVersion: '2010-09-09'
    Description: Every key of the language
    Metadata:
      Stackgen:
        Stack: everything
        Environment: prod
        Release: pinned
      cfn-lint:
        config:
          ignore_checks:
            - W3002
    Parameters:
      Certificate:
        Type: String
        Default: arn:aws:acm:eu-west-1:111122223333:certificate/1
    Mappings:
      Sizes:
        small:
          Value: '1'
    Conditions:
      Always: !Equals [a, a]
    Resources:
      OwnedTable:
        Type: AWS::DynamoDB::Table
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          TableName: Owned-prod
          BillingMode: PAY_PER_REQUEST
          AttributeDefinitions:
            - AttributeName: id
              AttributeType: B
          KeySchema:
            - AttributeName: id
              KeyType: HASH
          SSESpecification:
            SSEEnabled: false
          PointInTimeRecoverySpecification:
            PointInTimeRecoveryEnabled: false
          Tags:
            - Key: Team
              Value: sockets
      RoomsTable:
        Type: AWS::DynamoDB::Table
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          TableName: Rooms-prod
          BillingMode: PAY_PER_REQUEST
          AttributeDefinitions:
            - AttributeName: at
              AttributeType: 'N'
            - AttributeName: room
              AttributeType: S
            - AttributeName: user
              AttributeType: S
          KeySchema:
            - AttributeName: room
              KeyType: HASH
            - AttributeName: at
              KeyType: RANGE
          GlobalSecondaryIndexes:
            - IndexName: by-user
              KeySchema:
                - AttributeName: user
                  KeyType: HASH
              Projection:
                ProjectionType: KEYS_ONLY
          SSESpecification:
            SSEEnabled: true
            SSEType: KMS
            KMSMasterKeyId: arn:aws:kms:eu-west-1:111122223333:key/1
          PointInTimeRecoverySpecification:
            PointInTimeRecoveryEnabled: false
          DeletionProtectionEnabled: true
          StreamSpecification:
            StreamViewType: NEW_AND_OLD_IMAGES
          Tags:
            - Key: Team
              Value: sockets
      AuthorizerLogGroup:
        Type: AWS::Logs::LogGroup
        DeletionPolicy: Delete
        UpdateReplacePolicy: Delete
        Properties:
          LogGroupName: /aws/lambda/authorizer-prod
          RetentionInDays: 30
          Tags:
            - Key: Team
              Value: sockets
      AuthorizerRole:
        Type: AWS::IAM::Role
        Properties:
          AssumeRolePolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Principal:
                  Service: lambda.amazonaws.com
                Action: sts:AssumeRole
          Policies:
            - PolicyName: access
              PolicyDocument:
                Version: '2012-10-17'
                Statement:
                  - Effect: Allow
                    Action:
                      - logs:CreateLogStream
                      - logs:PutLogEvents
                    Resource:
                      - !GetAtt AuthorizerLogGroup.Arn
                  - Effect: Allow
                    Action:
                      - xray:PutTelemetryRecords
                      - xray:PutTraceSegments
                    Resource:
                      - '*'
          Tags:
            - Key: Team
              Value: sockets
      AuthorizerFunction:
        Type: AWS::Lambda::Function
        Properties:
          FunctionName: authorizer-prod
          Code: target/lambda/authorizer/bootstrap.zip
          Runtime: provided.al2023
          Handler: bootstrap
          Architectures:
            - x86_64
          MemorySize: 128
          Timeout: 3
          Role: !GetAtt AuthorizerRole.Arn
          LoggingConfig:
            LogGroup: !Ref AuthorizerLogGroup
          TracingConfig:
            Mode: Active
          Tags:
            - Key: Team
              Value: sockets
      AuthorizerVersiond29610c50a:
        Type: AWS::Lambda::Version
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          FunctionName: !Ref AuthorizerFunction
      HandlerLogGroup:
        Type: AWS::Logs::LogGroup
        DeletionPolicy: Delete
        UpdateReplacePolicy: Delete
        Properties:
          LogGroupName: /aws/lambda/handler-prod
          RetentionInDays: 30
          Tags:
            - Key: Team
              Value: sockets
      HandlerRole:
        Type: AWS::IAM::Role
        Properties:
          AssumeRolePolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Principal:
                  Service: lambda.amazonaws.com
                Action: sts:AssumeRole
          Policies:
            - PolicyName: access
              PolicyDocument:
                Version: '2012-10-17'
                Statement:
                  - Effect: Allow
                    Action:
                      - logs:CreateLogStream
                      - logs:PutLogEvents
                    Resource:
                      - !GetAtt HandlerLogGroup.Arn
                  - Effect: Allow
                    Action:
                      - dynamodb:PutItem
                      - dynamodb:Query
                      - dynamodb:Scan
                    Resource:
                      - !GetAtt RoomsTable.Arn
                  - Effect: Allow
                    Action:
                      - dynamodb:Query
                      - dynamodb:Scan
                    Resource:
                      - !Sub '${RoomsTable.Arn}/index/by-user'
                  - Effect: Allow
                    Action:
                      - kms:Decrypt
                      - kms:DescribeKey
                      - kms:Encrypt
                      - kms:GenerateDataKey
                    Resource:
                      - arn:aws:kms:eu-west-1:111122223333:key/1
                  - Effect: Allow
                    Action:
                      - execute-api:ManageConnections
                    Resource:
                      - !Sub 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/live/DELETE/@connections/*'
                      - !Sub 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/live/GET/@connections/*'
                      - !Sub 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/live/POST/@connections/*'
                  - Effect: Allow
                    Action:
                      - xray:PutTelemetryRecords
                      - xray:PutTraceSegments
                    Resource:
                      - '*'
                  - Effect: Allow
                    Action:
                      - sns:Publish
                    Resource:
                      - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      HandlerFunction:
        Type: AWS::Lambda::Function
        Properties:
          FunctionName: handler-prod
          Code: target/lambda/handler/bootstrap.zip
          Runtime: provided.al2023
          Handler: bootstrap
          Architectures:
            - x86_64
          MemorySize: 128
          Timeout: 3
          Role: !GetAtt HandlerRole.Arn
          Environment:
            Variables:
              MANAGEMENT_ENDPOINT: https://ws.example.com/v1
              ROOMS_TABLE: !Ref RoomsTable
          LoggingConfig:
            LogGroup: !Ref HandlerLogGroup
          TracingConfig:
            Mode: Active
          ReservedConcurrentExecutions: 10
          Tags:
            - Key: Team
              Value: sockets
      HandlerVersion1963bc0e0e:
        Type: AWS::Lambda::Version
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          FunctionName: !Ref HandlerFunction
      LegacyLogGroup:
        Type: AWS::Logs::LogGroup
        DeletionPolicy: Delete
        UpdateReplacePolicy: Delete
        Properties:
          LogGroupName: /aws/lambda/legacy-prod
          RetentionInDays: 30
          Tags:
            - Key: Team
              Value: sockets
      LegacyRole:
        Type: AWS::IAM::Role
        Properties:
          AssumeRolePolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Principal:
                  Service: lambda.amazonaws.com
                Action: sts:AssumeRole
          Policies:
            - PolicyName: access
              PolicyDocument:
                Version: '2012-10-17'
                Statement:
                  - Effect: Allow
                    Action:
                      - logs:CreateLogStream
                      - logs:PutLogEvents
                    Resource:
                      - !GetAtt LegacyLogGroup.Arn
          Tags:
            - Key: Team
              Value: sockets
      LegacyFunction:
        Type: AWS::Lambda::Function
        Properties:
          FunctionName: legacy-prod
          Code: dist/legacy.zip
          Runtime: nodejs22.x
          Handler: index.handler
          Architectures:
            - arm64
          MemorySize: 128
          Timeout: 3
          Role: !GetAtt LegacyRole.Arn
          LoggingConfig:
            LogGroup: !Ref LegacyLogGroup
          Tags:
            - Key: Team
              Value: sockets
      LegacyVersione32562017f:
        Type: AWS::Lambda::Version
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          FunctionName: !Ref LegacyFunction
      ApiGatewayCloudWatchRole:
        Type: AWS::IAM::Role
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          AssumeRolePolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Principal:
                  Service: apigateway.amazonaws.com
                Action: sts:AssumeRole
          ManagedPolicyArns:
            - !Sub 'arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs'
          Tags:
            - Key: Team
              Value: sockets
      ApiGatewayAccount:
        Type: AWS::ApiGateway::Account
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          CloudWatchRoleArn: !GetAtt ApiGatewayCloudWatchRole.Arn
      WebSocketApi:
        Type: AWS::ApiGatewayV2::Api
        Properties:
          Name: socket-prod
          Description: A socket
          ProtocolType: WEBSOCKET
          RouteSelectionExpression: '${request.body.service}/${request.body.action}'
          DisableExecuteApiEndpoint: true
          Tags:
            Team: sockets
      WebSocketInvokeRole:
        Type: AWS::IAM::Role
        Properties:
          AssumeRolePolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Principal:
                  Service: apigateway.amazonaws.com
                Action: sts:AssumeRole
          Policies:
            - PolicyName: invoke
              PolicyDocument:
                Version: '2012-10-17'
                Statement:
                  - Effect: Allow
                    Action:
                      - lambda:InvokeFunction
                    Resource:
                      - !GetAtt AuthorizerFunction.Arn
                      - !Sub '${AuthorizerFunction.Arn}:*'
                      - !GetAtt HandlerFunction.Arn
                      - !Sub '${HandlerFunction.Arn}:*'
          Tags:
            - Key: Team
              Value: sockets
      WebSocketAuthorizer:
        Type: AWS::ApiGatewayV2::Authorizer
        Metadata:
          Stackgen:
            Callers: authenticated
        Properties:
          ApiId: !Ref WebSocketApi
          Name: authorizer-prod
          AuthorizerType: REQUEST
          AuthorizerUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthorizerVersiond29610c50a}/invocations'
          AuthorizerCredentialsArn: !GetAtt WebSocketInvokeRole.Arn
          IdentitySource:
            - route.request.header.Origin
            - route.request.querystring.token
      HandlerWebSocketIntegrationTimeout5000:
        Type: AWS::ApiGatewayV2::Integration
        Properties:
          ApiId: !Ref WebSocketApi
          IntegrationType: AWS_PROXY
          IntegrationMethod: POST
          IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${HandlerVersion1963bc0e0e}/invocations'
          CredentialsArn: !GetAtt WebSocketInvokeRole.Arn
          TimeoutInMillis: 5000
      HandlerWebSocketIntegration:
        Type: AWS::ApiGatewayV2::Integration
        Properties:
          ApiId: !Ref WebSocketApi
          IntegrationType: AWS_PROXY
          IntegrationMethod: POST
          IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${HandlerVersion1963bc0e0e}/invocations'
          CredentialsArn: !GetAtt WebSocketInvokeRole.Arn
          TimeoutInMillis: 20000
      HandlerWebSocketIntegrationToBinary:
        Type: AWS::ApiGatewayV2::Integration
        Properties:
          ApiId: !Ref WebSocketApi
          IntegrationType: AWS_PROXY
          IntegrationMethod: POST
          IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${HandlerVersion1963bc0e0e}/invocations'
          CredentialsArn: !GetAtt WebSocketInvokeRole.Arn
          TimeoutInMillis: 20000
          ContentHandlingStrategy: CONVERT_TO_BINARY
      ConnectRoute:
        Type: AWS::ApiGatewayV2::Route
        Properties:
          ApiId: !Ref WebSocketApi
          RouteKey: $connect
          AuthorizationType: CUSTOM
          AuthorizerId: !Ref WebSocketAuthorizer
          Target: !Sub 'integrations/${HandlerWebSocketIntegration}'
      ChatSendRoute96ecba204d:
        Type: AWS::ApiGatewayV2::Route
        Properties:
          ApiId: !Ref WebSocketApi
          RouteKey: chat/send
          AuthorizationType: NONE
          RouteResponseSelectionExpression: $default
          Target: !Sub 'integrations/${HandlerWebSocketIntegrationTimeout5000}'
      ChatSendRoute96ecba204dResponse:
        Type: AWS::ApiGatewayV2::RouteResponse
        Properties:
          ApiId: !Ref WebSocketApi
          RouteId: !Ref ChatSendRoute96ecba204d
          RouteResponseKey: $default
      ChatUploadRoute206fcba299:
        Type: AWS::ApiGatewayV2::Route
        Properties:
          ApiId: !Ref WebSocketApi
          RouteKey: chat/upload
          AuthorizationType: NONE
          Target: !Sub 'integrations/${HandlerWebSocketIntegrationToBinary}'
      WebSocketAccessLogGroup:
        Type: AWS::Logs::LogGroup
        DeletionPolicy: Delete
        UpdateReplacePolicy: Delete
        Properties:
          LogGroupName: /aws/apigateway/socket-prod
          RetentionInDays: 7
          Tags:
            - Key: Team
              Value: sockets
      WebSocketDeploymentFF238257EC:
        Type: AWS::ApiGatewayV2::Deployment
        DependsOn:
          - ChatSendRoute96ecba204d
          - ChatSendRoute96ecba204dResponse
          - ChatUploadRoute206fcba299
          - ConnectRoute
          - PingRoute
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          ApiId: !Ref WebSocketApi
          Description: stackgen sha256:ff238257ecc8ff4f2688513486f9742f98319e86837f16f12a0f64c112b5c186 env:prod
      WebSocketStage:
        Type: AWS::ApiGatewayV2::Stage
        DependsOn:
          - ApiGatewayAccount
        Properties:
          ApiId: !Ref WebSocketApi
          StageName: live
          DeploymentId: !Ref WebSocketDeploymentFF238257EC
          DefaultRouteSettings:
            ThrottlingBurstLimit: 10
            ThrottlingRateLimit: 5
            LoggingLevel: INFO
            DataTraceEnabled: true
            DetailedMetricsEnabled: true
          RouteSettings:
            chat/send:
              ThrottlingBurstLimit: 2
              ThrottlingRateLimit: 1
          AccessLogSettings:
            DestinationArn: !GetAtt WebSocketAccessLogGroup.Arn
            Format: $context.requestId $context.status
          StageVariables:
            color: blue
          Tags:
            Team: sockets
      WebSocketDomainName:
        Type: AWS::ApiGatewayV2::DomainName
        Properties:
          DomainName: ws.example.com
          DomainNameConfigurations:
            - CertificateArn: !Ref Certificate
              EndpointType: REGIONAL
              SecurityPolicy: TLS_1_2
          Tags:
            Team: sockets
      WebSocketApiMapping:
        Type: AWS::ApiGatewayV2::ApiMapping
        Properties:
          ApiId: !Ref WebSocketApi
          DomainName: !Ref WebSocketDomainName
          Stage: !Ref WebSocketStage
          ApiMappingKey: v1
      WebSocketRecord:
        Type: AWS::Route53::RecordSet
        Properties:
          HostedZoneId: Z1
          Name: ws.example.com
          Type: A
          AliasTarget:
            DNSName: !GetAtt WebSocketDomainName.RegionalDomainName
            HostedZoneId: !GetAtt WebSocketDomainName.RegionalHostedZoneId
      HttpApi:
        Type: AWS::ApiGatewayV2::Api
        Properties:
          Name: web-prod
          ProtocolType: HTTP
          CorsConfiguration:
            AllowOrigins:
              - https://example.com
            ExposeHeaders:
              - etag
            MaxAge: 600
            AllowCredentials: true
          Tags:
            Team: sockets
      HttpInvokeRole:
        Type: AWS::IAM::Role
        Properties:
          AssumeRolePolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Principal:
                  Service: apigateway.amazonaws.com
                Action: sts:AssumeRole
          Policies:
            - PolicyName: invoke
              PolicyDocument:
                Version: '2012-10-17'
                Statement:
                  - Effect: Allow
                    Action:
                      - lambda:InvokeFunction
                    Resource:
                      - !GetAtt LegacyFunction.Arn
                      - !Sub '${LegacyFunction.Arn}:*'
          Tags:
            - Key: Team
              Value: sockets
      HttpAuthorizer:
        Type: AWS::ApiGatewayV2::Authorizer
        Properties:
          ApiId: !Ref HttpApi
          Name: web-prod-jwt
          AuthorizerType: JWT
          IdentitySource:
            - $request.querystring.token
          JwtConfiguration:
            Issuer: https://issuer.example.com
            Audience:
              - a
              - b
      LegacyHttpIntegrationTimeout3000:
        Type: AWS::ApiGatewayV2::Integration
        Properties:
          ApiId: !Ref HttpApi
          IntegrationType: AWS_PROXY
          IntegrationMethod: POST
          IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${LegacyVersione32562017f}/invocations'
          CredentialsArn: !GetAtt HttpInvokeRole.Arn
          TimeoutInMillis: 3000
          PayloadFormatVersion: '2.0'
      LegacyHttpIntegration:
        Type: AWS::ApiGatewayV2::Integration
        Properties:
          ApiId: !Ref HttpApi
          IntegrationType: AWS_PROXY
          IntegrationMethod: POST
          IntegrationUri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${LegacyVersione32562017f}/invocations'
          CredentialsArn: !GetAtt HttpInvokeRole.Arn
          TimeoutInMillis: 30000
          PayloadFormatVersion: '2.0'
      DefaultHttpRoute:
        Type: AWS::ApiGatewayV2::Route
        Properties:
          ApiId: !Ref HttpApi
          RouteKey: $default
          AuthorizationType: NONE
          Target: !Sub 'integrations/${LegacyHttpIntegration}'
      AnyFilesParamHttpRoutebe93f23afc:
        Type: AWS::ApiGatewayV2::Route
        Properties:
          ApiId: !Ref HttpApi
          RouteKey: 'ANY /files/{path+}'
          AuthorizationType: JWT
          AuthorizerId: !Ref HttpAuthorizer
          AuthorizationScopes:
            - read
          Target: !Sub 'integrations/${LegacyHttpIntegrationTimeout3000}'
      HttpDeployment9AA2FF75BD:
        Type: AWS::ApiGatewayV2::Deployment
        DependsOn:
          - AnyFilesParamHttpRoutebe93f23afc
          - DefaultHttpRoute
        DeletionPolicy: Retain
        UpdateReplacePolicy: Retain
        Properties:
          ApiId: !Ref HttpApi
          Description: stackgen sha256:9aa2ff75bdf4e2e38ddfd7a85cd339aa325be8904334c1e763180aeb5392522a env:prod
      HttpStage:
        Type: AWS::ApiGatewayV2::Stage
        Properties:
          ApiId: !Ref HttpApi
          StageName: v1
          DeploymentId: !Ref HttpDeployment9AA2FF75BD
          DefaultRouteSettings:
            ThrottlingBurstLimit: 10
            ThrottlingRateLimit: 5
          RouteSettings:
            'ANY /files/{path+}':
              ThrottlingBurstLimit: 2
              ThrottlingRateLimit: 1
          Tags:
            Team: sockets
      HttpDomainName:
        Type: AWS::ApiGatewayV2::DomainName
        Properties:
          DomainName: !Sub 'web.${AWS::Region}.example.com'
          DomainNameConfigurations:
            - CertificateArn: !Ref Certificate
              EndpointType: REGIONAL
              SecurityPolicy: TLS_1_2
          Tags:
            Team: sockets
      HttpApiMapping:
        Type: AWS::ApiGatewayV2::ApiMapping
        Properties:
          ApiId: !Ref HttpApi
          DomainName: !Ref HttpDomainName
          Stage: !Ref HttpStage
      AuthorizerFunctionErrorsAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-authorizer-errors
          Namespace: AWS/Lambda
          MetricName: Errors
          Dimensions:
            - Name: FunctionName
              Value: !Ref AuthorizerFunction
          Statistic: Sum
          Period: 60
          EvaluationPeriods: 3
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      AuthorizerFunctionThrottlesAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-authorizer-throttles
          Namespace: AWS/Lambda
          MetricName: Throttles
          Dimensions:
            - Name: FunctionName
              Value: !Ref AuthorizerFunction
          Statistic: Sum
          Period: 300
          EvaluationPeriods: 1
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      HandlerFunctionErrorsAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-handler-errors
          Namespace: AWS/Lambda
          MetricName: Errors
          Dimensions:
            - Name: FunctionName
              Value: !Ref HandlerFunction
          Statistic: Sum
          Period: 60
          EvaluationPeriods: 3
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      HandlerFunctionThrottlesAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-handler-throttles
          Namespace: AWS/Lambda
          MetricName: Throttles
          Dimensions:
            - Name: FunctionName
              Value: !Ref HandlerFunction
          Statistic: Sum
          Period: 300
          EvaluationPeriods: 1
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      LegacyFunctionErrorsAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-legacy-errors
          Namespace: AWS/Lambda
          MetricName: Errors
          Dimensions:
            - Name: FunctionName
              Value: !Ref LegacyFunction
          Statistic: Sum
          Period: 60
          EvaluationPeriods: 3
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      LegacyFunctionThrottlesAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-legacy-throttles
          Namespace: AWS/Lambda
          MetricName: Throttles
          Dimensions:
            - Name: FunctionName
              Value: !Ref LegacyFunction
          Statistic: Sum
          Period: 300
          EvaluationPeriods: 1
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      WebSocketIntegrationErrorAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-websocket-integration-errors
          Namespace: AWS/ApiGateway
          MetricName: IntegrationError
          Dimensions:
            - Name: ApiId
              Value: !Ref WebSocketApi
            - Name: Stage
              Value: live
          Statistic: Sum
          Period: 300
          EvaluationPeriods: 1
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      WebSocketExecutionErrorAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-websocket-execution-errors
          Namespace: AWS/ApiGateway
          MetricName: ExecutionError
          Dimensions:
            - Name: ApiId
              Value: !Ref WebSocketApi
            - Name: Stage
              Value: live
          Statistic: Sum
          Period: 300
          EvaluationPeriods: 1
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      WebSocketClientErrorAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-websocket-client-errors
          Namespace: AWS/ApiGateway
          MetricName: ClientError
          Dimensions:
            - Name: ApiId
              Value: !Ref WebSocketApi
            - Name: Stage
              Value: live
          Statistic: Sum
          Period: 300
          EvaluationPeriods: 1
          Threshold: 100
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      HttpServerErrorAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-http-server-errors
          Namespace: AWS/ApiGateway
          MetricName: '5xx'
          Dimensions:
            - Name: ApiId
              Value: !Ref HttpApi
          Statistic: Sum
          Period: 300
          EvaluationPeriods: 1
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      OwnedTableThrottledAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-Owned-throttles
          Namespace: AWS/DynamoDB
          MetricName: ThrottledRequests
          Dimensions:
            - Name: TableName
              Value: !Ref OwnedTable
          Statistic: Sum
          Period: 300
          EvaluationPeriods: 1
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      RoomsTableThrottledAlarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmName: everything-prod-Rooms-throttles
          Namespace: AWS/DynamoDB
          MetricName: ThrottledRequests
          Dimensions:
            - Name: TableName
              Value: !Ref RoomsTable
          Statistic: Sum
          Period: 300
          EvaluationPeriods: 1
          Threshold: 1
          ComparisonOperator: GreaterThanOrEqualToThreshold
          TreatMissingData: notBreaching
          AlarmActions:
            - !Ref Topic
          Tags:
            - Key: Team
              Value: sockets
      Dashboard:
        Type: AWS::CloudWatch::Dashboard
        Properties:
          DashboardName: everything-prod
          DashboardBody: !Sub |
            {"widgets": [
              {"type":"metric","x":0,"y":0,"width":8,"height":6,"properties":{"title":"WebSocket: connects and messages","region":"${AWS::Region}","stat":"Sum","period":300,"metrics":[["AWS/ApiGateway","ConnectCount","ApiId","${WebSocketApi}","Stage","live"],["AWS/ApiGateway","MessageCount","ApiId","${WebSocketApi}","Stage","live"]]}},
              {"type":"metric","x":8,"y":0,"width":8,"height":6,"properties":{"title":"WebSocket: errors","region":"${AWS::Region}","stat":"Sum","period":300,"metrics":[["AWS/ApiGateway","ClientError","ApiId","${WebSocketApi}","Stage","live"],["AWS/ApiGateway","ExecutionError","ApiId","${WebSocketApi}","Stage","live"],["AWS/ApiGateway","IntegrationError","ApiId","${WebSocketApi}","Stage","live"]]}},
              {"type":"metric","x":16,"y":0,"width":8,"height":6,"properties":{"title":"WebSocket: integration latency","region":"${AWS::Region}","stat":"p99","period":300,"metrics":[["AWS/ApiGateway","IntegrationLatency","ApiId","${WebSocketApi}","Stage","live"]]}},
              {"type":"metric","x":0,"y":6,"width":8,"height":6,"properties":{"title":"HTTP: requests","region":"${AWS::Region}","stat":"Sum","period":300,"metrics":[["AWS/ApiGateway","Count","ApiId","${HttpApi}"]]}},
              {"type":"metric","x":8,"y":6,"width":8,"height":6,"properties":{"title":"HTTP: errors","region":"${AWS::Region}","stat":"Sum","period":300,"metrics":[["AWS/ApiGateway","4xx","ApiId","${HttpApi}"],["AWS/ApiGateway","5xx","ApiId","${HttpApi}"]]}},
              {"type":"metric","x":16,"y":6,"width":8,"height":6,"properties":{"title":"HTTP: latency","region":"${AWS::Region}","stat":"p99","period":300,"metrics":[["AWS/ApiGateway","Latency","ApiId","${HttpApi}"]]}},
              {"type":"metric","x":0,"y":12,"width":8,"height":6,"properties":{"title":"Functions: Invocations","region":"${AWS::Region}","stat":"Sum","period":300,"metrics":[["AWS/Lambda","Invocations","FunctionName","${AuthorizerFunction}"],["AWS/Lambda","Invocations","FunctionName","${HandlerFunction}"],["AWS/Lambda","Invocations","FunctionName","${LegacyFunction}"]]}},
              {"type":"metric","x":8,"y":12,"width":8,"height":6,"properties":{"title":"Functions: Errors","region":"${AWS::Region}","stat":"Sum","period":300,"metrics":[["AWS/Lambda","Errors","FunctionName","${AuthorizerFunction}"],["AWS/Lambda","Errors","FunctionName","${HandlerFunction}"],["AWS/Lambda","Errors","FunctionName","${LegacyFunction}"]]}},
              {"type":"metric","x":16,"y":12,"width":8,"height":6,"properties":{"title":"Functions: Duration","region":"${AWS::Region}","stat":"p99","period":300,"metrics":[["AWS/Lambda","Duration","FunctionName","${AuthorizerFunction}"],["AWS/Lambda","Duration","FunctionName","${HandlerFunction}"],["AWS/Lambda","Duration","FunctionName","${LegacyFunction}"]]}},
              {"type":"metric","x":0,"y":18,"width":8,"height":6,"properties":{"title":"Tables: ConsumedReadCapacityUnits","region":"${AWS::Region}","stat":"Sum","period":300,"metrics":[["AWS/DynamoDB","ConsumedReadCapacityUnits","TableName","${OwnedTable}"],["AWS/DynamoDB","ConsumedReadCapacityUnits","TableName","${RoomsTable}"]]}},
              {"type":"metric","x":8,"y":18,"width":8,"height":6,"properties":{"title":"Tables: ConsumedWriteCapacityUnits","region":"${AWS::Region}","stat":"Sum","period":300,"metrics":[["AWS/DynamoDB","ConsumedWriteCapacityUnits","TableName","${OwnedTable}"],["AWS/DynamoDB","ConsumedWriteCapacityUnits","TableName","${RoomsTable}"]]}},
              {"type":"metric","x":16,"y":18,"width":8,"height":6,"properties":{"title":"Tables: ThrottledRequests","region":"${AWS::Region}","stat":"Sum","period":300,"metrics":[["AWS/DynamoDB","ThrottledRequests","TableName","${OwnedTable}"],["AWS/DynamoDB","ThrottledRequests","TableName","${RoomsTable}"]]}}
            ]}
      PingRoute:
        Type: AWS::ApiGatewayV2::Route
        Properties:
          ApiId: !Ref WebSocketApi
          AuthorizationType: NONE
          RouteKey: ping
          Target: !Sub 'integrations/${HandlerWebSocketIntegration}'
      Topic:
        Type: AWS::SNS::Topic
        Properties:
          TopicName: everything
    Outputs:
      WebSocketDomainTarget:
        Description: What the domain's DNS record points at
        Value: !GetAtt WebSocketDomainName.RegionalDomainName
      WebSocketUrl:
        Description: Where clients connect
        Value: wss://ws.example.com/v1
      WebSocketManagementUrl:
        Description: Where messages to connections are posted
        Value: https://ws.example.com/v1
      WebSocketApiId:
        Description: Id of the WebSocket API
        Value: !Ref WebSocketApi
      WebSocketStageName:
        Description: Name of the WebSocket API's stage
        Value: live
      HttpDomainTarget:
        Description: What the domain's DNS record points at
        Value: !GetAtt HttpDomainName.RegionalDomainName
      HttpUrl:
        Description: Where the HTTP API is
        Value: !Join ['', ['https://', !Sub 'web.${AWS::Region}.example.com', '']]
      HttpApiId:
        Description: Id of the HTTP API
        Value: !Ref HttpApi
      WebSocketDeploymentId:
        Description: The deployment that this template makes and its stage serves
        Value: !Ref WebSocketDeploymentFF238257EC
      HttpDeploymentId:
        Description: The deployment that this template makes and its stage serves
        Value: !Ref HttpDeployment9AA2FF75BD
      TopicArn:
        Value: !Ref Topic
    "#);
}

#[test]
fn notices_say_what_a_template_cannot() {
    let stack = load(STARTERS[0].1);
    let artifacts = Artifacts::new();
    let told = |environment| {
        let request = Request {
            environment,
            dialect: Dialect::CloudFormation,
            project_path: ".",
            artifacts: &artifacts,
        };
        let notices = stack.render(&request).unwrap().notices;
        notices
            .iter()
            .map(|notice| format!("{}: {}\n", notice.code, notice.message))
            .collect::<String>()
    };
    assert_snapshot!(told("dev"), @"
    frozen-parameter: `JwtAudience` and `JwtIssuer` are part of what a deployment snapshots: another value at deploy time alone is not served
    account-role: logs need API Gateway's CloudWatch role, which the account and region must have
    ");
    assert_snapshot!(told("prod"), @"
    not-built: no function is built, so versions are named after configuration alone
    frozen-parameter: `JwtAudience` and `JwtIssuer` are part of what a deployment snapshots: another value at deploy time alone is not served
    account-role: logs need API Gateway's CloudWatch role, which the account and region must have
    ");
}
