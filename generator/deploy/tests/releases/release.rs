//! A release of the simulated stack.

use std::cell::RefCell;

use stackgen_deploy::stack::apply::{execute, resume};
use stackgen_deploy::stack::change_set::{PreparedUpdate, prepare};
use stackgen_deploy::stack::direct::update_directly;
use stackgen_deploy::stack::{StackError, StackName, StackRequest, TemplateLocation};
use stackgen_deploy::{DeployStep, Interrupt, OffsetDateTime, OperationContext, RetryPolicy};

use crate::account::SimulatedStacks;

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Deployed,
    Failed(StackError),
    /// The process was killed.
    Crashed,
}

pub(crate) struct Release {
    request: StackRequest,
    /// The run, if it uses no change set.
    direct: Option<String>,
    /// What was skipped.
    pub(crate) skipped: RefCell<Vec<String>>,
}

impl Release {
    pub(crate) fn of(template: &str) -> Release {
        Release {
            request: StackRequest {
                stack: StackName::new("rooms"),
                creates: false,
                template: TemplateLocation::Url(template.to_owned()),
                parameters: Vec::new(),
                capabilities: Vec::new(),
                tags: Vec::new(),
                role_arn: None,
                express: false,
                change_set: format!("stackgen-{template}"),
                description: String::new(),
            },
            direct: None,
            skipped: RefCell::default(),
        }
    }

    /// A release without a change set.
    pub(crate) fn direct(template: &str, run: u64) -> Release {
        Release {
            direct: Some(format!("run{run}")),
            ..Release::of(template)
        }
    }

    /// Runs the release until it ends or is killed.
    pub(crate) fn run(&self, stacks: &SimulatedStacks) -> Ended {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = stacks.crash.notified() => Ended::Crashed,
                ended = self.deploy(stacks) => match ended {
                    Ok(()) => Ended::Deployed,
                    Err(error) => Ended::Failed(error),
                },
            }
        })
    }

    async fn deploy(&self, stacks: &SimulatedStacks) -> Result<(), StackError> {
        let (retry, never) = (RetryPolicy::default(), Interrupt::never());
        let steps = |step: DeployStep<'_>| {
            if let DeployStep::Skipped { what, .. } = step {
                self.skipped.borrow_mut().push(what.to_owned());
            }
        };
        let ctx = OperationContext {
            retry: &retry,
            steps: &steps,
            interrupt: &never,
            now: OffsetDateTime::now_utc,
        };
        let stack = &self.request.stack;
        if let Some(run) = &self.direct {
            return update_directly(stacks, &self.request, run, ctx)
                .await
                .map(drop);
        }
        match prepare(stacks, &self.request, ctx).await? {
            PreparedUpdate::Unchanged(_) => Ok(()),
            PreparedUpdate::Changes(changes) => {
                execute(stacks, stack, &changes, ctx).await.map(drop)
            }
            PreparedUpdate::Running(running) => {
                resume(stacks, stack, &running, ctx).await.map(drop)
            }
        }
    }
}
