//! Evidence with one fault for each check.

use std::time::Duration;

use serde_json::{Value, json};
use stackgen_deploy::account::{ApiDescription, ApiPart, ApiPartKind};
use stackgen_deploy::drift::{StageDrift, StagePointer};
use stackgen_deploy::stack::status::StackStatus;
use stackgen_deploy::stack::wiring::{WiringChange, WiringHistory, WiringOrder};
use stackgen_deploy::stack::{StackDescription, StackId, StackName};
use stackgen_deploy::status::{ChangeBasis, Freshness};
use stackgen_deploy::{
    CalledVersion, CreatedBy, DeploymentId, DeploymentInfo, DeploymentMetadata, DeploymentState,
    FunctionName, FunctionVersion, HandshakeAnswer, Judgement, OffsetDateTime, VerifyAttempt,
    VerifyRecord,
};
use stackgen_diagnose::doctor::{
    ClosedConnection, ClosedConnections, DeclaredCaller, DeclaredFunction, DoctorEvidence,
    EvidencePart, FunctionDetails, FunctionFacts, LogRole, MetricName, MetricPoint, MetricSeries,
    QualifiedFunction, RecordSample, RightVerdict, RoleRight, RouteThrottle, SimulatedRight,
    StackFacts, StageSettings, TableDetails, TableFacts,
};
use stackgen_diagnose::logs::StageLogSettings;
use stackgen_model::ChangeEffect;
use stackgen_model::diff::{ChangeKind, ChangeSubject, ModelChange};

use crate::evidence::{evidence, stage_info, status, variables};

const ARN: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function";
const ROLE: &str = "arn:aws:iam::111122223333:role/chat";
const ENDPOINT: &str = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod";

fn part(kind: ApiPartKind, id: &str, properties: Value) -> ApiPart {
    let Value::Object(properties) = properties else {
        panic!("{properties}");
    };
    ApiPart {
        kind,
        id: id.to_owned(),
        parent: None,
        properties,
    }
}

/// Returns the wiring of a chat with an authorizer, by which `$connect` is authorized or not.
fn wiring(is_authorized: bool) -> ApiDescription {
    let route = |key: &str, more: Value| {
        let mut properties = json!({ "RouteKey": key, "Target": "integrations/chat" });
        let all = properties.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        part(ApiPartKind::Route, &key.replace('$', ""), properties)
    };
    let authorized = match is_authorized {
        true => json!({ "AuthorizationType": "CUSTOM", "AuthorizerId": "guard" }),
        false => json!({ "AuthorizationType": "NONE" }),
    };
    let uri = |name: &str| format!("{ARN}:{name}/invocations");
    let parts = vec![
        part(
            ApiPartKind::Authorizer,
            "guard",
            json!({ "Name": "guard", "AuthorizerType": "REQUEST", "AuthorizerUri": uri("guard"), "IdentitySource": [] }),
        ),
        part(
            ApiPartKind::Integration,
            "chat",
            json!({ "IntegrationType": "AWS_PROXY", "IntegrationMethod": "POST", "IntegrationUri": uri("chat") }),
        ),
        route("$connect", authorized),
        route("$disconnect", json!({})),
        route("$default", json!({})),
    ];
    let api = json!({
        "Name": "chat", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action",
    });
    ApiDescription {
        api: api.as_object().unwrap().clone(),
        parts,
    }
}

/// Returns evidence of a stage without a fault, in which every part was read.
pub(crate) fn healthy() -> DoctorEvidence {
    let mut healthy = evidence();
    healthy.wiring = Some(wiring(true));
    healthy.status = Some(status(Freshness::Current, stage_info(false, None)));
    healthy.log_role = Some(LogRole(Some(ROLE.to_owned())));
    healthy.stage = Some(StageSettings {
        routes: Vec::new(),
        logs: StageLogSettings {
            access_log_arn: Some("arn:aws:logs:eu-west-1:111122223333:log-group:chat".to_owned()),
            ..StageLogSettings::default()
        },
    });
    healthy.closes = ClosedConnections {
        lists_disconnects: true,
        has_ages: true,
        is_cut_off: false,
        lacks_lines: false,
        closes: Vec::new(),
    };
    for name in ["chat", "guard"] {
        let facts = FunctionFacts {
            details: Some(FunctionDetails::default()),
            is_known: true,
            reserved: None,
        };
        healthy.functions.insert(FunctionName::new(name), facts);
        let statement = json!({
            "Effect": "Allow", "Principal": { "Service": "apigateway.amazonaws.com" },
            "Action": "lambda:InvokeFunction", "Resource": "*",
        });
        let policy = json!({ "Statement": [statement] }).to_string();
        healthy.policies.insert(qualified(name), Some(policy));
    }
    healthy.project.is_known = true;
    healthy.project.built = [(FunctionName::new("chat"), "built".to_owned())].into();
    details(&mut healthy).code_sha256 = Some("built".to_owned());
    healthy
}

fn qualified(name: &str) -> QualifiedFunction {
    QualifiedFunction {
        function: FunctionName::new(name),
        qualifier: None,
    }
}

fn chat(evidence: &mut DoctorEvidence) -> &mut FunctionFacts {
    evidence
        .functions
        .get_mut(&FunctionName::new("chat"))
        .unwrap()
}

fn details(evidence: &mut DoctorEvidence) -> &mut FunctionDetails {
    chat(evidence).details.as_mut().unwrap()
}

fn table(change: impl FnOnce(&mut TableFacts)) -> impl FnOnce(&mut DoctorEvidence) {
    move |evidence| {
        let mut table = TableFacts {
            details: TableDetails {
                status: "ACTIVE".to_owned(),
                partition_key: "connectionId".to_owned(),
                ..TableDetails::default()
            },
            ttl: Some(Some("ttl".to_owned())),
        };
        change(&mut table);
        evidence.tables.insert("Rooms".to_owned(), Some(table));
    }
}

fn closes(code: u16, age: u64) -> impl FnOnce(&mut DoctorEvidence) {
    move |evidence| {
        evidence.closes.closes = vec![
            ClosedConnection {
                code: Some(code),
                age: Some(Duration::from_secs(age)),
            };
            5
        ];
    }
}

fn metric(namespace: &'static str, name: &'static str) -> impl FnOnce(&mut DoctorEvidence) {
    move |evidence| {
        let point = MetricPoint {
            at: OffsetDateTime::UNIX_EPOCH,
            sum: 3.0,
        };
        evidence.metrics.push(MetricSeries {
            metric: MetricName {
                namespace,
                name,
                dimensions: vec![("FunctionName", "chat".to_owned())],
            },
            points: vec![point],
        });
    }
}

fn stack(state: &'static str) -> impl FnOnce(&mut DoctorEvidence) {
    move |evidence| {
        evidence.stack = Some(StackFacts {
            stack: StackDescription {
                id: StackId::new("arn:aws:cloudformation:eu-west-1:111122223333:stack/chat/1"),
                name: StackName::new("chat"),
                status: StackStatus::parse(state),
                reason: None,
                parameters: Vec::new(),
                tags: Vec::new(),
                outputs: Vec::new(),
                termination_protection: false,
                role_arn: None,
                operations: Vec::new(),
            },
            cause: None,
        });
    }
}

fn drift(evidence: &mut DoctorEvidence, pointer: StagePointer, wiring: Vec<ModelChange>) {
    evidence.drift = Some(StageDrift {
        api: evidence.api.clone(),
        stage: stage_info(false, None),
        stack: StackName::new("chat"),
        stack_status: "UPDATE_COMPLETE".to_owned(),
        pointer,
        wiring,
        unresolved: 0,
        wiring_text: "route ping  added".to_owned(),
    });
}

fn route_change(kind: ChangeKind) -> ModelChange {
    ModelChange {
        subject: ChangeSubject {
            kind: "route".to_owned(),
            name: "ping".to_owned(),
            api: Some("chat".to_owned()),
        },
        kind,
        effect: ChangeEffect::Wiring,
    }
}

fn with_status(
    change: impl FnOnce(&mut stackgen_deploy::status::StageStatus),
) -> impl FnOnce(&mut DoctorEvidence) {
    move |evidence| change(evidence.status.as_mut().unwrap())
}

fn freshness(freshness: Freshness) -> impl FnOnce(&mut DoctorEvidence) {
    with_status(move |status| status.verdict.freshness = freshness)
}

fn deployment() -> DeploymentInfo {
    DeploymentInfo {
        id: DeploymentId::new("d1"),
        status: DeploymentState::Deployed,
        message: None,
        description: None,
        auto_deployed: false,
        created: OffsetDateTime::UNIX_EPOCH,
    }
}

/// Evidence with faults, by the check that finds each.
#[derive(Default)]
struct FaultyEvidence(Vec<(&'static str, DoctorEvidence)>);

impl FaultyEvidence {
    fn add(&mut self, id: &'static str, change: impl FnOnce(&mut DoctorEvidence)) {
        let mut evidence = healthy();
        change(&mut evidence);
        self.0.push((id, evidence));
    }
}

/// Returns each check with evidence in which it finds something.
pub(crate) fn faults() -> Vec<(&'static str, DoctorEvidence)> {
    let mut faults = FaultyEvidence::default();
    wiring_faults(&mut faults);
    stage_faults(&mut faults);
    function_faults(&mut faults);
    data_faults(&mut faults);
    client_faults(&mut faults);
    metric_faults(&mut faults);
    stack_faults(&mut faults);
    faults.0
}

fn wiring_faults(faults: &mut FaultyEvidence) {
    faults.add("DR101", |evidence| evidence.wiring = Some(wiring(false)));
    faults.add("DR102", |evidence| {
        let wiring = evidence.wiring.as_mut().unwrap();
        let guard = &mut wiring.parts[0].properties;
        guard.insert(
            "IdentitySource".to_owned(),
            json!(["route.request.querystring.token"]),
        );
        let name = "guest".to_owned();
        evidence.project.callers = vec![DeclaredCaller {
            name,
            ..DeclaredCaller::default()
        }];
    });
    faults.add(
        "DR103",
        with_status(|status| status.change_basis = Some(ChangeBasis::FromTemplate)),
    );
    faults.add("DR104", |evidence| {
        drift(
            evidence,
            StagePointer::AsInTemplate,
            vec![route_change(ChangeKind::Added)],
        )
    });
}

fn stage_faults(faults: &mut FaultyEvidence) {
    faults.add("DR201", freshness(Freshness::Stale));
    faults.add(
        "DR202",
        with_status(|status| {
            status.stage = stage_info(true, Some("Deployment attempt failed: no route"));
        }),
    );
    faults.add("DR203", |evidence| {
        let change = WiringChange {
            logical_id: "PingRoute".to_owned(),
            physical_id: None,
            kind: "AWS::ApiGatewayV2::Route".to_owned(),
            status: "DELETE_COMPLETE".to_owned(),
            at: OffsetDateTime::UNIX_EPOCH,
        };
        evidence.history = Some(WiringHistory {
            stack: StackName::new("chat"),
            order: WiringOrder::ChangeIsNewer,
            change: Some(change),
            other_unclear: 0,
        });
    });
    faults.add("DR204", |evidence| {
        let template = DeploymentId::new("d0");
        drift(
            evidence,
            StagePointer::Moved {
                template,
                served: None,
            },
            Vec::new(),
        );
    });
    faults.add("DR205", |evidence| {
        let zero = RouteThrottle {
            route: None,
            rate: Some(0.0),
            burst: Some(0),
        };
        evidence.stage.as_mut().unwrap().routes.push(zero);
    });
    faults.add("DR206", |evidence| {
        evidence.stage.as_mut().unwrap().logs = StageLogSettings::default()
    });
    serving_faults(faults);
}

fn serving_faults(faults: &mut FaultyEvidence) {
    faults.add("DR207", |evidence| evidence.log_role = Some(LogRole(None)));
    faults.add("DR208", freshness(Freshness::NotDeployed));
    faults.add(
        "DR209",
        with_status(|status| {
            status.metadata = Some(DeploymentMetadata {
                verification: Some(VerifyRecord::failed(OffsetDateTime::UNIX_EPOCH)),
                ..DeploymentMetadata::new("0".repeat(64).parse().unwrap())
            });
            status.deployment = Some(deployment());
            status.created_by = Some(CreatedBy::Redeploy);
        }),
    );
    faults.add("DR210", freshness(Freshness::Unknown));
}

fn function_faults(faults: &mut FaultyEvidence) {
    faults.add("DR301", |evidence| chat(evidence).details = None);
    faults.add("DR302", |evidence| {
        details(evidence).state = Some("Failed".to_owned())
    });
    faults.add("DR303", |evidence| {
        details(evidence).code_sha256 = Some("live".to_owned());
    });
    faults.add("DR304", |evidence| {
        let version = CalledVersion {
            function: FunctionName::new("chat"),
            version: FunctionVersion::new("7"),
        };
        evidence.versions.insert(version, None);
    });
    faults.add("DR305", |evidence| chat(evidence).reserved = Some(0));
    faults.add("DR306", |evidence| {
        evidence.policies.insert(qualified("chat"), None);
    });
    faults.add("DR307", |evidence| {
        evidence.policies.insert(qualified("guard"), None);
    });
    role_faults(faults);
}

fn role_faults(faults: &mut FaultyEvidence) {
    let greeting = |evidence: &mut DoctorEvidence| {
        let environment = [("GREETING".to_owned(), Some("hello".to_owned()))].into();
        let declared = DeclaredFunction {
            environment,
            posts: false,
        };
        evidence.project.functions = [(FunctionName::new("chat"), declared)].into();
    };
    faults.add("DR308", greeting);
    faults.add("DR309", move |evidence| {
        greeting(evidence);
        *details(evidence) = variables("GREETING", "bye");
    });
    faults.add("DR310", |evidence| {
        *details(evidence) = variables("MANAGEMENT_ENDPOINT", "")
    });
    faults.add(
        "DR311",
        |evidence| {
            let role = Some(ROLE.to_owned());
            *details(evidence) = FunctionDetails {
                role,
                ..variables("MANAGEMENT_ENDPOINT", ENDPOINT)
            };
            let right = RoleRight {
            role: ROLE.to_owned(),
            action: "execute-api:ManageConnections",
            resource: "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/prod/POST/@connections/{connectionId}".to_owned(),
        };
            evidence
                .rights
                .insert(right, RightVerdict::Simulated(SimulatedRight::Denied));
        },
    );
    faults.add("DR312", |evidence| {
        let vpc = Some("vpc-1".to_owned());
        *details(evidence) = FunctionDetails {
            vpc,
            ..variables("MANAGEMENT_ENDPOINT", ENDPOINT)
        };
        evidence.private_endpoints = [("vpc-1".to_owned(), vec!["vpce-1".to_owned()])].into();
    });
}

fn data_faults(faults: &mut FaultyEvidence) {
    faults.add("DR401", |evidence| {
        evidence.tables.insert("Rooms".to_owned(), None);
    });
    faults.add(
        "DR402",
        table(|table| table.details.status = "CREATING".to_owned()),
    );
    faults.add("DR403", table(|table| table.ttl = Some(None)));
    faults.add(
        "DR404",
        table(|table| {
            table.details.indexes = [("byUser".to_owned(), "CREATING".to_owned())].into();
        }),
    );
    faults.add("DR405", |evidence| {
        evidence.records.push(RecordSample {
            table: "Rooms".to_owned(),
            key: "connectionId".to_owned(),
            compared: 1,
            orphans: vec!["dkLJXcbuoAMCJCQ=".to_owned()],
        })
    });
}

fn client_faults(faults: &mut FaultyEvidence) {
    faults.add("DR501", |evidence| {
        evidence.callers.push(VerifyAttempt {
            caller: "guest".to_owned(),
            answer: HandshakeAnswer::Answered(401),
            judgement: Judgement::Failed,
            meaning: "401".to_owned(),
        })
    });
    faults.add("DR502", closes(1005, 1));
    faults.add("DR503", closes(1001, 603));
    faults.add("DR504", closes(1001, 7_200));
    faults.add("DR505", closes(1006, 95));
    faults.add("DR506", closes(1009, 20));
}

fn metric_faults(faults: &mut FaultyEvidence) {
    faults.add("DR601", metric("AWS/ApiGateway", "IntegrationError"));
    faults.add("DR602", metric("AWS/ApiGateway", "ExecutionError"));
    faults.add("DR603", metric("AWS/ApiGateway", "ClientError"));
    faults.add("DR604", metric("AWS/Lambda", "Throttles"));
    faults.add("DR605", metric("AWS/Lambda", "Errors"));
}

fn stack_faults(faults: &mut FaultyEvidence) {
    faults.add("DR701", stack("UPDATE_ROLLBACK_COMPLETE"));
    faults.add("DR702", stack("UPDATE_IN_PROGRESS"));
}

/// Takes the answers about a part away.
pub(crate) fn take_away(part: EvidencePart, evidence: &mut DoctorEvidence) {
    let empty = crate::evidence::evidence();
    match part {
        EvidencePart::Wiring => evidence.wiring = None,
        EvidencePart::Stage => evidence.stage = None,
        EvidencePart::Status => evidence.status = None,
        EvidencePart::History => evidence.history = None,
        EvidencePart::Drift => evidence.drift = None,
        EvidencePart::LogRole => evidence.log_role = None,
        EvidencePart::Functions => {
            evidence.functions = empty.functions;
            evidence.versions = empty.versions;
        }
        EvidencePart::Permissions => evidence.policies = empty.policies,
        EvidencePart::Rights => evidence.rights = empty.rights,
        EvidencePart::Network => evidence.private_endpoints = empty.private_endpoints,
        EvidencePart::Tables => evidence.tables = empty.tables,
        EvidencePart::Records => evidence.records = empty.records,
        EvidencePart::Callers => evidence.callers = empty.callers,
        EvidencePart::Logs => evidence.closes = empty.closes,
        EvidencePart::Metrics => evidence.metrics = empty.metrics,
        EvidencePart::Stack => evidence.stack = None,
    }
}
