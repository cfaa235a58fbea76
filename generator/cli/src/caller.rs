//! Callers of a probe, and their tokens.

use stackgen_gateway::gateway::TokenRequest;
use stackgen_probe::{ProbeCaller, ProbeTarget, Secret, TargetError, TokenPlacement};
use stackgen_synth::spec::{AuthorizerSpec, Callers};

use crate::error::CliError;
use crate::local::LocalGateway;
use crate::ui::Ui;

/// Flags of the caller.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Caller")]
pub(crate) struct CallerArgs {
    /// `anonymous` (default), `authenticated` (token from another flag), or a subject to create a token for (`--local`)
    #[arg(long = "as", value_name = "CALLER")]
    caller: Option<String>,

    /// Token; prefer `--token-env`, which keeps it out of process lists and shell history
    #[arg(long, value_name = "TOKEN", group = "token_source")]
    token: Option<HiddenArg>,

    /// Environment variable that holds the token
    #[arg(long, value_name = "VAR", group = "token_source")]
    token_env: Option<String>,

    /// Subject for which the local gateway creates a token, even a subject named `anonymous` or `authenticated`
    #[arg(long, value_name = "SUB", group = "token_source", requires = "local")]
    mint: Option<String>,

    /// Transport of the token: `query[:NAME]`, `header[:NAME]` or `subprotocol` (default: the stack's, or `query:token`)
    #[arg(long, value_name = "TRANSPORT", value_parser = transport)]
    token_in: Option<TokenPlacement>,

    /// Header, `Name: value`, whose value is never shown; repeatable
    #[arg(long = "header", short = 'H', value_name = "HEADER")]
    headers: Vec<HiddenArg>,

    /// Query parameter; repeatable
    #[arg(long = "query", value_name = "NAME=VALUE")]
    query: Vec<HiddenArg>,

    /// Subprotocol to offer; repeatable
    #[arg(long = "subprotocol", value_name = "NAME")]
    subprotocols: Vec<HiddenArg>,

    /// `User-Agent` header
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
}

/// An argument that may contain a secret, which `Debug` does not show.
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

fn transport(text: &str) -> Result<TokenPlacement, String> {
    let (kind, name) = match text.split_once(':') {
        Some((_, "")) => return Err("write a name after the colon".to_owned()),
        Some((kind, name)) => (kind, Some(name.to_owned())),
        None => (text, None),
    };
    let named = |usual: &str| name.clone().unwrap_or_else(|| usual.to_owned());
    match kind {
        "query" => Ok(TokenPlacement::Query(named("token"))),
        "header" => Ok(TokenPlacement::Header(named("Authorization"))),
        "subprotocol" if name.is_none() => Ok(TokenPlacement::Subprotocol),
        _ => Err("write `query[:NAME]`, `header[:NAME]` or `subprotocol`".to_owned()),
    }
}

/// Facts about callers of the target.
pub(crate) struct CallerContext<'a> {
    pub(crate) local: Option<&'a LocalGateway>,
    pub(crate) declared: Option<DeclaredCallers>,
}

/// Callers that a project file declares.
pub(crate) struct DeclaredCallers {
    /// `None` without an authorizer.
    callers: Option<Callers>,
    /// Transport of tokens by the authorizer's identity source.
    token_in: Option<TokenPlacement>,
}

impl DeclaredCallers {
    pub(crate) fn new(authorizer: Option<&AuthorizerSpec>) -> Self {
        let sources = authorizer.map(|authorizer| authorizer.identity_source.as_slice());
        let token_in = |source: &String| {
            let header = source.strip_prefix("route.request.header.");
            let query = source.strip_prefix("route.request.querystring.");
            let header = header.map(|name| TokenPlacement::Header(name.to_owned()));
            header.or_else(|| query.map(|name| TokenPlacement::Query(name.to_owned())))
        };
        DeclaredCallers {
            callers: authorizer.map(|authorizer| authorizer.callers),
            token_in: sources.unwrap_or_default().iter().find_map(token_in),
        }
    }
}

impl CallerArgs {
    /// Adds all that the caller sends to the target.
    pub(crate) async fn apply(
        &self,
        mut target: ProbeTarget,
        known: &CallerContext<'_>,
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
                .map_err(bad_target)?;
        }
        if let Some(user_agent) = &self.user_agent {
            target = target
                .header("User-Agent", user_agent)
                .map_err(bad_target)?;
        }
        for subprotocol in &self.subprotocols {
            target = target.subprotocol(&subprotocol.0).map_err(bad_target)?;
        }
        let Some((token, name)) = self.token(known).await? else {
            note_mismatch(None, known, ui);
            return Ok((target, ProbeCaller::Anonymous));
        };
        let declared = known
            .declared
            .as_ref()
            .and_then(|declared| declared.token_in.clone());
        let default = || TokenPlacement::Query("token".to_owned());
        let token_in = self.token_in.clone().or(declared).unwrap_or_else(default);
        note_mismatch(Some(&token_in), known, ui);
        let caller = ProbeCaller::with_token(name, &token_in);
        Ok((target.token(&token, &token_in).map_err(bad_target)?, caller))
    }

    /// Returns the token and its subject; `None` for an anonymous caller.
    async fn token(
        &self,
        known: &CallerContext<'_>,
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
            return Err(CliError::input("an anonymous caller has no token")
                .hint("remove `--as anonymous` or the token"));
        }
        if let Some(token) = given {
            return Ok(Some((Secret::new(token), name())));
        }
        let subject = self.mint.as_deref().or(named);
        match (subject, known.local, self.caller.as_deref()) {
            (Some(subject), Some(local), _) => {
                let token = mint(local, subject).await?;
                Ok(Some((Secret::new(token), Some(subject.to_owned()))))
            }
            (None, Some(local), Some("authenticated")) => {
                let token = mint(local, "probe").await?;
                Ok(Some((Secret::new(token), Some("probe".to_owned()))))
            }
            (Some(_), None, _) | (None, None, Some("authenticated")) => Err(CliError::input(
                "no token is given",
            )
            .hint("name the variable that holds it with `--token-env VAR`; `--local` creates one")),
            _ => Ok(None),
        }
    }
}

/// Reports a URL, header or query parameter that cannot be used.
pub(super) fn bad_target(error: TargetError) -> CliError {
    CliError::input(error.to_string())
}

/// Creates a token with the local gateway's issuer.
async fn mint(local: &LocalGateway, subject: &str) -> Result<String, CliError> {
    let tokens = TokenRequest {
        subject: subject.to_owned(),
        ..TokenRequest::default()
    };
    Ok(local.remote().mint(&tokens).await?)
}

fn from_environment(variable: &str) -> Result<String, CliError> {
    match std::env::var(variable) {
        Ok(token) if !token.is_empty() => Ok(token),
        _ => Err(
            CliError::input(format!("the environment variable {variable} has no token"))
                .hint("set it to the token"),
        ),
    }
}

/// Notes differences between the caller and the declared callers.
fn note_mismatch(token_in: Option<&TokenPlacement>, known: &CallerContext<'_>, ui: &Ui) {
    let Some(declared) = &known.declared else {
        return;
    };
    match (declared.callers, token_in) {
        (Some(Callers::Authenticated), None) => ui.note(
            "this stack declares only authenticated callers: API Gateway answers anonymous ones with 401",
            Some("check that with `--expect-status 401`"),
        ),
        (None, Some(_)) => ui.note("this stack has no authorizer: the token is not checked", None),
        (Some(_), Some(used))
            if declared.token_in.as_ref().is_some_and(|declared| declared != used) => {
            ui.note(
                "the authorizer's identity source expects the token elsewhere",
                Some("API Gateway answers 401 without calling the authorizer (row A2)"),
            );
        }
        _ => {}
    }
}
