//! The stage whose logs are read, and its log groups.

use stackgen_deploy::selector::{ApiSelector, find_api, find_stage};
use stackgen_deploy::stack::StackReader as _;
use stackgen_deploy::{
    AccountErrorKind, ApiId, DeployError, FunctionName, OperationContext, StageName,
};
use stackgen_diagnose::logs::{
    ConnectionLives, LogGap, LogSource, LoggedStage, find_sources, no_close_codes,
};

use super::denied::DeniedCalls;
use crate::account::{AccountClient, StageTarget};
use crate::error::CliError;

/// A stage and its log groups.
#[derive(Debug)]
pub(super) struct LogTarget {
    pub(super) api: ApiId,
    pub(super) name: String,
    pub(super) stage: Option<StageName>,
    pub(super) sources: Vec<LogSource>,
    pub(super) gaps: Vec<LogGap>,
    /// True if JSON contains the lines of connections.
    pub(super) wants_lines: bool,
}

/// An API of the account.
struct FoundApi {
    id: ApiId,
    name: String,
    /// Stack of CloudFormation that has the API: its ARN, or its name.
    stack: Option<String>,
    /// Functions of the stack, if it was read.
    functions: Vec<FunctionName>,
}

/// Finds API, stage and log groups. A call that the caller may not make is replaced by others where that is possible.
pub(super) async fn find(
    account: &AccountClient,
    target: &StageTarget,
    denied: &mut DeniedCalls,
    ctx: OperationContext<'_>,
) -> Result<LogTarget, CliError> {
    target.declared.require(account, ctx).await?;
    let stack = target.stack.as_ref().map(|stack| stack.as_str().to_owned());
    let api = match denied.allowed(find_api(&account.aws, target.selector(), ctx).await)? {
        Some(api) => FoundApi {
            id: api.id,
            name: api.name,
            stack: api
                .tags
                .get("aws:cloudformation:stack-id")
                .cloned()
                .or(stack),
            functions: Vec::new(),
        },
        None => without_get_api(account, target, denied, ctx).await?,
    };
    let stage = find_stage(&account.aws, &api.id, target.stage_name(), ctx).await;
    let stage = match denied.allowed(stage)? {
        Some(stage) => Some(stage.name),
        None => target.stage_name().cloned(),
    };
    let logged = LoggedStage {
        api: &api.id,
        stage: stage.as_ref(),
        functions: &api.functions,
    };
    let mut found = find_sources(&account.aws, logged, ctx).await?;
    let misses_functions = found.denied.iter().any(|error| {
        error.operation.starts_with("GetIntegrations") || error.operation == "GetRoutes"
    });
    if misses_functions && api.functions.is_empty() {
        let resources = stack_resources(account, api.stack.as_deref(), denied, ctx).await?;
        let functions = functions_in(&resources);
        if !functions.is_empty() {
            let logged = LoggedStage {
                functions: &functions,
                ..logged
            };
            found = find_sources(&account.aws, logged, ctx).await?;
        }
    }
    for error in found.denied {
        denied.add(error);
    }
    Ok(LogTarget {
        api: api.id,
        name: api.name,
        stage,
        sources: found.sources,
        gaps: found.gaps,
        wants_lines: false,
    })
}

/// Returns the API without GetApi and GetApis: by the ID that is given, or as a resource of the stack.
async fn without_get_api(
    account: &AccountClient,
    target: &StageTarget,
    denied: &mut DeniedCalls,
    ctx: OperationContext<'_>,
) -> Result<FoundApi, CliError> {
    if let ApiSelector::Id(id) = target.selector() {
        return Ok(FoundApi {
            id: id.clone(),
            name: id.to_string(),
            stack: None,
            functions: Vec::new(),
        });
    }
    let stack = target.stack.as_ref().map(|stack| stack.as_str());
    let resources = stack_resources(account, stack, denied, ctx).await?;
    let api = resources
        .iter()
        .find(|(kind, _)| kind == "AWS::ApiGatewayV2::Api");
    match api {
        Some((_, id)) => Ok(FoundApi {
            id: ApiId::new(id.as_str()),
            name: target.name().unwrap_or(id).to_owned(),
            stack: stack.map(str::to_owned),
            functions: functions_in(&resources),
        }),
        None => Err(denied.error()),
    }
}

fn functions_in(resources: &[(String, String)]) -> Vec<FunctionName> {
    let functions = resources
        .iter()
        .filter(|(kind, _)| kind == "AWS::Lambda::Function");
    functions
        .map(|(_, id)| FunctionName::new(id.as_str()))
        .collect()
}

/// Returns types and physical IDs of the resources of a stack; nothing without a stack.
async fn stack_resources(
    account: &AccountClient,
    stack: Option<&str>,
    denied: &mut DeniedCalls,
    ctx: OperationContext<'_>,
) -> Result<Vec<(String, String)>, CliError> {
    let Some(stack) = stack else {
        return Ok(Vec::new());
    };
    let read = ctx.read(|| account.aws.stack(stack)).await;
    let stack = match read {
        Err(DeployError::Account(error)) if error.kind == AccountErrorKind::Refused => None,
        read => denied.allowed(read)?.flatten(),
    };
    let Some(stack) = stack else {
        return Ok(Vec::new());
    };
    let resources = ctx.read(|| account.aws.resources(&stack.id)).await;
    let resources = denied.allowed(resources)?.unwrap_or_default();
    let known = resources
        .into_iter()
        .filter_map(|resource| Some((resource.kind, resource.physical_id?)));
    Ok(known.collect())
}

impl LogTarget {
    /// Adds log groups that the user named.
    pub(super) fn add_groups(&mut self, groups: &[String]) {
        for group in groups {
            if self.sources.iter().all(|known| known.group != *group) {
                self.sources.push(LogSource::named(group));
            }
        }
    }

    /// Adds a gap if selected connections ended with codes that no log contains.
    pub(super) fn note_unknown_closes(&mut self, lives: &ConnectionLives) {
        let is_unknown = |close: &stackgen_diagnose::logs::ConnectionClose| close.code.is_none();
        let selected = lives.lives.iter().filter(|life| life.selected);
        let unknown = selected.filter(|life| life.close.as_ref().is_some_and(is_unknown));
        let count = unknown.count();
        if count > 0 {
            self.gaps.push(no_close_codes(count));
        }
    }

    /// Returns API and stage as a title.
    pub(super) fn title(&self) -> String {
        match &self.stage {
            Some(stage) => format!("{} ({}), stage {stage}", self.name, self.api),
            None => format!("{} ({})", self.name, self.api),
        }
    }
}
