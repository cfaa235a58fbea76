//! The log groups of a stage, and what its settings leave out of them.

use stackgen_deploy::account::{AccountRegion, ApiDescription, ApiPartKind};
use stackgen_deploy::stack::GatewaySettings;
use stackgen_deploy::{
    Account, AccountError, AccountErrorKind, ApiId, DeployError, FunctionName, OperationContext,
    StageName,
};

use super::access_format::AccessFormat;
use super::entry::{LogSource, SourceKind};
use super::gap::{self, GapKind, LogGap};
use super::ports::{
    FunctionLogSettings, LogGroupSummary, LogService, LogSettingsReader, StageLogSettings,
};

/// A stage whose logs are read.
#[derive(Clone, Copy, Debug)]
pub struct LoggedStage<'a> {
    /// The API.
    pub api: &'a ApiId,
    /// The stage; `None` if it is not known.
    pub stage: Option<&'a StageName>,
    /// Functions of the stack, for an API whose integrations cannot be read.
    pub functions: &'a [FunctionName],
}

/// The log groups of a stage.
#[derive(Debug, Default)]
pub struct LogSources {
    /// Groups that exist, or whose existence is unknown.
    pub sources: Vec<LogSource>,
    /// Gaps in the logs, and the settings that close them.
    pub gaps: Vec<LogGap>,
    /// Calls that the caller may not make.
    pub denied: Vec<AccountError>,
}

/// Calls that finding log groups needs.
pub trait LogDiscovery: Account + LogService + LogSettingsReader + GatewaySettings {}

impl<T: Account + LogService + LogSettingsReader + GatewaySettings> LogDiscovery for T {}

/// Functions of an API.
#[derive(Debug, Default)]
struct ApiFunctions {
    authorizers: Vec<FunctionName>,
    routes: Vec<FunctionName>,
}

/// Finds the log groups of a stage. A call that the caller may not make leaves out what it would find.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn find_sources(
    account: &impl LogDiscovery,
    stage: LoggedStage<'_>,
    ctx: OperationContext<'_>,
) -> Result<LogSources, DeployError> {
    let mut finder = SourceFinder {
        account,
        ctx,
        found: LogSources::default(),
    };
    let mut settings = None;
    if let Some(name) = stage.stage {
        let read = ctx.read(|| account.stage_logs(stage.api, name)).await;
        settings = finder.allowed(read)?;
    }
    if let Some(settings) = &settings {
        finder.add_access_log(settings);
        finder.add_execution_log(stage, settings).await?;
    }
    let functions = finder.functions(stage).await?;
    for (functions, kind) in [
        (&functions.authorizers, SourceKind::Authorizer),
        (&functions.routes, SourceKind::Function),
    ] {
        for function in functions {
            finder.add_function(function, kind.clone()).await?;
        }
    }
    finder.describe_groups().await?;
    if let Some(settings) = &settings {
        finder.add_stage_gaps(settings).await?;
    }
    Ok(finder.found)
}

struct SourceFinder<'a, A> {
    account: &'a A,
    ctx: OperationContext<'a>,
    found: LogSources,
}

impl<A: LogDiscovery> SourceFinder<'_, A> {
    /// Returns the result of a call; `None` if the caller may not make it, which is recorded.
    fn allowed<T>(&mut self, read: Result<T, DeployError>) -> Result<Option<T>, DeployError> {
        match read {
            Ok(found) => Ok(Some(found)),
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::AccessDenied => {
                if self
                    .found
                    .denied
                    .iter()
                    .all(|known| known.permission != error.permission)
                {
                    self.found.denied.push(error);
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn add(&mut self, name: &str, group: &str, kind: SourceKind) {
        if self.found.sources.iter().any(|known| known.group == group) {
            return;
        }
        self.found.sources.push(LogSource::new(name, group, kind));
    }

    fn add_access_log(&mut self, settings: &StageLogSettings) {
        let format = settings.access_log_format.as_deref().unwrap_or_default();
        if let Some(group) = settings.access_log_group() {
            let format = AccessFormat::parse(format);
            self.add("access", group, SourceKind::Access(format));
        }
    }

    /// Adds the execution log.
    async fn add_execution_log(
        &mut self,
        stage: LoggedStage<'_>,
        settings: &StageLogSettings,
    ) -> Result<(), DeployError> {
        let Some(name) = stage.stage else {
            return Ok(());
        };
        let group = LogSource::execution_group(stage.api, name);
        if settings.has_execution_log() {
            self.add("execution", &group, SourceKind::Execution);
        }
        Ok(())
    }

    /// Returns the functions that the API invokes; those of the stack if the caller may not read the API.
    async fn functions(&mut self, stage: LoggedStage<'_>) -> Result<ApiFunctions, DeployError> {
        let (account, ctx) = (self.account, self.ctx);
        let read = ApiDescription::read(account, stage.api, ctx).await;
        let region = ctx.read(|| account.account_region()).await;
        let (read, region) = (self.allowed(read)?, self.allowed(region)?);
        let mut found = match &read {
            Some(api) => functions_of(api, region.as_ref()),
            None => ApiFunctions::default(),
        };
        if read.is_none() {
            // One denied list hides the others, and each can be read alone.
            for kind in [ApiPartKind::Integration, ApiPartKind::Authorizer] {
                let parts = ctx.read(|| account.parts(stage.api, kind, None)).await;
                let parts = self.allowed(parts)?.unwrap_or_default();
                let api = ApiDescription {
                    api: serde_json::Map::new(),
                    parts,
                };
                let more = functions_of(&api, region.as_ref());
                found.authorizers.extend(more.authorizers);
                found.routes.extend(more.routes);
            }
        }
        for function in stage.functions {
            let known = found.authorizers.iter().chain(&found.routes);
            if read.is_none() && known.clone().all(|known| known != function) {
                found.routes.push(function.clone());
            }
        }
        Ok(found)
    }

    async fn add_function(
        &mut self,
        function: &FunctionName,
        kind: SourceKind,
    ) -> Result<(), DeployError> {
        let account = self.account;
        let read = self.ctx.read(|| account.function_logs(function)).await;
        let settings = match read {
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::NotFound => {
                self.found.gaps.push(gap::no_function(function));
                return Ok(());
            }
            read => self.allowed(read)?,
        };
        // Without the settings, this is the group of nearly every function.
        let settings = settings.unwrap_or_else(|| FunctionLogSettings {
            group: format!("/aws/lambda/{function}"),
            ..FunctionLogSettings::default()
        });
        self.found
            .gaps
            .extend(gap::of_function(function, &settings));
        self.add(function.as_str(), &settings.group, kind);
        Ok(())
    }

    /// Looks up all groups, and drops those that do not exist.
    async fn describe_groups(&mut self) -> Result<(), DeployError> {
        let (account, ctx) = (self.account, self.ctx);
        let mut sources = std::mem::take(&mut self.found.sources);
        let mut kept = Vec::new();
        for mut source in sources.drain(..) {
            let read = ctx.read(|| account.log_groups(&source.group)).await;
            match self.allowed(read)? {
                None => kept.push(source),
                Some(groups) => match groups.into_iter().find(|group| group.name == source.group) {
                    Some(group) => {
                        source.describe(group);
                        kept.push(source);
                    }
                    None => self.found.gaps.push(gap::no_group(&source)),
                },
            }
        }
        self.found.sources = kept;
        Ok(())
    }

    async fn add_stage_gaps(&mut self, settings: &StageLogSettings) -> Result<(), DeployError> {
        let gaps = gap::of_stage(settings);
        let is_off = gaps.iter().any(|gap| gap.kind != GapKind::Other);
        self.found.gaps.extend(gaps);
        if is_off {
            let account = self.account;
            let role = match self.ctx.read(|| account.log_role()).await {
                // Emulators often lack this call.
                Err(DeployError::Account(error)) if is_unsupported(&error) => None,
                read => self.allowed(read)?,
            };
            if role == Some(None) {
                self.found.gaps.push(gap::no_role());
            }
        }
        Ok(())
    }
}

impl LogSource {
    fn describe(&mut self, group: LogGroupSummary) {
        self.arn = Some(group.arn);
        self.stored_bytes = Some(group.stored_bytes);
        self.retention_days = group.retention_days;
        self.created = Some(group.created);
    }

    /// Creates a source for a log group that the user named.
    pub fn named(group: &str) -> LogSource {
        let name = group.rsplit('/').next().unwrap_or(group);
        LogSource::new(name, group, SourceKind::Named)
    }

    /// Returns the name of the group of a stage's execution log, as API Gateway names it for WebSocket APIs.
    pub(crate) fn execution_group(api: &ApiId, stage: &StageName) -> String {
        format!("/aws/apigateway/{api}/{stage}")
    }

    /// Returns a source of which only the name is known yet.
    pub(crate) fn new(name: &str, group: &str, kind: SourceKind) -> LogSource {
        LogSource {
            name: name.to_owned(),
            group: group.to_owned(),
            arn: None,
            stored_bytes: None,
            retention_days: None,
            created: None,
            kind,
        }
    }
}

fn is_unsupported(error: &AccountError) -> bool {
    matches!(
        error.kind,
        AccountErrorKind::NotFound | AccountErrorKind::Refused
    )
}

/// Returns the functions of authorizers, and of integrations, each once.
fn functions_of(api: &ApiDescription, region: Option<&AccountRegion>) -> ApiFunctions {
    let of_kind = |kind: ApiPartKind| {
        let parts = api.parts.iter().filter(|part| part.kind == kind);
        let invoked = parts.filter_map(stackgen_deploy::account::ApiPart::invocation);
        let here = invoked.filter(|uri| region.is_none_or(|region| uri.is_in(region)));
        let mut names: Vec<_> = here.map(|uri| uri.function).collect();
        names.sort();
        names.dedup();
        names
    };
    let routes = of_kind(ApiPartKind::Integration);
    let mut authorizers = of_kind(ApiPartKind::Authorizer);
    authorizers.retain(|name| !routes.contains(name));
    ApiFunctions {
        authorizers,
        routes,
    }
}
