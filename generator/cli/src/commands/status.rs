//! `stackgen status`

use std::fmt::Write;

use clap::Args;
use serde_json::json;
use stackgen_deploy::status::{ChangeBasis, Freshness, StageStatus, StatusConfidence, status};
use stackgen_deploy::{CreatedBy, DeployStep, VerifyRecord};

use crate::Outcome;
use crate::account::{AccountArgs, GoalArgs, Progress, Read, ago, block_on, interrupt, short};
use crate::error::CliError;
use crate::ui::{BOLD, DIM, GREEN, RED, Ui};

/// Tell whether a stage serves what the account holds, and how that is known
///
/// Compares the digest that the served deployment carries with the account's, and with the stackgen.yaml's template:
/// which changes are not served, whether functions run what was built, and how sure that is.
///
/// Exits with 0 if every stage serves what the account holds and was verified. Exits with 3 if one is stale, not known, or
/// was never verified.
#[derive(Args, Debug)]
pub(crate) struct Status {
    /// Exit with 0 if a stage serves what the account holds and was never verified
    #[arg(long)]
    allow_unverified: bool,

    #[command(flatten)]
    goal: GoalArgs,

    #[command(flatten)]
    account: AccountArgs,
}

impl Status {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        block_on(self.look(ui))
    }

    async fn look(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let gateway = self.account.gateway(&self.goal.file).await?;
        let goals = self.goal.goals(Read::Code, gateway.as_ref(), ui)?;
        let account = self.account.connect(gateway.as_ref(), &goals).await?;
        let progress = Progress::new(ui);
        let interrupt = interrupt(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let ctx = account.context(&steps, &interrupt);
        let mut found = Vec::new();
        for goal in &goals {
            progress.begin("looking at the account");
            let (api, stage) = goal.find(&account, ctx).await?;
            found.push(status(&account.aws, &api, &stage.name, &goal.said, &goal.code, ctx).await?);
        }
        drop(progress);
        if ui.wants_json() {
            ui.json_result(&json!({ "stages": found }))?;
        } else {
            for known in &found {
                ui.result(&shown(known))?;
            }
        }
        let is_good = |known: &StageStatus| {
            let verified = known.is_verified() || self.allow_unverified && !known.is_failed();
            known.is_current() && verified
        };
        Ok(match found.iter().all(is_good) {
            true => Outcome::Done,
            false => Outcome::Found,
        })
    }
}

fn shown(known: &StageStatus) -> String {
    let mut text = format!(
        "{BOLD}{}{BOLD:#} ({}), stage {}: {}\n",
        known.api.name,
        known.api.id,
        known.stage.name,
        verdict(known)
    );
    let mut say = |word: &str, what: &str| {
        writeln!(text, "  {DIM}{word:<9}{DIM:#} {what}").expect("writing to a String cannot fail");
    };
    say("because", known.verdict.reason);
    say("serves", &served(known));
    say("verified", &verified(known));
    say(
        "account",
        &format!("sha256:{}", short(&known.account_digest.to_string())),
    );
    if let Some(digest) = &known.template_digest {
        say(
            "template",
            &format!("sha256:{}", short(&digest.to_string())),
        );
    }
    for code in &known.code {
        let is = match &code.account {
            Some(sha256) if *sha256 == code.built => "runs the built code",
            Some(_) => "runs other code than the built code",
            None => "is not in the account",
        };
        say("code", &format!("{} {is}", code.function));
    }
    if let Some(of) = known.change_basis {
        say(
            "changes",
            match of {
                ChangeBasis::Undeployed => "in the account and not served:",
                ChangeBasis::FromTemplate => "from the template to the account:",
            },
        );
        for line in known.changes_text.lines() {
            let line = line
                .strip_suffix("needs a deployment")
                .unwrap_or(line)
                .trim_end();
            writeln!(text, "    {line}").expect("writing to a String cannot fail");
        }
    }
    text
}

/// The deployment that is served.
fn served(known: &StageStatus) -> String {
    let Some(deployment) = &known.deployment else {
        return "nothing".to_owned();
    };
    let age = ago(deployment.created);
    let mut words = vec![format!("deployment {}, {age}", deployment.id)];
    words.extend(
        known
            .created_by
            .map(|origin| origin_text(origin).to_owned()),
    );
    if let Some(metadata) = &known.metadata {
        words.extend(metadata.git.as_ref().map(|git| format!("git:{git}")));
        words.push(format!("sha256:{}", short(&metadata.digest.to_string())));
    }
    words.join(", ")
}

/// Returns the last verification of the served deployment.
fn verified(known: &StageStatus) -> String {
    match known
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.verification.as_ref())
    {
        Some(VerifyRecord::Verified { at, callers }) if callers.is_empty() => at.clone(),
        Some(VerifyRecord::Verified { at, callers }) => format!("{at} as {}", callers.join(", ")),
        Some(VerifyRecord::Failed { at: Some(at) }) => format!("{RED}failed{RED:#} {at}"),
        Some(VerifyRecord::Failed { at: None }) => format!("{RED}failed{RED:#}"),
        None => "never; `stackgen deploy --redeploy-stage` verifies it".to_owned(),
    }
}

fn verdict(known: &StageStatus) -> String {
    let (style, word) = match known.verdict.freshness {
        Freshness::Current => (GREEN, "current"),
        Freshness::Stale => (RED, "stale"),
        Freshness::Unknown => (RED, "unknown"),
        Freshness::NotDeployed => (RED, "not deployed"),
    };
    let sure = match known.verdict.confidence {
        StatusConfidence::Certain => "",
        StatusConfidence::Likely => ", most likely",
    };
    format!("{style}{word}{style:#}{sure}")
}

fn origin_text(origin: CreatedBy) -> &'static str {
    match origin {
        CreatedBy::Redeploy => "by `stackgen deploy --redeploy-stage`",
        CreatedBy::Template => "by CloudFormation",
        CreatedBy::AutoDeploy => "by AutoDeploy",
        CreatedBy::Unknown => "not by stackgen",
    }
}
