//! A template, applied as CloudFormation would: resources come and go by their logical ids, deletions last.
//!
//! What is wrong is told all at once, before anything changes. What a service refuses while the template is applied is
//! told with its place, and the stack goes back to what it was.

mod account;
mod attributes;
mod code;
mod compute;
mod fault;
mod kinds;
mod parse;
mod physical;
mod rewrite;
mod run;
mod shapes;
mod storage;
mod tables;
mod types;
mod wanted;
mod wiring;

use indexmap::IndexMap;
use stackgen_model::{LogicalId, Model};
use tokio::sync::Mutex;

pub use account::Account;
pub use tables::{TableStore, TableStoreError};
pub use types::{Applied, Apply, Change, NotRun, Problem, StackCode, Template, What};

use account::Existing;
use run::Run;

/// The stack of a gateway: what was applied last, and what came of it.
pub struct Stack {
    account: Account,
    held: Mutex<Held>,
}

/// What is in the account because a template said so.
#[derive(Default)]
struct Held {
    resources: IndexMap<LogicalId, Existing>,
    /// Replaced by others under the same logical id, and still called: they go with the next deployment.
    leftovers: Vec<Existing>,
    template: Option<Template>,
}

impl Stack {
    /// A stack of this account, with nothing in it.
    pub fn new(account: Account) -> Self {
        Stack {
            account,
            held: Mutex::default(),
        }
    }

    /// The stack's name; `None` before a template was applied.
    pub async fn name(&self) -> Option<String> {
        let held = self.held.lock().await;
        held.template
            .as_ref()
            .map(|template| template.stack.clone())
    }

    /// Makes the account what the template says.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the template; or what a service refused of it, and then the account is again what
    /// the template before it said.
    pub async fn apply(&self, template: Template) -> Result<Applied, Vec<Problem>> {
        let model = parse::model(&template, &self.account.scope)?;
        let mut held = self.held.lock().await;
        run::check(&self.account, &held, &template, &model)?;
        let mut run = Run::new(&self.account, &mut held, &template, &model);
        match run.everything().await {
            Ok(applied) => {
                held.template = Some(template);
                Ok(applied)
            }
            Err(problems) => {
                self.roll_back(&mut held, template.apply).await;
                Err(problems)
            }
        }
    }

    /// Brings back what the template before said. What fails there failed before, or has no older state.
    async fn roll_back(&self, held: &mut Held, apply: Apply) {
        let before = held
            .template
            .clone()
            .map(|template| Template { apply, ..template });
        let template = before.unwrap_or_default();
        let model = match template.text.is_empty() {
            true => Model::default(),
            false => parse::model(&template, &self.account.scope).unwrap_or_default(),
        };
        let _ = Run::new(&self.account, held, &template, &model)
            .everything()
            .await;
    }
}
