//! Names of a template that others have are found before a deploy.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use stackgen_deploy::stack::names::{FixedName, NamedResource, check_names, named_resources};
use stackgen_deploy::stack::{NameReader, StackError, StackName, StackResource};
use stackgen_deploy::{AccountError, AccountErrorKind, AccountResult, OffsetDateTime};

use crate::notes::{checked, error, parsed};

/// An account in which these names are taken, or cannot be read.
#[derive(Default)]
struct Names {
    taken: Vec<String>,
    unread: BTreeMap<String, AccountError>,
    read: RefCell<Vec<String>>,
    /// APIs that do not count.
    own: RefCell<Vec<String>>,
}

impl NameReader for Names {
    async fn is_taken(&self, name: &FixedName, own: &[&str]) -> AccountResult<bool> {
        if let FixedName::Api(_) = name {
            self.own
                .borrow_mut()
                .extend(own.iter().map(|id| (*id).to_owned()));
        }
        let name = name.to_string();
        self.read.borrow_mut().push(name.clone());
        match self.unread.get(&name) {
            Some(error) => Err(error.clone()),
            None => Ok(self.taken.contains(&name)),
        }
    }
}

const TEMPLATE: &str = r#"
Resources:
  Api: { Type: "AWS::ApiGatewayV2::Api", Properties: { Name: rooms } }
  Hello: { Type: "AWS::Lambda::Function", Properties: { FunctionName: hello } }
  Rooms: { Type: "AWS::DynamoDB::Table", Properties: { TableName: rooms } }
  Invoke: { Type: "AWS::IAM::Role", Properties: { RoleName: invoke } }
  Logs: { Type: "AWS::Logs::LogGroup", Properties: { LogGroupName: /aws/lambda/hello } }
  Files: { Type: "AWS::S3::Bucket", Properties: { BucketName: files } }
  SignIn: { Type: "AWS::Cognito::UserPoolDomain", Properties: { Domain: sign-in, UserPoolId: pool } }
  Domain: { Type: "AWS::ApiGatewayV2::DomainName", Properties: { DomainName: ws.example.com } }
  Own: { Type: "AWS::ApiGatewayV2::ApiMapping", Properties: { DomainName: { Ref: Domain } } }
  Root: { Type: "AWS::ApiGatewayV2::ApiMapping", Properties: { DomainName: other.example.com } }
  Path: { Type: "AWS::ApiGatewayV2::ApiMapping", Properties: { DomainName: other.example.com, ApiMappingKey: chat } }
  Errors: { Type: "AWS::CloudWatch::Alarm", Properties: { AlarmName: errors } }
  Board: { Type: "AWS::CloudWatch::Dashboard", Properties: { DashboardName: rooms } }
  Record: { Type: "AWS::Route53::RecordSet", Properties: { HostedZoneId: Z1, Name: ws.example.com, Type: A } }
  Unnamed: { Type: "AWS::DynamoDB::Table", Properties: { BillingMode: PAY_PER_REQUEST } }
  Computed: { Type: "AWS::DynamoDB::Table", Properties: { TableName: { Ref: Name } } }
  Maybe: { Type: "AWS::DynamoDB::Table", Condition: Never, Properties: { TableName: maybe } }
"#;

fn template(text: &str) -> Vec<NamedResource> {
    named_resources(&parsed(text))
}

/// A resource of the stack.
fn resource(kind: &str, logical_id: &str, physical_id: &str, status: &str) -> StackResource {
    StackResource {
        logical_id: logical_id.to_owned(),
        physical_id: Some(physical_id.to_owned()),
        kind: kind.to_owned(),
        status: status.to_owned(),
        changed: OffsetDateTime::UNIX_EPOCH,
    }
}

async fn check(names: &Names, own: &[StackResource]) -> (Result<(), StackError>, Vec<String>) {
    let named = template(TEMPLATE);
    let stack = StackName::new("rooms-dev");
    checked(async |ctx| check_names(names, &stack, &named, own, ctx).await).await
}

#[tokio::test]
async fn all_names_of_a_template_are_read_and_all_that_are_taken_are_reported() {
    let names = Names::default();
    assert_eq!(check(&names, &[]).await, (Ok(()), Vec::new()));
    let names = Names {
        taken: names.read.into_inner(),
        ..Names::default()
    };
    let error = check(&names, &[]).await.0.unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(", ", "\n"), @r"
    API rooms
    function hello
    table rooms
    role invoke
    log group /aws/lambda/hello
    bucket files
    domain sign-in of a user pool
    custom domain ws.example.com
    a mapping of other.example.com without a path
    mapping chat of other.example.com
    alarm errors
    dashboard rooms
    A record ws.example.com of hosted zone Z1 exist already outside of stack rooms-dev
    ");
}

#[tokio::test]
async fn names_of_the_stack_itself_are_not_read() {
    let own = [
        resource("AWS::DynamoDB::Table", "Rooms", "rooms", "CREATE_COMPLETE"),
        resource("AWS::ApiGatewayV2::Api", "Api", "a1b2c3", "UPDATE_COMPLETE"),
        // A name of another type is none of the role's.
        resource(
            "AWS::Lambda::Function",
            "Other",
            "invoke",
            "CREATE_COMPLETE",
        ),
    ];
    let names = Names::default();
    check(&names, &own).await.0.unwrap();
    let read = names.read.into_inner();
    let has = |name: &str| read.iter().any(|read| read == name);
    assert!(!has("table rooms") && !has("API rooms"), "{read:?}");
    assert!(has("role invoke"), "{read:?}");
}

#[tokio::test]
async fn an_api_of_the_stack_under_another_logical_id_does_not_count() {
    let own = [resource(
        "AWS::ApiGatewayV2::Api",
        "OldApi",
        "a1b2c3",
        "UPDATE_COMPLETE",
    )];
    let names = Names::default();
    check(&names, &own).await.0.unwrap();
    assert_eq!(names.own.into_inner(), ["a1b2c3"]);
}

#[tokio::test]
async fn the_domain_of_a_user_pool_is_the_stacks_with_and_without_the_pool_in_its_id() {
    for id in ["sign-in", "us-east-1_A|sign-in"] {
        let own = [resource(
            "AWS::Cognito::UserPoolDomain",
            "SignIn",
            id,
            "CREATE_COMPLETE",
        )];
        let names = Names::default();
        check(&names, &own).await.0.unwrap();
        let read = names.read.into_inner();
        assert!(
            !read.contains(&"domain sign-in of a user pool".to_owned()),
            "{id}: {read:?}"
        );
    }
}

#[tokio::test]
async fn a_name_with_a_bar_is_the_stacks_if_all_of_it_is() {
    let alarm = "
Resources:
  Errors: { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmName: 'chat | 5xx' } }
  Other: { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmName: ' 5xx' } }
";
    let own = [resource(
        "AWS::CloudWatch::Alarm",
        "Errors",
        "chat | 5xx",
        "CREATE_COMPLETE",
    )];
    let (names, named) = (Names::default(), template(alarm));
    let stack = StackName::new("rooms-dev");
    let (result, _) =
        checked(async |ctx| check_names(&names, &stack, &named, &own, ctx).await).await;
    result.unwrap();
    assert_eq!(names.read.into_inner(), ["alarm  5xx"]);
}

#[tokio::test]
async fn a_record_is_the_stacks_by_its_logical_id_because_records_of_two_types_share_a_name() {
    let kind = "AWS::Route53::RecordSet";
    for (logical_id, is_own) in [("Record", true), ("OtherType", false)] {
        let own = [resource(
            kind,
            logical_id,
            "ws.example.com",
            "CREATE_COMPLETE",
        )];
        let names = Names::default();
        check(&names, &own).await.0.unwrap();
        let read = names.read.into_inner();
        let record = "A record ws.example.com of hosted zone Z1".to_owned();
        assert_eq!(!read.contains(&record), is_own, "{read:?}");
    }
}

#[test]
fn records_of_a_routing_policy_share_their_name() {
    let weighted = r#"
Resources:
  Record:
    Type: "AWS::Route53::RecordSet"
    Properties: { HostedZoneId: Z1, Name: ws.example.com, Type: A, SetIdentifier: eu, Weight: 1 }
"#;
    assert_eq!(template(weighted), []);
}

#[tokio::test]
async fn what_the_stack_retained_or_could_not_create_is_not_the_stacks() {
    for status in ["DELETE_SKIPPED", "DELETE_COMPLETE"] {
        let own = [resource("AWS::DynamoDB::Table", "Rooms", "rooms", status)];
        let names = Names {
            taken: vec!["table rooms".to_owned()],
            ..Names::default()
        };
        let error = check(&names, &own).await.0.unwrap_err();
        assert_eq!(
            error.to_string(),
            "table rooms exists already outside of stack rooms-dev"
        );
    }
}

#[tokio::test]
async fn a_kind_that_may_not_be_read_is_skipped_with_one_note_and_the_others_are_checked() {
    let denied = error(AccountErrorKind::AccessDenied, "GetApiMappings");
    let names = Names {
        taken: vec!["table rooms".to_owned()],
        unread: [
            (
                "mapping chat of other.example.com".to_owned(),
                denied.clone(),
            ),
            (
                "a mapping of other.example.com without a path".to_owned(),
                denied,
            ),
        ]
        .into(),
        ..Names::default()
    };
    let (result, skipped) = check(&names, &[]).await;
    assert!(matches!(result, Err(StackError::NamesTaken { .. })));
    assert_eq!(
        skipped,
        [
            "the check of names of API mappings: GetApiMappings: no; the caller needs service:GetApiMappings"
        ]
    );
}

#[tokio::test]
async fn expired_credentials_end_the_check() {
    let expired = error(AccountErrorKind::ExpiredCredentials, "GetRole");
    let names = Names {
        unread: [("role invoke".to_owned(), expired.clone())].into(),
        ..Names::default()
    };
    let (result, skipped) = check(&names, &[]).await;
    assert_eq!(result, Err(expired.into()));
    assert!(skipped.is_empty());
}

proptest! {
    #[test]
    fn any_document_has_names_or_none(
        kind in "AWS::(Lambda::Function|DynamoDB::Table|ApiGatewayV2::ApiMapping|Route53::RecordSet|[A-Z]{1,4})",
        property in "(FunctionName|TableName|DomainName|ApiMappingKey|Name|Type|HostedZoneId)",
        value in "(null|1|true|[a-z]{1,8}|\\[a\\]|\\{Ref: A\\})",
    ) {
        let text = format!("Resources:\n  R: {{ Type: '{kind}', Properties: {{ {property}: {value} }} }}\n");
        let document = parsed(&text);
        let named = named_resources(&document);
        // Only a text can be a name, and a single property is no whole name of a record.
        let is_text = value.bytes().all(|byte| byte.is_ascii_lowercase())
            && !["null", "true"].contains(&value.as_str());
        prop_assert!(named.is_empty() || is_text, "{named:?}");
        prop_assert!(named.len() <= 1);
    }
}
