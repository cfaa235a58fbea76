//! Applies a template as CloudFormation does: creates, updates and deletes resources by their logical IDs, deletions last.
//!
//! All problems of the template are reported at once, before anything changes. If a service rejects a resource later, the
//! problem is reported with its location, and the stack is rolled back.

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

/// Stack of a gateway: the template that was applied last and its resources.
pub struct Stack {
    account: Account,
    held: Mutex<Held>,
}

/// Resources in the account that belong to the stack.
#[derive(Default)]
struct Held {
    resources: IndexMap<LogicalId, Existing>,
    /// Replaced resources that a stage may still call. The next deployment deletes them.
    leftovers: Vec<Existing>,
    template: Option<Template>,
}

impl Stack {
    /// Creates an empty stack in this account.
    pub fn new(account: Account) -> Self {
        Stack {
            account,
            held: Mutex::default(),
        }
    }

    /// Returns the stack's name, or `None` if no template was applied yet.
    pub async fn name(&self) -> Option<String> {
        let held = self.held.lock().await;
        held.template
            .as_ref()
            .map(|template| template.stack.clone())
    }

    /// Applies a template to the account.
    ///
    /// # Errors
    ///
    /// If the template has problems, which are all reported, or a service rejects a resource. In both cases the account is
    /// as the previous template left it.
    pub async fn apply(&self, template: Template) -> Result<Applied, Vec<Problem>> {
        let model = parse::model(&template, &self.account.place)?;
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

    /// Applies the previous template again. Failures are ignored: there is no older state to return to.
    async fn roll_back(&self, held: &mut Held, apply: Apply) {
        let before = held
            .template
            .clone()
            .map(|template| Template { apply, ..template });
        let template = before.unwrap_or_default();
        let model = match template.text.is_empty() {
            true => Model::default(),
            false => parse::model(&template, &self.account.place).unwrap_or_default(),
        };
        let _ = Run::new(&self.account, held, &template, &model)
            .everything()
            .await;
    }
}
