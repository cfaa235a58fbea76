//! Who connects, and how that is told to the API.

use stackgen_gateway::gateway::TokenRequest;
use stackgen_probe::{Caller, Secret, Target, TokenIn};
use stackgen_synth::spec::{Authorizer, Callers};

use super::refused;
use crate::error::CliError;
use crate::local::Local;
use crate::ui::Ui;

/// Who connects.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Who connects")]
pub(crate) struct CallerArgs {
    /// `anonymous`, `authenticated`, or whom a token is minted for
    #[arg(long = "as", value_name = "WHO")]
    who: Option<String>,

    /// The token; `--token-env` keeps it out of the list of processes and of the shell's history
    #[arg(long, value_name = "TOKEN", group = "token_source")]
    token: Option<HiddenArg>,

    /// The environment variable that holds the token
    #[arg(long, value_name = "VAR", group = "token_source")]
    token_env: Option<String>,

    /// Have the local gateway mint a token for this subject
    #[arg(long, value_name = "SUB", group = "token_source", requires = "local")]
    mint: Option<String>,

    /// How the token travels: `query[:NAME]`, `header[:NAME]` or `subprotocol`; as the stack's identity source says, or
    /// `query:token`, when left out
    #[arg(long, value_name = "WAY", value_parser = way)]
    token_in: Option<TokenIn>,

    /// A header, `Name: value`; values are shown nowhere
    #[arg(long = "header", short = 'H', value_name = "HEADER")]
    headers: Vec<HiddenArg>,

    /// A query parameter, `name=value`
    #[arg(long = "query", value_name = "NAME=VALUE")]
    query: Vec<HiddenArg>,

    /// A subprotocol to offer
    #[arg(long = "subprotocol", value_name = "NAME")]
    subprotocols: Vec<HiddenArg>,

    /// What the client calls itself
    #[arg(long, value_name = "TEXT")]
    user_agent: Option<String>,
}

/// An argument that may hold a secret: no `Debug` shows it.
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

fn way(text: &str) -> Result<TokenIn, String> {
    let (way, name) = match text.split_once(':') {
        Some((_, "")) => return Err("a name is missing behind the colon".to_owned()),
        Some((way, name)) => (way, Some(name.to_owned())),
        None => (text, None),
    };
    let named = |usual: &str| name.clone().unwrap_or_else(|| usual.to_owned());
    match way {
        "query" => Ok(TokenIn::Query(named("token"))),
        "header" => Ok(TokenIn::Header(named("Authorization"))),
        "subprotocol" if name.is_none() => Ok(TokenIn::Subprotocol),
        _ => Err("it is `query[:NAME]`, `header[:NAME]` or `subprotocol`".to_owned()),
    }
}

/// What is known about callers.
pub(crate) struct Known<'a> {
    pub(crate) local: Option<&'a Local>,
    pub(crate) declared: Option<Declared>,
}

/// What a stackgen.yaml says about callers.
pub(crate) struct Declared {
    /// `None` without an authorizer.
    callers: Option<Callers>,
    /// How a token travels by the authorizer's identity sources.
    way: Option<TokenIn>,
}

impl Declared {
    pub(crate) fn new(authorizer: Option<&Authorizer>) -> Self {
        let sources = authorizer.map(|authorizer| authorizer.identity_source.as_slice());
        let way = |source: &String| {
            let header = source.strip_prefix("route.request.header.");
            let query = source.strip_prefix("route.request.querystring.");
            let header = header.map(|name| TokenIn::Header(name.to_owned()));
            header.or_else(|| query.map(|name| TokenIn::Query(name.to_owned())))
        };
        Declared {
            callers: authorizer.map(|authorizer| authorizer.callers),
            way: sources.unwrap_or_default().iter().find_map(way),
        }
    }
}

impl CallerArgs {
    /// The target with all that the caller brings along.
    pub(crate) async fn apply(
        &self,
        mut target: Target,
        known: &Known<'_>,
        ui: &Ui,
    ) -> Result<(Target, Caller), CliError> {
        for parameter in &self.query {
            let (name, value) = parameter.0.split_once('=').ok_or_else(|| {
                CliError::input("a query parameter has no `=`").hint("`--query name=value`")
            })?;
            target = target.query(name, value);
        }
        for header in &self.headers {
            let (name, value) = header.0.split_once(':').ok_or_else(|| {
                CliError::input("a header has no colon").hint("`--header 'Name: value'`")
            })?;
            target = target.header(name.trim(), value.trim()).map_err(refused)?;
        }
        if let Some(user_agent) = &self.user_agent {
            target = target.header("User-Agent", user_agent).map_err(refused)?;
        }
        for subprotocol in &self.subprotocols {
            target = target.subprotocol(&subprotocol.0).map_err(refused)?;
        }
        let Some((token, name)) = self.token(known).await? else {
            warn_of(None, known, ui);
            return Ok((target, Caller::Anonymous));
        };
        let declared = known
            .declared
            .as_ref()
            .and_then(|declared| declared.way.clone());
        let usual = || TokenIn::Query("token".to_owned());
        let way = self.token_in.clone().or(declared).unwrap_or_else(usual);
        warn_of(Some(&way), known, ui);
        let caller = Caller::with(name, &way);
        Ok((target.token(&token, &way).map_err(refused)?, caller))
    }

    /// The token, and whose it is; none for the anonymous.
    async fn token(&self, known: &Known<'_>) -> Result<Option<(Secret, Option<String>)>, CliError> {
        let named = self
            .who
            .as_deref()
            .filter(|who| !["anonymous", "authenticated"].contains(who));
        let owner = || named.map(str::to_owned);
        let given = match (&self.token, &self.token_env) {
            (Some(token), _) => Some(token.0.clone()),
            (None, Some(variable)) => Some(from_environment(variable)?),
            (None, None) => None,
        };
        let anonymous = self.who.as_deref() == Some("anonymous");
        if anonymous && (given.is_some() || self.mint.is_some() || self.token_in.is_some()) {
            return Err(CliError::input("the anonymous bring no token")
                .hint("leave `--as anonymous` or the token out"));
        }
        if let Some(token) = given {
            return Ok(Some((Secret::new(token), owner())));
        }
        let subject = self.mint.as_deref().or(named);
        match (subject, known.local, self.who.as_deref()) {
            (Some(subject), Some(local), _) => {
                let token = mint(local, subject).await?;
                Ok(Some((Secret::new(token), Some(subject.to_owned()))))
            }
            (None, Some(local), Some("authenticated")) => {
                let token = mint(local, "probe").await?;
                Ok(Some((Secret::new(token), Some("probe".to_owned()))))
            }
            (Some(_), None, _) | (None, None, Some("authenticated")) => Err(CliError::input(
                "which token do they bring?",
            )
            .hint(
                "`--token-env VAR` names the variable that holds it; with `--local`, one is minted",
            )),
            _ => Ok(None),
        }
    }
}

/// Has the local gateway's issuer mint a token.
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
        _ => Err(CliError::input(format!("{variable} holds no token"))
            .hint("it has to be set, and not empty")),
    }
}

/// Says what the stack declares where that is something else than what is done.
fn warn_of(way: Option<&TokenIn>, known: &Known<'_>, ui: &Ui) {
    let Some(declared) = &known.declared else {
        return;
    };
    match (declared.callers, way) {
        (Some(Callers::Authenticated), None) => ui.note(
            "all callers of this stack are authenticated: API Gateway answers the anonymous with 401",
            Some("`--expect-status 401` checks that"),
        ),
        (None, Some(_)) => ui.note("this stack has no authorizer: nobody looks at the token", None),
        (Some(_), Some(way)) if declared.way.as_ref().is_some_and(|declared| declared != way) => {
            ui.note(
                "the token travels in another way than the authorizer's identity source says",
                Some("API Gateway answers 401 without asking the authorizer (row A2)"),
            );
        }
        _ => {}
    }
}
