//! AWS accounts, or the local gateway in place of one, and the stages in them that a command works on.

mod access;
mod built;
mod callers;
mod confirm;
mod declared;
mod interrupt;
mod progress;
mod route_probe;
mod stack;
mod target;
mod templates;
mod text;

pub(crate) use access::{AccountArgs, AccountClient};
pub(crate) use callers::{StageCallers, VerifyArgs};
pub(crate) use confirm::confirmed;
pub(crate) use declared::DeclaredRegion;
pub(crate) use interrupt::{interrupt_after, interrupt_on_signals};
pub(crate) use progress::StepProgress;
pub(crate) use route_probe::RouteProbeArgs;
pub(crate) use stack::{StackArgs, StackTarget, artifact_bucket, stack_name};
pub(crate) use target::{
    ProjectScope, StageTarget, TargetArgs, account_defaults, resolve_probe_target,
};
pub(crate) use text::{ago, change_lines, creator_text, short_digest};
