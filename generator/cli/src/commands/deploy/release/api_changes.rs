//! Changes of a plan in words of the API model, beside CloudFormation's own.

use stackgen_cfn::{Node, Sources};
use stackgen_deploy::stack::{StackDescription, StackReader as _};
use stackgen_deploy::{AccountErrorKind, DeployError, OperationContext};

use crate::account::AccountClient;
use crate::error::CliError;
use crate::model_changes::{empty_template, model_changes};
use crate::template;
use crate::ui::Ui;

/// Compares the template of a stack with the one that will replace it. Returns lines as `stackgen diff` prints them, without
/// colors; for a new stack, only counts.
///
/// If the old template must not be read, a note says so, and there are no lines.
pub(super) async fn api_changes(
    stack: Option<&StackDescription>,
    new: &Node,
    account: &AccountClient,
    ctx: OperationContext<'_>,
    ui: &Ui,
) -> Result<String, CliError> {
    let Some(stack) = stack else {
        let counts = model_changes(&empty_template(), new).counts();
        return Ok(format!("+ {counts}\n"));
    };
    let read = ctx.read(|| account.aws.template(&stack.id)).await;
    let old = match read {
        Ok(text) => template::parse(&mut Sources::new(), "the stack's template".to_owned(), text)?,
        Err(DeployError::Account(error)) if error.kind == AccountErrorKind::AccessDenied => {
            let note = "the changes cannot be shown in words of the API, because the stack's template must not be read";
            ui.note(note, Some(&format!("allow {}", error.permission)));
            return Ok(String::new());
        }
        Err(error) => return Err(error.into()),
    };
    Ok(model_changes(&old, new).human())
}
