//! Callers of a replay: their targets, tokens and secrets.

use std::collections::{BTreeMap, HashMap};

use stackgen_gateway::apis::ProtocolType;
use stackgen_gateway::gateway::{ApiEndpoint, GatewayState, RemoteGateway};
use stackgen_probe::{ProbeTarget, RecordedOpen, Recording, ReplayCaller, RequestError, Secret};

use crate::error::CliError;
use crate::tokens::{HiddenArg, bad_target, mint, token_from_environment};
use crate::values::name_and_value;

/// Flags of callers.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Callers")]
pub(super) struct ReplayCallerArgs {
    /// Token of all callers; prefer `--token-env`, which keeps it out of process lists and shell history
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_env")]
    token: Option<HiddenArg>,

    /// Environment variable that holds the token of all callers
    #[arg(long, value_name = "VAR")]
    token_env: Option<String>,

    /// Name of a caller, and the environment variable that holds its token; repeatable
    #[arg(long = "caller", value_name = "NAME=VAR", value_parser = name_and_value)]
    callers: Vec<(String, String)>,

    /// Name of a secret in the recording, such as `secret-1`, and the environment variable that holds it; repeatable
    #[arg(long = "secret", value_name = "NAME=VAR", value_parser = name_and_value)]
    secrets: Vec<(String, String)>,
}

/// APIs of a local gateway, and its issuer.
pub(super) struct LocalStages<'a> {
    pub(super) state: &'a GatewayState,
    pub(super) remote: RemoteGateway,
    /// URL of the stage that flags select. A recorded stage replaces its path.
    pub(super) selected: Option<String>,
}

impl ReplayCallerArgs {
    /// Reads the secrets that the recording needs.
    pub(super) fn secrets(&self, recording: &Recording) -> Result<BTreeMap<u32, Secret>, CliError> {
        let mut secrets = BTreeMap::new();
        for (name, variable) in &self.secrets {
            let number = name
                .strip_prefix("secret-")
                .and_then(|number| number.parse().ok());
            let number: u32 = number.ok_or_else(|| {
                CliError::input(format!("{name:?} is not the name of a secret"))
                    .hint("write a name from the recording without `<` and `>`: secret-1")
            })?;
            secrets.insert(number, Secret::new(token_from_environment(variable)?));
        }
        let needed = recording.opens().flat_map(|(_, open)| open.secrets());
        for number in needed.chain(recording.sent_secrets()) {
            if !secrets.contains_key(&number) {
                return Err(no_secret(number));
            }
        }
        Ok(secrets)
    }

    /// Returns the callers for stages of a local gateway. Callers without a given token get one of its issuer.
    pub(super) async fn local(
        &self,
        recording: &Recording,
        stages: &LocalStages<'_>,
        secrets: &BTreeMap<u32, Secret>,
    ) -> Result<BTreeMap<u32, ReplayCaller>, CliError> {
        if stages.selected.is_some() {
            require_one_api(recording)?;
        }
        let mut minted: HashMap<String, Secret> = HashMap::new();
        let mut callers = BTreeMap::new();
        for (number, open) in recording.opens() {
            let mut token = self.token_of(open)?;
            if token.is_none() && open.needs_token() {
                let name = name_of(open);
                if !minted.contains_key(name) {
                    let created = Secret::new(mint(&stages.remote, name).await?);
                    minted.insert(name.to_owned(), created);
                }
                token = minted.get(name).cloned();
            }
            let target = ProbeTarget::new(&stages.url(open)?).map_err(bad_target)?;
            callers.insert(number, caller(open, target, token, secrets)?);
        }
        Ok(callers)
    }

    /// Returns the callers for one stage.
    pub(super) fn remote(
        &self,
        recording: &Recording,
        target: &ProbeTarget,
        secrets: &BTreeMap<u32, Secret>,
    ) -> Result<BTreeMap<u32, ReplayCaller>, CliError> {
        require_one_api(recording)?;
        let mut callers = BTreeMap::new();
        for (number, open) in recording.opens() {
            let token = self.token_of(open)?;
            callers.insert(number, caller(open, target.clone(), token, secrets)?);
        }
        Ok(callers)
    }

    fn token_of(&self, open: &RecordedOpen) -> Result<Option<Secret>, CliError> {
        if !open.needs_token() {
            return Ok(None);
        }
        let name = name_of(open);
        let own = self.callers.iter().find(|(caller, _)| caller == name);
        let variable = own
            .map(|(_, variable)| variable)
            .or(self.token_env.as_ref());
        match (variable, &self.token) {
            (Some(variable), _) => Ok(Some(Secret::new(token_from_environment(variable)?))),
            (None, Some(token)) => Ok(Some(Secret::new(token.text()))),
            (None, None) => Ok(None),
        }
    }
}

impl LocalStages<'_> {
    /// Returns the URL of a recorded handshake's API.
    fn url(&self, open: &RecordedOpen) -> Result<String, CliError> {
        if let Some(selected) = &self.selected {
            return Ok(selected.clone());
        }
        let mut apis = self.websocket_apis();
        let api = match &open.api {
            Some(name) => apis.find(|api| api.name == *name),
            None => apis.next().filter(|_| apis.next().is_none()),
        };
        let names: Vec<_> = self.websocket_apis().map(|api| api.name.as_str()).collect();
        let api = api.ok_or_else(|| {
            let message = match &open.api {
                Some(name) => format!("the local gateway has no API {name:?}"),
                None => format!("the local gateway has {} WebSocket APIs", names.len()),
            };
            let hint = format!(
                "write one of them as `api` into `open`: {}",
                names.join(", ")
            );
            CliError::input(message).hint(hint)
        })?;
        // A recorded stage replaces the path.
        let stage = api.stages.first().map(|stage| stage.url.clone());
        Ok(stage.unwrap_or_else(|| api.endpoint.clone()))
    }

    fn websocket_apis(&self) -> impl Iterator<Item = &ApiEndpoint> {
        let apis = self.state.apis.iter();
        apis.filter(|api| api.protocol_type == ProtocolType::WebSocket)
    }
}

/// Refuses recordings of several APIs, which one target cannot replace.
fn require_one_api(recording: &Recording) -> Result<(), CliError> {
    let mut apis: Vec<_> = recording.opens().map(|(_, open)| &open.api).collect();
    apis.dedup();
    match apis.len() {
        0 | 1 => Ok(()),
        _ => Err(
            CliError::input("the recording has connections to several APIs").hint(
                "play it against a local gateway and name no API: leave the target out, or use `--local`",
            ),
        ),
    }
}

fn name_of(open: &RecordedOpen) -> &str {
    open.caller.as_deref().unwrap_or("caller")
}

fn caller(
    open: &RecordedOpen,
    target: ProbeTarget,
    token: Option<Secret>,
    secrets: &BTreeMap<u32, Secret>,
) -> Result<ReplayCaller, CliError> {
    let target = open.request(target, token.as_ref(), secrets);
    let target = target.map_err(|error| match error {
        RequestError::NoToken(name) => {
            CliError::input(format!("the token of the caller {name:?} is not given")).hint(format!(
                "name the variable that holds it: `--caller {name}=VAR`, or `--token-env VAR` for all callers"
            ))
        }
        RequestError::NoSecret(number) => no_secret(number),
        RequestError::Target(error) => bad_target(error),
    })?;
    Ok(ReplayCaller { target, token })
}

fn no_secret(number: u32) -> CliError {
    CliError::input(format!(
        "the recording needs the value of <secret-{number}>"
    ))
    .hint(format!(
        "name the variable that holds it: `--secret secret-{number}=VAR`"
    ))
}
