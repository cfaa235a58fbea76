//! Quotas are checked before a deploy, as far as they can be read.

use std::cell::RefCell;
use std::fmt::Write as _;

use stackgen_deploy::stack::quotas::{Quota, QuotaDemand, QuotaUsage, check_quotas, part_demands};
use stackgen_deploy::stack::{QuotaReader, StackError};
use stackgen_deploy::{AccountErrorKind, AccountResult};

use crate::notes::{checked, error, parsed};

/// An account that has nearly reached its quotas.
#[derive(Default)]
struct Quotas {
    fails: Option<AccountErrorKind>,
    raised: Option<u64>,
    calls: RefCell<Vec<&'static str>>,
}

impl Quotas {
    fn answer<T>(&self, operation: &'static str, answer: T) -> AccountResult<T> {
        self.calls.borrow_mut().push(operation);
        match self.fails {
            Some(kind) => Err(error(kind, operation)),
            None => Ok(answer),
        }
    }
}

impl QuotaReader for Quotas {
    async fn code_storage(&self) -> AccountResult<QuotaUsage> {
        let usage = QuotaUsage {
            used: 900,
            limit: 1_000,
        };
        self.answer("GetAccountSettings", usage)
    }

    async fn roles(&self) -> AccountResult<QuotaUsage> {
        let usage = QuotaUsage {
            used: 998,
            limit: 1_000,
        };
        self.answer("GetAccountSummary", usage)
    }

    async fn stack_quota(&self) -> AccountResult<Option<u64>> {
        self.answer("DescribeAccountLimits", Some(2_000))
    }

    async fn stack_count(&self) -> AccountResult<u64> {
        self.answer("ListStacks", 1_999)
    }

    async fn api_count(&self) -> AccountResult<u64> {
        self.answer("GetApis", 599)
    }

    async fn gateway_quota(&self, code: &str) -> AccountResult<Option<u64>> {
        assert_eq!(code, "L-01C8A9E0");
        self.answer("GetServiceQuota", self.raised)
    }
}

/// What fits exactly.
fn demand() -> QuotaDemand {
    QuotaDemand {
        resources: 500,
        creates_stack: true,
        roles: 2,
        apis: 1,
        code: 100,
        parts: Vec::new(),
    }
}

async fn check(quotas: &Quotas, demand: &QuotaDemand) -> (Result<(), StackError>, Vec<String>) {
    checked(async |ctx| check_quotas(quotas, demand, ctx).await).await
}

#[tokio::test]
async fn what_fits_exactly_is_accepted_and_one_more_of_anything_is_reported_at_once() {
    let quotas = Quotas::default();
    assert_eq!(check(&quotas, &demand()).await, (Ok(()), Vec::new()));
    let more = QuotaDemand {
        resources: 501,
        roles: 3,
        apis: 2,
        code: 101,
        ..demand()
    };
    let error = check(&quotas, &more).await.0.unwrap_err();
    insta::assert_snapshot!(error.to_string().replace("; ", "\n"), @r"
    the template has 501 resources, and CloudFormation accepts 500 in a stack
    with this code the functions of the region have 1001 bytes of code, and the quota is 1000
    with this stack the account would have 1001 roles, and its quota is 1000
    with this stack the account would have 601 or more APIs in the region, and its quota is 600
    ");
    insta::assert_snapshot!(error.hint().unwrap().replace("; ", "\n"), @r"
    split the stack: this quota cannot be raised
    delete old versions with `stackgen deployments prune`, or raise the quota of code storage in Service Quotas
    delete roles, or raise the quota of roles in Service Quotas
    delete APIs, or use another account or region: this quota cannot be raised
    ");
}

#[tokio::test]
async fn an_update_that_adds_nothing_reads_no_quota() {
    let quotas = Quotas::default();
    let update = QuotaDemand {
        resources: 40,
        ..QuotaDemand::default()
    };
    check(&quotas, &update).await.0.unwrap();
    assert!(quotas.calls.into_inner().is_empty());
}

#[tokio::test(start_paused = true)]
async fn quotas_that_may_not_be_read_are_skipped_with_a_note_each() {
    let denied = Quotas {
        fails: Some(AccountErrorKind::AccessDenied),
        ..Quotas::default()
    };
    let (result, skipped) = check(&denied, &demand()).await;
    assert_eq!(result, Ok(()));
    insta::assert_snapshot!(skipped.join("\n"), @"
    the check of the quota of stacks: DescribeAccountLimits: no; the caller needs service:DescribeAccountLimits
    the check of the quota of code storage: GetAccountSettings: no; the caller needs service:GetAccountSettings
    the check of the quota of roles: GetAccountSummary: no; the caller needs service:GetAccountSummary
    the check of the quota of APIs: GetApis: no; the caller needs service:GetApis
    ");
    let throttled = Quotas {
        fails: Some(AccountErrorKind::TooManyRequests),
        ..Quotas::default()
    };
    let (result, skipped) = check(&throttled, &demand()).await;
    assert_eq!((result, skipped.len()), (Ok(()), 4));
    // An emulator may lack the operations.
    let unknown = Quotas {
        fails: Some(AccountErrorKind::Refused),
        ..Quotas::default()
    };
    assert_eq!(check(&unknown, &demand()).await, (Ok(()), Vec::new()));
}

/// Returns a template with so many parts of a WebSocket API.
fn template(kind: &str, number: usize) -> stackgen_cfn::Node {
    let mut text = String::from(
        "Resources:\n  Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: WEBSOCKET } }\n",
    );
    for index in 0..number {
        writeln!(
            text,
            "  Part{index}: {{ Type: 'AWS::ApiGatewayV2::{kind}', Properties: {{ ApiId: {{ Ref: Api }} }} }}"
        )
        .unwrap();
    }
    parsed(&text)
}

#[tokio::test]
async fn parts_of_an_api_above_the_default_are_compared_with_the_quota_that_applies() {
    assert_eq!(part_demands(&template("Route", 300)), []);
    let parts = part_demands(&template("Route", 301));
    assert_eq!(parts[0].code(), Some("L-01C8A9E0"));
    let demand = QuotaDemand {
        parts,
        ..QuotaDemand::default()
    };
    let raised = |raised| Quotas {
        raised,
        ..Quotas::default()
    };
    assert_eq!(
        check(&raised(Some(400)), &demand).await,
        (Ok(()), Vec::new())
    );
    let error = check(&raised(Some(300)), &demand).await.0.unwrap_err();
    assert_eq!(
        error.to_string(),
        "an API has 301 routes, and its quota is 300"
    );
    assert!(
        matches!(&error, StackError::Quotas(found) if matches!(found[0].quota, Quota::ApiPart(_)))
    );
    // Service Quotas has no value: the default may apply or not.
    let (result, skipped) = check(&raised(None), &demand).await;
    assert_eq!(result, Ok(()));
    insta::assert_snapshot!(skipped.join("\n"), @"the check of the quota of routes: an API has 301, its quota is 300 unless it was raised, and Service Quotas has no value of it");
    // Only AWS Support raises this one, and no call returns it.
    let demand = QuotaDemand {
        parts: part_demands(&template("Authorizer", 11)),
        ..QuotaDemand::default()
    };
    let (result, skipped) = check(&Quotas::default(), &demand).await;
    assert_eq!(result, Ok(()));
    insta::assert_snapshot!(skipped.join("\n"), @"the check of the quota of authorizers: an API has 11, its quota is 10 unless AWS Support raised it, and that cannot be read");
}

#[test]
fn a_template_needs_what_the_stack_does_not_have_yet() {
    let text = "
Resources:
  Api: { Type: 'AWS::ApiGatewayV2::Api' }
  OldRole: { Type: 'AWS::IAM::Role' }
  NewRole: { Type: 'AWS::IAM::Role' }
  MaybeRole: { Type: 'AWS::IAM::Role', Condition: Never }
";
    let template = parsed(text);
    let demand = QuotaDemand::of(&template, |id| id == "OldRole" || id == "Api");
    let expected = QuotaDemand {
        resources: 4,
        roles: 1,
        ..QuotaDemand::default()
    };
    assert_eq!(demand, expected);
}
