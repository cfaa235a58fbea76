//! Identity pools of templates, over the control endpoint.

use serde_json::{Value, json};
use stackgen_gateway::gateway::Gateway;

use crate::support::{apply, call_as, gateway, template_from_text, variable};

const TEMPLATE: &str = "
Resources:
  Users: { Type: AWS::Cognito::UserPool }
  Client: { Type: AWS::Cognito::UserPoolClient, Properties: { UserPoolId: !Ref Users } }
  Pool:
    Type: AWS::Cognito::IdentityPool
    Properties:
      AllowUnauthenticatedIdentities: true
      CognitoIdentityProviders: [{ ClientId: !Ref Client, ProviderName: !GetAtt Users.ProviderName }]
      SupportedLoginProviders: { graph.facebook.com: '1' }
      OpenIdConnectProviderARNs: ['arn:aws:iam::000000000000:oidc-provider/login.example.com']
      SamlProviderARNs: ['arn:aws:iam::000000000000:saml-provider/work']
      DeveloperProviderName: own
  Guest:
    Type: AWS::IAM::Role
    Properties:
      RoleName: guest
      AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Principal: { Federated: cognito-identity.amazonaws.com }, Action: sts:AssumeRoleWithWebIdentity }] }
  Roles:
    Type: AWS::Cognito::IdentityPoolRoleAttachment
    Properties: { IdentityPoolId: !Ref Pool, Roles: { unauthenticated: !GetAtt Guest.Arn } }
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: worker
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Guest.Arn
      Environment: { Variables: { PROVIDER: !GetAtt Users.ProviderName } }
      Code: { ZipFile: 'def handler(event, context): pass' }
";

async fn cognito(gateway: &Gateway, operation: &str, parameters: Value) -> Value {
    let headers = format!("X-Amz-Target: AWSCognitoIdentityService.{operation}");
    let body = parameters.to_string();
    let answer = call_as(gateway, "k", "cognito-identity", "/", &headers, &body).await;
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer}"))
}

async fn caller_identity(gateway: &Gateway, key: &str) -> String {
    let headers = "Content-Type: application/x-www-form-urlencoded";
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    call_as(gateway, key, "sts", "/", headers, body).await
}

#[tokio::test]
async fn credentials_of_an_identity_have_no_more_permissions_than_its_role() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(TEMPLATE)).await;
    let pool = gateway.state().await.identity_pools.remove(0);
    let id = cognito(&gateway, "GetId", json!({ "IdentityPoolId": pool })).await;
    let answer = cognito(&gateway, "GetCredentialsForIdentity", id).await;
    let key = answer["Credentials"]["AccessKeyId"].as_str();
    let key = key.unwrap_or_else(|| panic!("{answer}"));
    let answer = caller_identity(&gateway, key).await;
    let session = "<Arn>arn:aws:sts::000000000000:assumed-role/guest/";
    assert!(answer.contains(session), "{answer}");
    let path = "/2015-03-31/functions/worker/invocations";
    let answer = call_as(
        &gateway,
        key,
        "lambda",
        path,
        "X-Amz-Invocation-Type: Event",
        "{}",
    )
    .await;
    let refused = "is not authorized to perform: lambda:InvokeFunction";
    assert!(answer.contains(refused), "{answer}");
    // A key of an identity pool that is not known any more.
    let expired = "ASIAIDENTITY0123456789ABCDEF";
    let answer = caller_identity(&gateway, expired).await;
    assert!(
        answer.contains("<Code>ExpiredTokenException</Code>"),
        "{answer}"
    );
    let answer = call_as(
        &gateway,
        expired,
        "lambda",
        path,
        "X-Amz-Invocation-Type: Event",
        "{}",
    )
    .await;
    insta::assert_snapshot!(answer, @r#"{"code":"ExpiredTokenException","message":"The security token included in the request is expired"}"#);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_login_must_be_from_a_provider_of_the_pool() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(TEMPLATE)).await;
    let pool = gateway.state().await.identity_pools.remove(0);
    let login = |provider: &str| json!({ "IdentityPoolId": pool, "Logins": { provider: "token" } });
    let answer = cognito(&gateway, "GetId", login("accounts.google.com")).await;
    assert_eq!(answer["__type"], "NotAuthorizedException", "{answer}");
    let user_pool = variable(&gateway, "worker", "PROVIDER");
    for provider in [
        user_pool.as_str(),
        "graph.facebook.com",
        "login.example.com",
        "arn:aws:iam::000000000000:saml-provider/work",
        "own",
    ] {
        let answer = cognito(&gateway, "GetId", login(provider)).await;
        assert!(answer["IdentityId"].is_string(), "{provider}: {answer}");
    }
    gateway.shutdown().await;
}
