//! `--fix`: changes that are safe, each after a question.

use std::collections::BTreeSet;

use stackgen_deploy::redeploy::{BackTo, RedeployOutcome, RedeployRequest, redeploy};
use stackgen_diagnose::doctor::{DoctorAccount as _, DoctorFix, DoctorReport};

use super::run::{DoctorRun, TargetCallers};
use crate::account::{StageTarget, confirmed};
use crate::error::CliError;
use crate::git;
use crate::run_id::run_id;
use crate::text::counted;

/// Offers the changes that cure findings, and makes those that are confirmed.
pub(super) async fn offer(
    run: DoctorRun<'_>,
    target: &StageTarget,
    report: &DoctorReport,
) -> Result<(), CliError> {
    let fixes: BTreeSet<&DoctorFix> = report
        .findings
        .iter()
        .filter_map(|one| one.fix.as_ref())
        .collect();
    if fixes.is_empty() {
        run.ui
            .note("no finding has a change that is safe to make here", None);
    }
    for fix in fixes {
        match fix {
            DoctorFix::RedeployStage => redeploy_stage(run, target, report).await?,
            DoctorFix::SetLogRole => set_log_role(run).await?,
            DoctorFix::DeleteRecords {
                table,
                key,
                connections,
            } => {
                delete_records(run, report, table, key, connections).await?;
            }
        }
    }
    Ok(())
}

async fn redeploy_stage(
    run: DoctorRun<'_>,
    target: &StageTarget,
    report: &DoctorReport,
) -> Result<(), CliError> {
    let question = format!(
        "create a deployment of {} as it is now, move stage {} to it, and verify it?",
        report.api.name, report.stage
    );
    if !confirmed(false, &question, run.interrupt, run.ui).await? {
        return Ok(());
    }
    let TargetCallers {
        verify,
        callers,
        skipped,
    } = run.callers(target).await;
    for reason in &skipped {
        run.ui.note(reason, None);
    }
    let request = RedeployRequest {
        api: report.api.clone(),
        stage: report.stage.clone(),
        git: git::commit(run.file),
        environment: target.environment.clone(),
        run: run_id(),
        // Code and versions stay as they are.
        code: Vec::new(),
        release: None,
        force: true,
        verify: Some(verify),
        mark: target.name().is_some(),
        updated: None,
        back_to: BackTo::default(),
        prune_failed: false,
        prune: None,
    };
    let outcome = redeploy(&run.account.aws, &callers, &request, run.ctx).await?;
    let text = match outcome {
        RedeployOutcome::Current { deployment, .. } => {
            format!("is current: deployment {deployment}")
        }
        RedeployOutcome::Deployed { deployment, .. }
        | RedeployOutcome::AutoDeployed { deployment, .. } => {
            format!("serves deployment {deployment}, verified")
        }
    };
    run.progress.pause();
    run.ui.done(&format!("stage {} {text}", report.stage))
}

async fn set_log_role(run: DoctorRun<'_>) -> Result<(), CliError> {
    let asked;
    let role = match run.log_role {
        Some(role) => role,
        None => {
            asked = ask_role(run).await?;
            asked.as_str()
        }
    };
    if role.is_empty() {
        return Ok(());
    }
    if !is_role(role) {
        return Err(
            CliError::input(format!("{role:?} is not the ARN of a role"))
                .hint("a role has an ARN such as arn:aws:iam::111122223333:role/api-gateway-logs"),
        );
    }
    let question = format!("set {role} as API Gateway's role for logs in this account and region?");
    if !confirmed(false, &question, run.interrupt, run.ui).await? {
        return Ok(());
    }
    run.ctx.call(|| run.account.aws.set_log_role(role)).await?;
    run.ui.done(&format!("API Gateway writes logs as {role}"))
}

/// Asks for the ARN of a role. No answer sets none.
async fn ask_role(run: DoctorRun<'_>) -> Result<String, CliError> {
    run.ui.note(
        "API Gateway has no role for logs",
        Some("it takes a role that apigateway.amazonaws.com may assume, with the policy AmazonAPIGatewayPushToCloudWatchLogs"),
    );
    let answer = run
        .interrupt
        .unless(run.ui.ask_async("ARN of the role (none: leave it): "));
    Ok(answer.await?.unwrap_or_default().trim().to_owned())
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "iam", "", _, name] if name.starts_with("role/"))
}

async fn delete_records(
    run: DoctorRun<'_>,
    report: &DoctorReport,
    table: &str,
    key: &str,
    connections: &[String],
) -> Result<(), CliError> {
    let question = format!(
        "delete {} whose connection does not exist from table {table}?",
        counted(connections.len(), "record")
    );
    if !confirmed(false, &question, run.interrupt, run.ui).await? {
        return Ok(());
    }
    // The records were compared by this address.
    let endpoint = report.api.management_endpoint(&report.stage);
    let endpoint = endpoint.unwrap_or_default();
    let mut deleted = 0;
    for id in connections {
        // A connection that exists by now keeps its record.
        if run
            .ctx
            .read(|| run.account.aws.connection_exists(&endpoint, id))
            .await?
        {
            continue;
        }
        run.ctx
            .call(|| run.account.aws.delete_record(table, key, id))
            .await?;
        deleted += 1;
    }
    run.ui.done(&format!(
        "deleted {} of table {table}",
        counted(deleted, "record")
    ))
}
