//! Targets of a load: one for each caller.

use std::path::{Path, PathBuf};

use stackgen_probe::{ProbeTarget, Secret, TokenPlacement};

use crate::bounded;
use crate::caller::{CallerArgs, CallerContext};
use crate::error::CliError;
use crate::local::LocalGateway;
use crate::tokens::{DeclaredCallers, bad_target, mint};
use crate::ui::Ui;

/// Flags of many callers.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Caller")]
pub(super) struct ManyCallersArgs {
    /// Number of subjects, `load-1` and so on, that the local gateway creates tokens for; connections use them in turn
    #[arg(long, value_name = "N", conflicts_with_all = ["token_source", "caller", "tokens"], value_parser = clap::value_parser!(u32).range(1..=10_000))]
    callers: Option<u32>,

    /// File with a token in each line; connections use them in turn
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token_source", "caller"])]
    tokens: Option<PathBuf>,
}

impl ManyCallersArgs {
    /// Returns the targets that connections use in turn.
    pub(super) async fn targets(
        &self,
        caller: &CallerArgs,
        target: ProbeTarget,
        local: Option<&LocalGateway>,
        declared: Option<DeclaredCallers>,
        ui: &Ui,
    ) -> Result<Vec<ProbeTarget>, CliError> {
        let token_in = caller.placement(declared.as_ref());
        let tokens = match (self.callers, &self.tokens, local) {
            (Some(callers), _, Some(local)) => minted(local, callers).await?,
            (Some(_), _, None) => {
                let error = CliError::input("`--callers` creates tokens of the local gateway");
                return Err(error.hint("use `--local`, or give tokens with `--tokens FILE`"));
            }
            (_, Some(path), _) => from_file(path)?,
            _ => Vec::new(),
        };
        let target = match tokens.is_empty() {
            true => {
                let known = CallerContext { local, declared };
                caller.apply(target, &known, ui).await?.0
            }
            false => caller.request(target)?,
        };
        let target = target.for_many_connections();
        let target = target.map_err(|error| CliError::failed(error.to_string()))?;
        if tokens.is_empty() {
            return Ok(vec![target]);
        }
        let with_token = |token: &Secret| with_token(target.clone(), token, &token_in);
        tokens.iter().map(with_token).collect()
    }
}

fn with_token(
    target: ProbeTarget,
    token: &Secret,
    token_in: &TokenPlacement,
) -> Result<ProbeTarget, CliError> {
    target.token(token, token_in).map_err(bad_target)
}

async fn minted(local: &LocalGateway, callers: u32) -> Result<Vec<Secret>, CliError> {
    let remote = local.remote();
    let mut tokens = Vec::new();
    for number in 1..=callers {
        let subject = format!("load-{number}");
        tokens.push(Secret::new(mint(&remote, &subject).await?));
    }
    Ok(tokens)
}

fn from_file(path: &Path) -> Result<Vec<Secret>, CliError> {
    let failed = |reason: String| {
        CliError::input(format!("cannot read {}: {reason}", path.display())).file(path)
    };
    let bytes =
        bounded::read(path, bounded::MAX_JSON).map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8 text".to_owned()))?;
    let tokens: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(Secret::new)
        .collect();
    match tokens.is_empty() {
        true => Err(failed("it has no token".to_owned())),
        false => Ok(tokens),
    }
}
