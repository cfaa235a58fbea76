//! Calls of `stackgen doctor` whose services have no SDK here.

use serde_json::{Value as Json, json};
use stackgen_deploy::{AccountErrorKind, OffsetDateTime};
use stackgen_diagnose::doctor::{DoctorAccount, LogSearch, MetricName, MetricSpan, SimulatedRight};

use crate::replay::{Exchange, Replay, error, get, sent};

const ROLE: &str = "arn:aws:iam::123456789012:role/service/chat";

/// An exchange in the Query protocol.
fn query(form: &str, status: u16, answer: &str) -> Exchange {
    Exchange {
        request: "POST /",
        body: Json::from(form),
        status,
        error: None,
        answer: answer.to_owned(),
    }
}

#[tokio::test]
async fn a_simulation_decides_and_its_denial_names_the_permission() {
    let form = "Action=SimulatePrincipalPolicy&Version=2010-05-08&\
                PolicySourceArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fservice%2Fchat&\
                ActionNames.member.1=lambda%3AInvokeFunction&ResourceArns.member.1=arn%3Aaws%3Alambda";
    let decision = |word: &str| {
        format!(
            "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <SimulatePrincipalPolicyResult><EvaluationResults><member><EvalDecision>{word}</EvalDecision></member>\
             </EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        )
    };
    let denied = "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type>\
                  <Code>AccessDenied</Code><Message>not authorized</Message></Error></ErrorResponse>";
    let missing = decision("implicitDeny").replace(
        "</EvalDecision>",
        "</EvalDecision><ResourceSpecificResults><member><MissingContextValues><member>aws:SourceVpc</member>\
         </MissingContextValues></member></ResourceSpecificResults>",
    );
    let replay = Replay::of([
        query(form, 200, &decision("allowed")),
        query(form, 200, &decision("implicitDeny")),
        query(form, 200, &missing),
        query(form, 403, denied),
    ])
    .await;
    let simulate = || {
        replay
            .aws
            .simulate_right(ROLE, "lambda:InvokeFunction", "arn:aws:lambda")
    };
    assert_eq!(simulate().await.unwrap(), SimulatedRight::Allowed);
    assert_eq!(simulate().await.unwrap(), SimulatedRight::Denied);
    // A condition decides, whose keys a simulation does not have.
    assert_eq!(simulate().await.unwrap(), SimulatedRight::Conditional);
    let error = simulate().await.unwrap_err();
    assert_eq!(error.kind, AccountErrorKind::AccessDenied);
    assert_eq!(
        error.permission,
        format!("iam:SimulatePrincipalPolicy on {ROLE}")
    );
    assert_eq!(error.message, "not authorized");
    replay.end();
}

#[tokio::test]
async fn policies_of_a_role_are_its_own_and_those_that_are_attached() {
    let answer = |operation: &str, result: &str| {
        format!(
            "<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"
        )
    };
    let arn = "arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2Fx";
    let form = |action: &str, rest: &str| format!("Action={action}&Version=2010-05-08&{rest}");
    let replay = Replay::of([
        query(
            &form("ListRolePolicies", "RoleName=chat"),
            200,
            &answer("ListRolePolicies", "<PolicyNames><member>own</member></PolicyNames>"),
        ),
        query(
            &form("GetRolePolicy", "RoleName=chat&PolicyName=own"),
            200,
            &answer("GetRolePolicy", "<PolicyDocument>%7B%22a%22%3A1%7D</PolicyDocument>"),
        ),
        query(
            &form("ListAttachedRolePolicies", "RoleName=chat"),
            200,
            &answer(
                "ListAttachedRolePolicies",
                "<AttachedPolicies><member><PolicyArn>arn:aws:iam::aws:policy/x</PolicyArn></member></AttachedPolicies>",
            ),
        ),
        query(
            &form("GetPolicy", &format!("PolicyArn={arn}")),
            200,
            &answer("GetPolicy", "<Policy><DefaultVersionId>v3</DefaultVersionId></Policy>"),
        ),
        query(
            &form("GetPolicyVersion", &format!("PolicyArn={arn}&VersionId=v3")),
            200,
            &answer("GetPolicyVersion", "<PolicyVersion><Document>%7B%7D</Document></PolicyVersion>"),
        ),
    ])
    .await;
    assert_eq!(
        replay.aws.role_policies(ROLE).await.unwrap(),
        [r#"{"a":1}"#, "{}"]
    );
    replay.end();
}

#[tokio::test]
async fn a_table_has_its_keys_and_indexes_and_a_missing_one_is_not_found() {
    let description = json!({ "Table": {
        "TableStatus": "ACTIVE",
        "KeySchema": [
            { "AttributeName": "roomId", "KeyType": "HASH" },
            { "AttributeName": "connectionId", "KeyType": "RANGE" },
        ],
        "GlobalSecondaryIndexes": [{ "IndexName": "byUser", "IndexStatus": "CREATING" }],
    }});
    let missing = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no such table",
    });
    let name = json!({ "TableName": "Rooms" });
    let ttl = json!({ "TimeToLiveDescription": { "TimeToLiveStatus": "DISABLING", "AttributeName": "ttl" } });
    let replay = Replay::of([
        sent("POST /", name.clone(), 200, description),
        sent("POST /", name.clone(), 200, ttl),
        sent("POST /", name, 400, missing),
    ])
    .await;
    let table = replay.aws.table("Rooms").await.unwrap();
    assert_eq!(
        (table.partition_key.as_str(), table.sort_key.as_deref()),
        ("roomId", Some("connectionId"))
    );
    assert_eq!(
        table.indexes,
        [("byUser".to_owned(), "CREATING".to_owned())].into()
    );
    assert_eq!(replay.aws.time_to_live("Rooms").await.unwrap(), None);
    assert_eq!(
        replay.aws.table("Rooms").await.unwrap_err().kind,
        AccountErrorKind::NotFound
    );
    replay.end();
}

#[tokio::test]
async fn row_k4_a_connection_exists_unless_it_is_gone() {
    let path = "GET /prod/@connections/dkLJXcbuoAMCJCQ%3D";
    let replay = Replay::of([
        get(path, json!({ "connectedAt": "2026-11-22T02:42:00Z" })),
        error(path, Json::Null, 410, "GoneException", "Gone"),
    ])
    .await;
    let endpoint = format!("{}/prod", replay.aws.endpoint_url().unwrap());
    let exists = || replay.aws.connection_exists(&endpoint, "dkLJXcbuoAMCJCQ=");
    assert!(exists().await.unwrap());
    assert!(!exists().await.unwrap());
    replay.end();
}

#[tokio::test]
async fn log_lines_are_read_from_all_pages_and_the_newest_remain() {
    let body = json!({
        "logGroupIdentifier": "g",
        "startTime": 1_000,
        "filterPattern": "\"x\"",
        "limit": 10_000,
    });
    let mut second = body.clone();
    second["nextToken"] = json!("n");
    let line = |at: i64, text: &str| json!({ "timestamp": at, "message": text });
    let replay = Replay::of([
        sent(
            "POST /",
            body,
            200,
            json!({ "events": [line(1_000, "a"), line(2_000, "b")], "nextToken": "n" }),
        ),
        sent(
            "POST /",
            second,
            200,
            json!({ "events": [line(3_000, "c")] }),
        ),
    ])
    .await;
    let search = LogSearch {
        group: "g".to_owned(),
        pattern: "\"x\"".to_owned(),
        since: OffsetDateTime::from_unix_timestamp(1).unwrap(),
        limit: 2,
    };
    let found = replay.aws.log_lines(&search).await.unwrap();
    let texts = found.lines.iter().map(|line| line.message.as_str());
    assert_eq!(texts.collect::<Vec<_>>(), ["b", "c"]);
    assert!(found.is_cut_off, "\"a\" was left out");
    replay.end();
}

#[tokio::test]
async fn log_lines_are_cut_off_if_pages_remain() {
    let first = json!({
        "logGroupIdentifier": "g",
        "startTime": 1_000,
        "filterPattern": "\"x\"",
        "limit": 10_000,
    });
    let page = |token: Option<usize>, answer| {
        let mut body = first.clone();
        if let Some(token) = token {
            body["nextToken"] = json!(token.to_string());
        }
        sent("POST /", body, 200, answer)
    };
    let followed = (0..20_usize).map(|n| {
        let answer = json!({ "events": [], "nextToken": n.to_string() });
        page(n.checked_sub(1), answer)
    });
    let last = page(None, json!({ "events": [] }));
    let replay = Replay::of(followed.chain([last])).await;
    let search = LogSearch {
        group: "g".to_owned(),
        pattern: "\"x\"".to_owned(),
        since: OffsetDateTime::from_unix_timestamp(1).unwrap(),
        limit: 2,
    };
    let is_cut_off = async || replay.aws.log_lines(&search).await.unwrap().is_cut_off;
    assert!(
        is_cut_off().await,
        "a page follows the last one that was read"
    );
    assert!(!is_cut_off().await, "the only page was read");
    replay.end();
}

#[tokio::test]
async fn sums_of_metrics_belong_to_the_query_of_their_id() {
    let form = "Action=GetMetricData&Version=2010-08-01&StartTime=1970-01-01T00%3A00%3A00Z&\
                EndTime=1970-01-01T01%3A00%3A00Z&ScanBy=TimestampAscending&MetricDataQueries.member.1.Id=m0&\
                MetricDataQueries.member.1.MetricStat.Stat=Sum&MetricDataQueries.member.1.MetricStat.Period=300&\
                MetricDataQueries.member.1.MetricStat.Metric.Namespace=AWS%2FLambda&\
                MetricDataQueries.member.1.MetricStat.Metric.MetricName=Errors&\
                MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Name=FunctionName&\
                MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Value=chat";
    let answer = "<GetMetricDataResponse><GetMetricDataResult><MetricDataResults><member><Id>m0</Id>\
                  <Timestamps><member>1970-01-01T00:05:00Z</member><member>1970-01-01T00:10:00Z</member></Timestamps>\
                  <Values><member>2.0</member><member>3.0</member></Values></member></MetricDataResults>\
                  </GetMetricDataResult></GetMetricDataResponse>";
    let replay = Replay::of([query(form, 200, answer)]).await;
    let metric = MetricName {
        namespace: "AWS/Lambda",
        name: "Errors",
        dimensions: vec![("FunctionName", "chat".to_owned())],
    };
    let span = MetricSpan {
        from: OffsetDateTime::UNIX_EPOCH,
        to: OffsetDateTime::from_unix_timestamp(3_600).unwrap(),
    };
    let found = replay
        .aws
        .metric_sums(std::slice::from_ref(&metric), span)
        .await
        .unwrap();
    let sums: Vec<_> = found[0]
        .points
        .iter()
        .map(|point| (point.at.unix_timestamp(), point.sum))
        .collect();
    assert_eq!(sums, [(300, 2.0), (600, 3.0)]);
    assert_eq!(found[0].metric, metric);
    replay.end();
}

#[tokio::test]
async fn row_k8_only_endpoints_of_execute_api_with_private_dns_count() {
    let form = "Action=DescribeVpcEndpoints&Version=2016-11-15&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1";
    let item = |id: &str, service: &str, private: bool| {
        format!(
            "<item><vpcEndpointId>{id}</vpcEndpointId><vpcId>vpc-1</vpcId><serviceName>com.amazonaws.us-east-1.{service}\
             </serviceName><privateDnsEnabled>{private}</privateDnsEnabled></item>"
        )
    };
    let items = [
        item("a", "execute-api", true),
        item("b", "execute-api", false),
        item("c", "sqs", true),
    ];
    let answer = format!(
        "<DescribeVpcEndpointsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><vpcEndpointSet>{}\
         </vpcEndpointSet></DescribeVpcEndpointsResponse>",
        items.concat()
    );
    let denied = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
    let replay = Replay::of([query(form, 200, &answer), query(form, 403, denied)]).await;
    assert_eq!(
        replay.aws.private_api_endpoints("vpc-1").await.unwrap(),
        ["a"]
    );
    let error = replay.aws.private_api_endpoints("vpc-1").await.unwrap_err();
    assert_eq!(error.kind, AccountErrorKind::AccessDenied);
    assert_eq!(error.permission, "ec2:DescribeVpcEndpoints");
    replay.end();
}

#[tokio::test]
async fn the_role_for_logs_is_set_by_one_patch() {
    let change = json!({ "op": "replace", "path": "/cloudwatchRoleArn", "value": ROLE });
    let body = json!({ "patchOperations": [change] });
    let replay = Replay::of([sent("PATCH /account", body, 200, json!({}))]).await;
    replay.aws.set_log_role(ROLE).await.unwrap();
    replay.end();
}
