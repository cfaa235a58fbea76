//! Caller of a probe, its token and the token's placement.

use stackgen_gateway::gateway::TokenRequest;
use stackgen_probe::{ProbeCaller, ProbeTarget, Secret, TokenPlacement};
use stackgen_synth::spec::{Authorizer, Callers};

use super::invalid_target;
use crate::error::CliError;
use crate::local::Local;
use crate::ui::Ui;

/// Caller that connects.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Caller")]
pub(crate) struct CallerArgs {
    /// `anonymous`, `authenticated`, or the subject to mint a token for
    #[arg(long = "as", value_name = "CALLER")]
    caller: Option<String>,

    /// Token; prefer `--token-env`, which keeps it out of the process list and the shell history
    #[arg(long, value_name = "TOKEN", group = "token_source")]
    token: Option<HiddenArg>,

    /// Environment variable that contains the token
    #[arg(long, value_name = "VAR", group = "token_source")]
    token_env: Option<String>,

    /// Subject for which the local gateway mints a token
    #[arg(long, value_name = "SUB", group = "token_source", requires = "local")]
    mint: Option<String>,

    /// Placement of the token: `query[:NAME]`, `header[:NAME]` or `subprotocol` (default: the stack's identity source, or
    /// `query:token`)
    #[arg(long, value_name = "PLACEMENT", value_parser = placement)]
    token_in: Option<TokenPlacement>,

    /// Header to send, `Name: value`; the value is never shown
    #[arg(long = "header", short = 'H', value_name = "HEADER")]
    headers: Vec<HiddenArg>,

    /// Query parameter to send, `name=value`
    #[arg(long = "query", value_name = "NAME=VALUE")]
    query: Vec<HiddenArg>,

    /// Subprotocol to offer
    #[arg(long = "subprotocol", value_name = "NAME")]
    subprotocols: Vec<HiddenArg>,

    /// User-Agent header to send
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
}

/// Argument that may contain a secret. Its `Debug` output hides the value.
#[derive(Clone)]
struct HiddenArg(String);

impl std::str::FromStr for HiddenArg {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(HiddenArg(text.to_owned()))
    }
}

impl std::fmt::Debug for HiddenArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(stackgen_probe::HIDDEN)
    }
}

fn placement(text: &str) -> Result<TokenPlacement, String> {
    let (kind, name) = match text.split_once(':') {
        Some((_, "")) => return Err("a name must follow the colon".to_owned()),
        Some((kind, name)) => (kind, Some(name.to_owned())),
        None => (text, None),
    };
    let name_or = |default: &str| name.clone().unwrap_or_else(|| default.to_owned());
    match kind {
        "query" => Ok(TokenPlacement::Query(name_or("token"))),
        "header" => Ok(TokenPlacement::Header(name_or("Authorization"))),
        "subprotocol" if name.is_none() => Ok(TokenPlacement::Subprotocol),
        _ => Err("use `query[:NAME]`, `header[:NAME]` or `subprotocol`".to_owned()),
    }
}

/// Sources of information about callers.
pub(crate) struct CallerSources<'a> {
    pub(crate) local: Option<&'a Local>,
    pub(crate) declared: Option<DeclaredCallers>,
}

/// Callers that a project file declares.
pub(crate) struct DeclaredCallers {
    /// Kinds of callers; `None` without an authorizer.
    callers: Option<Callers>,
    /// Placement of the token according to the authorizer's identity sources.
    placement: Option<TokenPlacement>,
}

impl DeclaredCallers {
    pub(crate) fn new(authorizer: Option<&Authorizer>) -> Self {
        let sources = authorizer.map(|authorizer| authorizer.identity_source.as_slice());
        let placement = |source: &String| {
            let header = source.strip_prefix("route.request.header.");
            let query = source.strip_prefix("route.request.querystring.");
            let header = header.map(|name| TokenPlacement::Header(name.to_owned()));
            header.or_else(|| query.map(|name| TokenPlacement::Query(name.to_owned())))
        };
        DeclaredCallers {
            callers: authorizer.map(|authorizer| authorizer.callers),
            placement: sources.unwrap_or_default().iter().find_map(placement),
        }
    }
}

impl CallerArgs {
    /// Adds everything that the caller sends to the target.
    pub(crate) async fn apply(
        &self,
        mut target: ProbeTarget,
        sources: &CallerSources<'_>,
        ui: &Ui,
    ) -> Result<(ProbeTarget, ProbeCaller), CliError> {
        for parameter in &self.query {
            let (name, value) = parameter.0.split_once('=').ok_or_else(|| {
                CliError::input("a query parameter has no `=`").hint("write `--query name=value`")
            })?;
            target = target.query(name, value);
        }
        for header in &self.headers {
            let (name, value) = header.0.split_once(':').ok_or_else(|| {
                CliError::input("a header has no colon").hint("write `--header 'Name: value'`")
            })?;
            target = target
                .header(name.trim(), value.trim())
                .map_err(invalid_target)?;
        }
        if let Some(user_agent) = &self.user_agent {
            target = target
                .header("User-Agent", user_agent)
                .map_err(invalid_target)?;
        }
        for subprotocol in &self.subprotocols {
            target = target.subprotocol(&subprotocol.0).map_err(invalid_target)?;
        }
        let Some((token, name)) = self.token(sources).await? else {
            warn_about_declaration(None, sources, ui);
            return Ok((target, ProbeCaller::Anonymous));
        };
        let declared = sources
            .declared
            .as_ref()
            .and_then(|declared| declared.placement.clone());
        let default = || TokenPlacement::Query("token".to_owned());
        let placement = self.token_in.clone().or(declared).unwrap_or_else(default);
        warn_about_declaration(Some(&placement), sources, ui);
        let caller = ProbeCaller::with_token(name, &placement);
        Ok((
            target.token(&token, &placement).map_err(invalid_target)?,
            caller,
        ))
    }

    /// Returns the token and its subject, or `None` for anonymous callers.
    async fn token(
        &self,
        sources: &CallerSources<'_>,
    ) -> Result<Option<(Secret, Option<String>)>, CliError> {
        let named = self
            .caller
            .as_deref()
            .filter(|caller| !["anonymous", "authenticated"].contains(caller));
        let name = || named.map(str::to_owned);
        let given = match (&self.token, &self.token_env) {
            (Some(token), _) => Some(token.0.clone()),
            (None, Some(variable)) => Some(from_environment(variable)?),
            (None, None) => None,
        };
        let anonymous = self.caller.as_deref() == Some("anonymous");
        if anonymous && (given.is_some() || self.mint.is_some() || self.token_in.is_some()) {
            return Err(CliError::input("anonymous callers have no token")
                .hint("remove `--as anonymous` or the token"));
        }
        if let Some(token) = given {
            return Ok(Some((Secret::new(token), name())));
        }
        let subject = self.mint.as_deref().or(named);
        match (subject, sources.local, self.caller.as_deref()) {
            (Some(subject), Some(local), _) => {
                let token = mint(local, subject).await?;
                Ok(Some((Secret::new(token), Some(subject.to_owned()))))
            }
            (None, Some(local), Some("authenticated")) => {
                let token = mint(local, "probe").await?;
                Ok(Some((Secret::new(token), Some("probe".to_owned()))))
            }
            (Some(_), None, _) | (None, None, Some("authenticated")) => Err(CliError::input(
                "this caller needs a token",
            )
            .hint(
                "name the variable that contains it with `--token-env VAR`; with `--local`, the gateway mints one",
            )),
            _ => Ok(None),
        }
    }
}

/// Lets the local gateway's issuer mint a token.
async fn mint(local: &Local, subject: &str) -> Result<String, CliError> {
    let tokens = TokenRequest {
        subject: subject.to_owned(),
        ..TokenRequest::default()
    };
    Ok(local.remote().mint(&tokens).await?)
}

fn from_environment(variable: &str) -> Result<String, CliError> {
    match std::env::var(variable) {
        Ok(token) if !token.is_empty() => Ok(token),
        _ => Err(CliError::input(format!(
            "the environment variable {variable} contains no token"
        ))
        .hint("set it to the token")),
    }
}

/// Prints a note if the caller does not match the stack's declaration.
fn warn_about_declaration(
    placement: Option<&TokenPlacement>,
    sources: &CallerSources<'_>,
    ui: &Ui,
) {
    let Some(declared) = &sources.declared else {
        return;
    };
    match (declared.callers, placement) {
        (Some(Callers::Authenticated), None) => ui.note(
            "all callers of this stack must be authenticated: API Gateway answers anonymous callers with 401",
            Some("check that with `--expect-status 401`"),
        ),
        (None, Some(_)) => ui.note("this stack has no authorizer: API Gateway does not check the token", None),
        (Some(_), Some(placement)) if declared.placement.as_ref().is_some_and(|declared| declared != placement) => {
            ui.note(
                "the token is not sent in the authorizer's identity source",
                Some("API Gateway answers 401 without calling the authorizer (row A2)"),
            );
        }
        _ => {}
    }
}
