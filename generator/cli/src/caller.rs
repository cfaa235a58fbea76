//! Callers of `stackgen probe` and `stackgen load`, and their tokens.

use stackgen_probe::{ProbeCaller, ProbeTarget, Secret, TokenPlacement};
use stackgen_synth::spec::Callers;

use crate::error::CliError;
use crate::local::LocalGateway;
use crate::tokens::{
    DeclaredCallers, HiddenArg, bad_target, mint, token_from_environment, transport,
};
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

/// Facts about callers of the target.
pub(crate) struct CallerContext<'a> {
    pub(crate) local: Option<&'a LocalGateway>,
    pub(crate) declared: Option<DeclaredCallers>,
}

impl CallerArgs {
    /// Adds all that the caller sends to the target.
    pub(crate) async fn apply(
        &self,
        target: ProbeTarget,
        known: &CallerContext<'_>,
        ui: &Ui,
    ) -> Result<(ProbeTarget, ProbeCaller), CliError> {
        let target = self.request(target)?;
        let Some((token, name)) = self.token(known).await? else {
            note_mismatch(None, known, ui);
            return Ok((target, ProbeCaller::Anonymous));
        };
        let token_in = self.placement(known.declared.as_ref());
        note_mismatch(Some(&token_in), known, ui);
        let caller = ProbeCaller::with_token(name, &token_in);
        Ok((target.token(&token, &token_in).map_err(bad_target)?, caller))
    }

    /// Adds query parameters, headers and subprotocols to the target.
    pub(crate) fn request(&self, mut target: ProbeTarget) -> Result<ProbeTarget, CliError> {
        for parameter in &self.query {
            let (name, value) = parameter.text().split_once('=').ok_or_else(|| {
                CliError::input("a query parameter has no `=`").hint("write `--query name=value`")
            })?;
            target = target.query(name, value);
        }
        for header in &self.headers {
            let (name, value) = header.text().split_once(':').ok_or_else(|| {
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
            target = target.subprotocol(subprotocol.text()).map_err(bad_target)?;
        }
        Ok(target)
    }

    /// Returns where handshakes carry the token.
    pub(crate) fn placement(&self, declared: Option<&DeclaredCallers>) -> TokenPlacement {
        let declared = declared.and_then(|declared| declared.token_in.clone());
        let default = || TokenPlacement::Query("token".to_owned());
        self.token_in.clone().or(declared).unwrap_or_else(default)
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
            (Some(token), _) => Some(token.text().to_owned()),
            (None, Some(variable)) => Some(token_from_environment(variable)?),
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
                let token = mint(&local.remote(), subject).await?;
                Ok(Some((Secret::new(token), Some(subject.to_owned()))))
            }
            (None, Some(local), Some("authenticated")) => {
                let token = mint(&local.remote(), "probe").await?;
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
