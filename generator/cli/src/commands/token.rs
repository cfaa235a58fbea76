//! `stackgen token`

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use stackgen_gateway::gateway::TokenRequest;

use crate::error::CliError;
use crate::local::LocalGateway;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::ui::Ui;
use crate::values::{duration, name_and_value};

/// Create a token that the local gateway's authorizers accept
///
/// Prints nothing but the token, for use in other commands. The issuer of the local gateway signs it, and authorizers verify
/// it as on AWS.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TokenCommand {
    /// Subject (`sub` claim)
    #[arg(
        long,
        value_name = "SUBJECT",
        required_unless_present = "rotate",
        help_heading = "Claims"
    )]
    sub: Option<String>,

    /// Audience (`aud` claim) (default: the one that the stack's authorizer accepts)
    #[arg(long, value_name = "AUDIENCE", help_heading = "Claims")]
    aud: Option<String>,

    /// Further claim, as text or JSON; repeatable
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim, help_heading = "Claims")]
    claims: Vec<(String, Json)>,

    /// Lifetime, such as `90s`, `11m` or `2h` (default: 1h)
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Claims")]
    lifetime: Option<Duration>,

    /// Create an access token in place of an ID token: `client_id` in place of `aud`
    #[arg(long, help_heading = "Claims")]
    access: bool,

    /// Sign with a new key from now on; tokens signed with the old key stay valid for an hour
    #[arg(long, help_heading = "Signing key")]
    rotate: bool,

    /// With `--rotate`: make tokens signed with the old key invalid at once
    #[arg(long, requires = "rotate", help_heading = "Signing key")]
    at_once: bool,

    /// Project file or template that the gateway runs
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "stackgen.yaml",
        help_heading = "Target"
    )]
    file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  stackgen token --sub ada
  wscat -c \"$URL?token=$(stackgen token --sub ada --claim role=admin)\"
  stackgen token --rotate --at-once";

fn claim(text: &str) -> Result<(String, Json), String> {
    let (name, value) = name_and_value(text)?;
    let value = serde_json::from_str(&value).unwrap_or_else(|_| Json::from(value));
    Ok((name, value))
}

impl TokenCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        block_on(self.mint(ui))
    }

    async fn mint(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let remote = LocalGateway::find(&self.file).await?.remote();
        let mut report = Map::new();
        if self.rotate {
            let id = remote.rotate(self.at_once).await?;
            ui.aside(&format!("tokens are signed with key {id} from now on"));
            report.insert("keyId".to_owned(), Json::from(id));
        }
        let Some(subject) = &self.sub else {
            if ui.wants_json() {
                ui.json_result(&report)?;
            }
            return Ok(CommandOutcome::Done);
        };
        let tokens = TokenRequest {
            subject: subject.clone(),
            audience: self.aud.clone(),
            access: self.access,
            lifetime_seconds: self.lifetime.map(|lifetime| lifetime.as_secs().max(1)),
            claims: self.claims.iter().cloned().collect::<Map<_, _>>(),
        };
        let token = remote.mint(&tokens).await?;
        match ui.wants_json() {
            true => {
                report.insert("token".to_owned(), Json::from(token));
                ui.json_result(&report)?;
            }
            false => ui.result(&format!("{token}\n"))?,
        }
        Ok(CommandOutcome::Done)
    }
}
