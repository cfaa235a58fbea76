//! `stackgen lint`

mod assembly;
mod folder;
mod inputs;
mod judge;
mod summary;

use crate::Outcome;
use crate::error::CliError;
use crate::ui::Ui;
use inputs::InputArgs;
use judge::Judged;
use stackgen_lint::Severity;
use stackgen_lint::output::{Linted, human};
use summary::Summary;

/// Find wiring mistakes in CloudFormation, SAM and synthesised CDK templates, ours or anyone's
///
/// Reads files, folders, globs and stdin. Folders are searched for templates; of a cdk.out, those that its manifest names
/// are taken, with their nested stacks. Hidden folders other than .serverless, node_modules and target are left out. A
/// template without a WebSocket API is passed over.
///
/// Exits with 3 when something is found, and with 2 when a file cannot be read as a template; the others are judged all
/// the same. `stackgen rule` explains what is found.
#[derive(clap::Args, Debug)]
pub(crate) struct Lint {
    #[command(flatten)]
    inputs: InputArgs,
}

impl Lint {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let inputs = self.inputs.inputs()?;
        let (mut linted, mut unread) = (Vec::new(), Vec::new());
        for judged in judge::judge(&inputs, ui) {
            match judged {
                Judged::Linted(one) => linted.push(one),
                Judged::Unread(error) => unread.push(error),
                Judged::PassedOver => {}
            }
        }
        if linted.is_empty() && unread.is_empty() && !self.inputs.may_be_none() {
            let message = format!("there is no template in {}", self.inputs.shown());
            return Err(CliError::input(message).hint("`stackgen synth` writes templates to `out`"));
        }
        let mut hidden = 0;
        for one in &mut linted {
            let findings = &mut one.report.findings;
            let all = findings.len();
            findings.retain(|finding| finding.severity >= Severity::Warning);
            hidden += all - findings.len();
        }
        let summary = Summary::of(&linted, hidden);
        for one in &linted {
            ui.result(&human::render(one))?;
        }
        for error in &unread {
            ui.error(error);
        }
        ui.aside(&summary.line());
        Ok(outcome(&linted, &unread))
    }
}

fn outcome(linted: &[Linted], unread: &[CliError]) -> Outcome {
    if !unread.is_empty() {
        return Outcome::Unusable;
    }
    match linted.iter().all(|one| one.report.findings.is_empty()) {
        true => Outcome::Done,
        false => Outcome::Found,
    }
}
