//! `stackgen bootstrap`

use clap::Args;
use sha2::{Digest, Sha256};
use stackgen_deploy::stack::apply::{execute, resume};
use stackgen_deploy::stack::change_set::{PreparedUpdate, discard, prepare};
use stackgen_deploy::stack::{StackName, StackRequest, TemplateLocation};
use stackgen_deploy::{Account as _, DeployStep};

use crate::account::{AccountArgs, StepProgress, artifact_bucket, interrupt_on_signals};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::ui::Ui;

/// Create the bucket for code and templates that `stackgen deploy` uploads
///
/// Once for an account and region. The bucket is `stackgen-artifacts-ACCOUNT-REGION`, in a stack of its own,
/// `stackgen-bootstrap`. It is private, encrypted and versioned, and it refuses requests without TLS. Deleting the stack keeps
/// the bucket. Another run changes nothing, or updates the stack.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BootstrapCommand {
    /// Show what would happen, and change nothing
    #[arg(long, help_heading = "Action")]
    dry_run: bool,

    #[command(flatten)]
    account: AccountArgs,
}

const EXAMPLES: &str = "\
Examples:
  stackgen bootstrap --profile admin --region eu-central-1
  stackgen bootstrap --dry-run";

const TEMPLATE: &str = include_str!("template.yaml");

const STACK: &str = "stackgen-bootstrap";

impl BootstrapCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        if self.account.local {
            return Err(CliError::input("the local gateway needs no bucket")
                .hint("deploy to it with `stackgen deploy --local`"));
        }
        block_on(self.create(ui))
    }

    async fn create(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let progress = StepProgress::new(ui);
        let interrupt = interrupt_on_signals(&progress);
        let steps = |step: DeployStep<'_>| progress.step(&step);
        let account = self.account.connect_in(None, ui).await?;
        let ctx = account.context(&steps, &interrupt);
        let region = ctx.read(|| account.aws.account_region()).await?;
        let bucket = artifact_bucket(&region);
        let request = request();
        let changed = match prepare(&account.aws, &request, ctx).await? {
            PreparedUpdate::Unchanged(_) => false,
            PreparedUpdate::Changes(changes) if self.dry_run => {
                let creates = changes.changes.len() == 2;
                discard(&account.aws, &changes, creates, ctx).await?;
                let line = format!("would create or update stack {STACK} with bucket {bucket}");
                progress.result(|| ui.done(&line))?;
                true
            }
            PreparedUpdate::Changes(changes) => {
                execute(&account.aws, &request.stack, &changes, ctx).await?;
                true
            }
            PreparedUpdate::Running(running) => {
                resume(&account.aws, &request.stack, &running, ctx).await?;
                true
            }
        };
        drop(progress);
        if ui.wants_json() {
            ui.json_result(&serde_json::json!({
                "stack": STACK, "bucket": bucket, "changed": changed, "dryRun": self.dry_run,
            }))?;
        }
        match (changed, self.dry_run) {
            (_, true) => {}
            (true, _) => ui.done(&format!("bucket {bucket} is ready"))?,
            (false, _) => ui.done(&format!("bucket {bucket} is ready; nothing changed"))?,
        }
        Ok(CommandOutcome::Done)
    }
}

fn request() -> StackRequest {
    let digest = hex::encode(Sha256::digest(TEMPLATE));
    StackRequest {
        stack: StackName::new(STACK),
        creates: false,
        template: TemplateLocation::Inline(TEMPLATE.to_owned()),
        parameters: Vec::new(),
        capabilities: Vec::new(),
        tags: Vec::new(),
        role_arn: None,
        express: false,
        change_set: format!("stackgen-{}", &digest[..16]),
        description: "stackgen bootstrap".to_owned(),
    }
}
