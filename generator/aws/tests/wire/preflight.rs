//! Reads before a deploy: names that are taken, and quotas.

use serde_json::{Value as Json, json};
use stackgen_deploy::stack::names::FixedName;
use stackgen_deploy::stack::quotas::QuotaUsage;
use stackgen_deploy::stack::{NameReader, QuotaReader};
use stackgen_deploy::{AccountErrorKind, FunctionName};

use crate::replay::{Exchange, Replay, error, get, sent};

/// An exchange in the Query protocol.
fn query(form: &str, status: u16, answer: &str) -> Exchange {
    Exchange {
        body: Json::from(form),
        ..xml("POST /", status, answer)
    }
}

/// An exchange without a body whose answer is XML.
fn xml(request: &'static str, status: u16, answer: &str) -> Exchange {
    Exchange {
        request,
        body: Json::Null,
        status,
        error: None,
        answer: answer.to_owned(),
    }
}

/// Reads a name twice: the first answer says that it is taken, and the second that it is not.
async fn assert_read(name: FixedName, exchanges: [Exchange; 2]) {
    let replay = Replay::of(exchanges).await;
    for is_taken in [true, false] {
        assert_eq!(
            replay.aws.is_taken(&name, &[]).await.unwrap(),
            is_taken,
            "{name}"
        );
    }
    replay.end();
}

#[tokio::test]
async fn functions_and_tables_exist_unless_they_are_not_found() {
    let request = "GET /2015-03-31/functions/hello/configuration";
    let missing = error(request, Json::Null, 404, "ResourceNotFoundException", "no");
    let found = json!({ "CodeSha256": "x" });
    let function = FixedName::Function(FunctionName::new("hello"));
    assert_read(function, [get(request, found), missing]).await;
    let table = json!({ "TableName": "rooms" });
    let missing = json!({ "__type": "x#ResourceNotFoundException", "message": "no" });
    assert_read(
        FixedName::Table("rooms".to_owned()),
        [
            sent("POST /", table.clone(), 200, json!({ "Table": {} })),
            sent("POST /", table, 400, missing),
        ],
    )
    .await;
}

#[tokio::test]
async fn roles_exist_unless_iam_has_no_such_entity() {
    let form = "Action=GetRole&Version=2010-05-08&RoleName=invoke";
    let role = "<GetRoleResponse><GetRoleResult><Role><RoleName>invoke</RoleName></Role></GetRoleResult></GetRoleResponse>";
    let missing = "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no</Message></Error></ErrorResponse>";
    assert_read(
        FixedName::Role("invoke".to_owned()),
        [query(form, 200, role), query(form, 404, missing)],
    )
    .await;
}

#[tokio::test]
async fn a_log_group_must_have_exactly_the_name() {
    let request = json!({ "logGroupNamePrefix": "/aws/lambda/hello" });
    let groups = |names: &[&str]| {
        let groups: Vec<_> = names
            .iter()
            .map(|name| json!({ "logGroupName": name }))
            .collect();
        json!({ "logGroups": groups })
    };
    let longer = "/aws/lambda/hello-2";
    assert_read(
        FixedName::LogGroup("/aws/lambda/hello".to_owned()),
        [
            sent(
                "POST /",
                request.clone(),
                200,
                groups(&["/aws/lambda/hello", longer]),
            ),
            sent("POST /", request, 200, groups(&[longer])),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_bucket_that_exists_is_taken() {
    for status in [200, 301] {
        assert_read(
            FixedName::Bucket("files".to_owned()),
            [
                xml("HEAD /files/", status, ""),
                xml("HEAD /files/", 404, ""),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn a_bucket_that_may_not_be_read_is_an_error_and_not_a_taken_name() {
    let replay = Replay::of([xml("HEAD /files/", 403, "")]).await;
    let files = FixedName::Bucket("files".to_owned());
    let error = replay.aws.is_taken(&files, &[]).await.unwrap_err();
    assert_eq!(error.kind, AccountErrorKind::AccessDenied);
    replay.end();
}

#[tokio::test]
async fn cognito_describes_a_domain_that_does_not_exist_by_nothing() {
    let request = json!({ "Domain": "sign-in" });
    let description = json!({ "DomainDescription": { "Domain": "sign-in", "Status": "ACTIVE" } });
    assert_read(
        FixedName::UserPoolDomain("sign-in".to_owned()),
        [
            sent("POST /", request.clone(), 200, description),
            sent("POST /", request, 200, json!({ "DomainDescription": {} })),
        ],
    )
    .await;
}

#[tokio::test]
async fn custom_domains_and_mappings_are_found_in_their_lists() {
    let domains = |name: &str| json!({ "items": [{ "domainName": name }] });
    let request = "GET /v2/domainnames";
    assert_read(
        FixedName::DomainName("ws.example.com".to_owned()),
        [
            get(request, domains("ws.example.com")),
            get(request, domains("example.com")),
        ],
    )
    .await;
    let mappings = |mapping: Json| json!({ "items": [mapping] });
    let request = "GET /v2/domainnames/ws.example.com/apimappings";
    let mapping = |key: &str| FixedName::ApiMapping {
        domain: "ws.example.com".to_owned(),
        key: key.to_owned(),
    };
    let whole = json!({ "apiId": "a", "stage": "dev" });
    let chat = json!({ "apiId": "a", "stage": "dev", "apiMappingKey": "chat" });
    assert_read(
        mapping("chat"),
        [
            get(request, mappings(chat.clone())),
            get(request, mappings(whole.clone())),
        ],
    )
    .await;
    assert_read(
        mapping(""),
        [get(request, mappings(whole)), get(request, mappings(chat))],
    )
    .await;
    // CloudFormation says more about a domain name that does not exist.
    let replay = Replay::of([error(request, Json::Null, 404, "NotFoundException", "no")]).await;
    assert!(!replay.aws.is_taken(&mapping(""), &[]).await.unwrap());
    replay.end();
}

#[tokio::test]
async fn alarms_and_dashboards_are_read_from_cloudwatch() {
    let form = "Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=errors";
    let alarms = |alarms: &str| {
        format!(
            "<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms>{alarms}</MetricAlarms></DescribeAlarmsResult></DescribeAlarmsResponse>"
        )
    };
    assert_read(
        FixedName::Alarm("errors".to_owned()),
        [
            query(
                form,
                200,
                &alarms("<member><AlarmName>errors</AlarmName></member>"),
            ),
            query(form, 200, &alarms("")),
        ],
    )
    .await;
    let form = "Action=GetDashboard&Version=2010-08-01&DashboardName=rooms";
    let missing = "<ErrorResponse><Error><Code>ResourceNotFound</Code><Message>no</Message></Error></ErrorResponse>";
    assert_read(
        FixedName::Dashboard("rooms".to_owned()),
        [
            query(form, 200, "<GetDashboardResponse/>"),
            query(form, 404, missing),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_record_must_have_the_name_and_the_type() {
    let request = "GET /2013-04-01/hostedzone/Z1/rrset?name=ws.example.com&type=A&maxitems=1";
    let records = |name: &str, kind: &str| {
        format!(
            "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type>\
             </ResourceRecordSet></ResourceRecordSets></ListResourceRecordSetsResponse>"
        )
    };
    for other in [
        records("ws.example.com.", "AAAA"),
        records("www.example.com.", "A"),
        "<ListResourceRecordSetsResponse/>".to_owned(),
    ] {
        assert_read(
            FixedName::Record {
                zone: "Z1".to_owned(),
                name: "ws.example.com".to_owned(),
                kind: "A".to_owned(),
            },
            [
                xml(request, 200, &records("ws.example.com.", "A")),
                xml(request, 200, &other),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn an_api_with_the_name_is_found() {
    let apis = |name: &str| {
        json!({ "items": [{
            "apiId": "a", "name": name, "protocolType": "WEBSOCKET", "routeSelectionExpression": "x",
        }] })
    };
    assert_read(
        FixedName::Api("rooms".to_owned()),
        [
            get("GET /v2/apis", apis("rooms")),
            get("GET /v2/apis", apis("other")),
        ],
    )
    .await;
}

#[tokio::test]
async fn quotas_and_their_use_are_read() {
    let stacks = |members: &str| {
        format!(
            "<ListStacksResponse><ListStacksResult><StackSummaries>{members}</StackSummaries></ListStacksResult></ListStacksResponse>"
        )
    };
    let stack = "<member><StackName>a</StackName><CreationTime>2026-11-22T02:42:52Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus></member>";
    let limits = "<DescribeAccountLimitsResponse><DescribeAccountLimitsResult><AccountLimits>\
                  <member><Name>ConcurrentResourcesLimit</Name><Value>2500</Value></member>\
                  <member><Name>StackLimit</Name><Value>2000</Value></member></AccountLimits>\
                  </DescribeAccountLimitsResult></DescribeAccountLimitsResponse>";
    let summary = "<GetAccountSummaryResponse><GetAccountSummaryResult><SummaryMap>\
                   <entry><key>Users</key><value>7</value></entry><entry><key>Roles</key><value>41</value></entry>\
                   <entry><key>RolesQuota</key><value>1000</value></entry></SummaryMap></GetAccountSummaryResult>\
                   </GetAccountSummaryResponse>";
    let settings = json!({
        "AccountLimit": { "TotalCodeSize": 80_530_636_800_u64 }, "AccountUsage": { "TotalCodeSize": 1234 },
    });
    let states = STATES.iter().enumerate();
    let states =
        states.map(|(index, state)| format!("&StackStatusFilter.member.{}={state}", index + 1));
    let list_stacks = format!(
        "Action=ListStacks&Version=2010-05-15{}",
        states.collect::<String>()
    );
    let replay = Replay::of([
        query("Action=GetAccountSummary&Version=2010-05-08", 200, summary),
        get("GET /2016-08-19/account-settings", settings),
        get("GET /2016-08-19/account-settings", json!({})),
        query(
            "Action=DescribeAccountLimits&Version=2010-05-15",
            200,
            limits,
        ),
        query(&list_stacks, 200, &stacks(&format!("{stack}{stack}"))),
    ])
    .await;
    let aws = &replay.aws;
    let (used, limit) = (41, 1_000);
    assert_eq!(aws.roles().await.unwrap(), QuotaUsage { used, limit });
    let (used, limit) = (1234, 80_530_636_800);
    assert_eq!(
        aws.code_storage().await.unwrap(),
        QuotaUsage { used, limit }
    );
    aws.code_storage().await.unwrap_err();
    assert_eq!(aws.stack_quota().await.unwrap(), Some(2_000));
    assert_eq!(aws.stack_count().await.unwrap(), 2);
    replay.end();
}

#[tokio::test]
async fn a_quota_of_api_gateway_without_a_value_is_none() {
    let unraised = json!({ "__type": "NoSuchResourceException", "message": "" });
    let answer = |status, answer| {
        let quota = json!({ "ServiceCode": "apigateway", "QuotaCode": "L-01C8A9E0" });
        sent("POST /", quota, status, answer)
    };
    let replay = Replay::of([
        answer(200, json!({ "Quota": { "Value": 450.0 } })),
        answer(200, json!({ "Quota": {} })),
        answer(400, unraised),
        answer(
            400,
            json!({ "__type": "IllegalArgumentException", "message": "" }),
        ),
    ])
    .await;
    let read = || replay.aws.gateway_quota("L-01C8A9E0");
    assert_eq!(read().await.unwrap(), Some(450));
    assert_eq!(read().await.unwrap(), None);
    assert_eq!(read().await.unwrap(), None);
    read().await.unwrap_err();
    replay.end();
}

/// All states but that of deleted stacks.
const STATES: [&str; 22] = [
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "CREATE_IN_PROGRESS",
    "DELETE_FAILED",
    "DELETE_IN_PROGRESS",
    "IMPORT_COMPLETE",
    "IMPORT_IN_PROGRESS",
    "IMPORT_ROLLBACK_COMPLETE",
    "IMPORT_ROLLBACK_FAILED",
    "IMPORT_ROLLBACK_IN_PROGRESS",
    "REVIEW_IN_PROGRESS",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_IN_PROGRESS",
];
