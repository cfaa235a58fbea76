//! `stackgen token`

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use stackgen_gateway::gateway::TokenRequest;

use crate::Outcome;
use crate::account::block_on;
use crate::args::duration;
use crate::error::CliError;
use crate::local::Local;
use crate::ui::Ui;

/// Mint a token that the local gateway's authorizers take
///
/// Prints the token and nothing else, so that it can stand in a command: `wscat -c "$URL?token=$(stackgen token --sub ada)"`.
/// The gateway's own issuer signs it; the authorizer verifies it as it would on AWS.
#[derive(clap::Args, Debug)]
pub(crate) struct TokenCommand {
    /// Whom it is of: the claim `sub`
    #[arg(long, value_name = "SUBJECT", required_unless_present = "rotate")]
    sub: Option<String>,

    /// Whom it is for; what the stack's authorizer takes when left out
    #[arg(long, value_name = "AUDIENCE")]
    aud: Option<String>,

    /// A claim; a value that is JSON is taken as such
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    claims: Vec<(String, Json)>,

    /// How long it is good for: `90s`, `11m`, `2h`; an hour when left out
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    lifetime: Option<Duration>,

    /// An access token in place of an ID token: `client_id` in place of `aud`
    #[arg(long)]
    access: bool,

    /// Sign with a new key from now on; tokens of the old one stay good for an hour
    #[arg(long)]
    rotate: bool,

    /// With `--rotate`: tokens of the old key are good no longer
    #[arg(long, requires = "rotate")]
    at_once: bool,

    /// The stackgen.yaml or template that the gateway runs
    #[arg(long, short, value_name = "FILE", default_value = "stackgen.yaml")]
    file: PathBuf,
}

fn claim(text: &str) -> Result<(String, Json), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| Json::from(value));
            Ok((name.to_owned(), value))
        }
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

impl TokenCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        block_on(self.mint(ui))
    }

    async fn mint(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let remote = Local::find(&self.file).await?.remote();
        let mut told = Map::new();
        if self.rotate {
            let id = remote.rotate(self.at_once).await?;
            ui.aside(&format!("tokens are signed with key {id} from now on"));
            told.insert("keyId".to_owned(), Json::from(id));
        }
        let Some(subject) = &self.sub else {
            if ui.wants_json() {
                ui.json_result(&told)?;
            }
            return Ok(Outcome::Done);
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
                told.insert("token".to_owned(), Json::from(token));
                ui.json_result(&told)?;
            }
            false => ui.result(&format!("{token}\n"))?,
        }
        Ok(Outcome::Done)
    }
}
