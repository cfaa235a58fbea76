use stackgen_model::{Resource, Stage};

use crate::context::RuleContext;
use crate::facts::presence::exist_together;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage that writes logs does not depend on the account's role, which the same template sets.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway refuses a stage with logs while the account has no role for them (row L3). The stage and
    /// `AWS::ApiGateway::Account` do not refer to each other, so CloudFormation creates them at the same time. In an
    /// account and region without an earlier role the stack fails with `CloudWatch Logs role ARN must be set in account
    /// settings to enable logging`. If a role exists, the mistake does not show.
    ///
    /// ## How to fix it
    ///
    /// Add the `AWS::ApiGateway::Account` to the stage's `DependsOn`, as `--fix` does.
    id: "SG424",
    name: "stage-before-account-role",
    severity: Warning,
    confidence: High,
    rows: ["L3"],
    fixable: true,
    example: "stages/stage_before_account_role.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let mut resources = context.model.resources.values();
    let account = resources.find(|resource| resource.kind == "AWS::ApiGateway::Account");
    let Some(account) = account else {
        return Vec::new();
    };
    let stages = context.websockets().flat_map(|api| &api.stages);
    let logging: Vec<_> = stages.filter(|stage| stage.has_logs()).collect();
    if logging.is_empty() {
        return Vec::new();
    }
    let order = context.facts.creation_order();
    let of_account = order.dependencies([&**account]);
    let early = logging.into_iter().filter(|stage| {
        let resource = &stage.resource;
        let awaits = || order.dependencies([&**resource]).has(&account.logical_id);
        exist_together(resource, account) && !of_account.has(&resource.logical_id) && !awaits()
    });
    early.map(|stage| finding(stage, account)).collect()
}

fn finding(stage: &Stage, account: &Resource) -> Finding {
    let (id, account_id) = (&stage.resource.logical_id, &account.logical_id);
    let message = format!(
        "stage {id} writes logs but does not depend on {account_id}, which sets the account's role"
    );
    let edits = crate::fix::depend_on(&stage.resource, &[account_id]);
    let title = format!("add {account_id} to the `DependsOn` of {id}");
    Finding::new(&RULE, Location::of(&stage.resource, &[]), message)
        .related(Location::of(account, &[]), "the account's role")
        .hint(format!("add `DependsOn: {account_id}`"))
        .fix(crate::fix::Fix::all(title, edits))
}
