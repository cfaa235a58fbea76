//! Stages: pointers to deployments, with settings that take effect without a deployment (row D2).

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;
use stackgen_gateway_common::{ApiId, DeploymentId, EpochMillis, StageName};

use super::check::{
    check_quota, length, merge_texts, one_of, optional_length, required, set, set_text,
};
use super::state::ApiState;
use super::{
    AccessLogSettings, ApiError, Apis, Pairs, ProtocolType, RouteSettings, StageInput,
    StoredDeployment, StoredStage,
};

/// Substitutes stage variables such as `${stageVariables.function}`, which change without a deployment (row D2).
pub(crate) fn substitute_variables<'a>(text: &'a str, variables: &Pairs) -> Cow<'a, str> {
    if !text.contains("${stageVariables.") {
        return Cow::Borrowed(text);
    }
    let mut text = text.to_owned();
    for (name, value) in variables {
        text = text.replace(&format!("${{stageVariables.{name}}}"), value);
    }
    Cow::Owned(text)
}

impl Apis {
    /// Creates a stage.
    ///
    /// # Errors
    ///
    /// If its name is taken (row D14), or a value is not valid.
    pub fn create_stage(
        &self,
        api: &ApiId,
        input: StageInput,
    ) -> Result<Arc<StoredStage>, ApiError> {
        self.change(api, |state| state.create_stage(input))
    }

    /// Returns the stage with this name.
    ///
    /// # Errors
    ///
    /// If the API or the stage does not exist.
    pub fn get_stage(&self, api: &ApiId, name: &str) -> Result<Arc<StoredStage>, ApiError> {
        self.read(api, |state| state.stage(name).cloned())
    }

    /// Returns all stages.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn list_stages(&self, api: &ApiId) -> Result<Vec<Arc<StoredStage>>, ApiError> {
        self.read(api, |state| Ok(state.stages.values().cloned().collect()))
    }

    /// Returns the stages that do not serve the current wiring and need a deployment (rows D1, D7).
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn stale_stages(&self, api: &ApiId) -> Result<Vec<Arc<StoredStage>>, ApiError> {
        self.read(api, |state| {
            let wiring = state.wiring.snapshot();
            let is_current = |stage: &Arc<StoredStage>| {
                let deployment = stage.deployment_id.as_ref();
                let deployment = deployment.and_then(|id| state.deployments.get(id));
                deployment.is_some_and(|deployment| deployment.snapshot.has_same_wiring(&wiring))
            };
            let stages = state.stages.values();
            Ok(stages.filter(|stage| !is_current(stage)).cloned().collect())
        })
    }

    /// Updates a stage (row D12): points it at another deployment, newer or older (row D11), and merges its settings.
    ///
    /// # Errors
    ///
    /// As [`Apis::create_stage`], or if the stage does not exist, or is to be moved under AutoDeploy (row D5).
    pub fn update_stage(
        &self,
        api: &ApiId,
        name: &str,
        input: StageInput,
    ) -> Result<Arc<StoredStage>, ApiError> {
        self.change(api, |state| {
            let mut stage = StoredStage::clone(state.stage(name)?);
            let turned_on = input.auto_deploy == Some(true) && !stage.auto_deploy;
            let moved = input.deployment_id.clone();
            state.check_route_keys(&input)?;
            apply(&mut stage, input);
            state.put_stage(stage, moved)?;
            if turned_on {
                state.auto_deploy();
            }
            state.stage(name).cloned()
        })
    }

    /// Deletes a stage.
    ///
    /// # Errors
    ///
    /// If it does not exist.
    pub fn delete_stage(&self, api: &ApiId, name: &str) -> Result<(), ApiError> {
        self.change(api, |state| {
            state.stage(name)?;
            state.stages.shift_remove(name);
            Ok(())
        })
    }

    /// Deletes the access log settings of a stage, which no update can do (row D12).
    ///
    /// # Errors
    ///
    /// If the stage does not exist.
    pub fn delete_access_log_settings(&self, api: &ApiId, name: &str) -> Result<(), ApiError> {
        self.change(api, |state| {
            state.stage_mut(name)?.access_log_settings = None;
            Ok(())
        })
    }

    /// Deletes the settings of one route on a stage, which no update can do (row D12).
    ///
    /// # Errors
    ///
    /// If the stage does not exist, or has no settings for the route.
    pub fn delete_route_settings(
        &self,
        api: &ApiId,
        name: &str,
        route_key: &str,
    ) -> Result<(), ApiError> {
        self.change(api, |state| {
            let settings = &mut state.stage_mut(name)?.route_settings;
            match settings.shift_remove(route_key) {
                Some(_) => Ok(()),
                None => Err(ApiError::not_found(format!(
                    "Unable to find RouteSettings by key {route_key}"
                ))),
            }
        })
    }
}

impl ApiState {
    pub(super) fn create_stage(
        &mut self,
        mut input: StageInput,
    ) -> Result<Arc<StoredStage>, ApiError> {
        check_quota("Stages", self.stages.len(), 10)?;
        let name = required("stageName", input.stage_name.take())?;
        check_name(self.wiring.api.protocol_type, &name)?;
        if self.stages.contains_key(&name) {
            return Err(ApiError::conflict("Stage already exists"));
        }
        let now = EpochMillis::now();
        let mut stage = StoredStage {
            stage_name: name.clone(),
            deployment_id: None,
            auto_deploy: false,
            last_deployment_status_message: None,
            default_route_settings: RouteSettings::default(),
            route_settings: IndexMap::new(),
            stage_variables: Pairs::new(),
            access_log_settings: None,
            client_certificate_id: None,
            description: None,
            created_date: now,
            last_updated_date: now,
            tags: input.tags.take().unwrap_or_default(),
        };
        let deployment = input.deployment_id.clone();
        self.check_route_keys(&input)?;
        apply(&mut stage, input);
        // Only an update of the deployment is refused under AutoDeploy (row D5).
        let auto_deploy = std::mem::take(&mut stage.auto_deploy);
        self.put_stage(stage, deployment)?;
        if auto_deploy {
            self.stage_mut(name.as_str())?.auto_deploy = true;
            self.auto_deploy();
        }
        self.stage(name.as_str()).cloned()
    }

    pub(super) fn stage(&self, name: &str) -> Result<&Arc<StoredStage>, ApiError> {
        self.stages.get(name).ok_or_else(|| no_stage(name))
    }

    /// Returns a stage for changing, and sets its update time.
    pub(super) fn stage_mut(&mut self, name: &str) -> Result<&mut StoredStage, ApiError> {
        let stage = self.stages.get_mut(name).ok_or_else(|| no_stage(name))?;
        let stage = Arc::make_mut(stage);
        stage.last_updated_date = EpochMillis::now();
        Ok(stage)
    }

    pub(super) fn deployment(&self, id: &DeploymentId) -> Result<&Arc<StoredDeployment>, ApiError> {
        self.deployments
            .get(id)
            .ok_or_else(|| ApiError::not_found(format!("Unable to find Deployment by Id {id}")))
    }

    /// Points a stage at a deployment (row D11).
    pub(super) fn activate(&mut self, name: &str, id: &DeploymentId) -> Result<(), ApiError> {
        self.deployment(id)?;
        let api = self.wiring.api.api_id.clone();
        let stage = self.stage_mut(name)?;
        if stage.auto_deploy {
            return Err(ApiError::bad_request(format!(
                "Deployment ID cannot be set on this stage {api}:{name} because AutoDeploy is enabled."
            )));
        }
        stage.deployment_id = Some(id.clone());
        Ok(())
    }

    fn put_stage(
        &mut self,
        stage: StoredStage,
        moved: Option<DeploymentId>,
    ) -> Result<(), ApiError> {
        self.check_stage(&stage)?;
        let name = stage.stage_name.clone();
        self.stages.insert(name.clone(), Arc::new(stage));
        match moved {
            Some(id) => self.activate(name.as_str(), &id),
            None => Ok(()),
        }
    }

    /// Checks that routes exist before they get settings (row F8). The settings stay when the route is deleted.
    fn check_route_keys(&self, input: &StageInput) -> Result<(), ApiError> {
        for key in input.route_settings.iter().flat_map(IndexMap::keys) {
            let is_it = |route: &Arc<super::StoredRoute>| route.route_key == key.as_str();
            if !self.wiring.routes.values().any(is_it) {
                return Err(ApiError::not_found(format!(
                    "Unable to find Route by key {key} within the provided RouteSettings"
                )));
            }
        }
        Ok(())
    }

    fn check_stage(&self, stage: &StoredStage) -> Result<(), ApiError> {
        optional_length("description", stage.description.as_ref(), 1024)?;
        let protocol = self.wiring.api.protocol_type;
        check_settings(protocol, &stage.default_route_settings)?;
        for settings in stage.route_settings.values() {
            check_settings(protocol, settings)?;
        }
        for (name, value) in &stage.stage_variables {
            check_variable(name, value)?;
        }
        (stage.access_log_settings.as_ref()).map_or(Ok(()), check_access_log)
    }
}

fn no_stage(name: &str) -> ApiError {
    ApiError::not_found(format!("Unable to find Stage by name {name}"))
}

fn check_name(protocol: ProtocolType, name: &StageName) -> Result<(), ApiError> {
    length("stageName", name.as_str(), 1, 128)?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let default = protocol == ProtocolType::Http && name.as_str() == "$default";
    if default || name.as_str().chars().all(is_allowed) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "Stage name only allows alphanumeric characters, hyphens and underscores, or $default of an HTTP API: {name}"
    )))
}

fn check_settings(protocol: ProtocolType, settings: &RouteSettings) -> Result<(), ApiError> {
    if let Some(level) = &settings.logging_level {
        one_of("loggingLevel", level, &["ERROR", "INFO", "OFF"])?;
    }
    let logs = settings.data_trace_enabled == Some(true)
        || (settings.logging_level.as_ref()).is_some_and(|level| level != "OFF");
    if protocol == ProtocolType::Http && logs {
        return Err(ApiError::bad_request(
            "Execution logs are not supported on protocol type HTTP",
        ));
    }
    if settings
        .throttling_rate_limit
        .is_some_and(|rate| rate < 0.0)
    {
        return Err(ApiError::bad_request(
            "throttlingRateLimit must not be negative",
        ));
    }
    Ok(())
}

fn check_variable(name: &str, value: &str) -> Result<(), ApiError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_allowed) {
        return Err(ApiError::bad_request(format!(
            "Stage variable names may have letters, digits and underscores: {name}"
        )));
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=,".contains(c);
    if value.chars().all(is_allowed) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "Invalid value of stage variable {name}: values may have letters, digits and -._~:/?#&=,"
    )))
}

/// Checks access log settings (row L2).
fn check_access_log(settings: &AccessLogSettings) -> Result<(), ApiError> {
    let destination = required("destinationArn", settings.destination_arn.as_deref())?;
    if !destination.starts_with("arn:") {
        return Err(ApiError::bad_request(format!(
            "Invalid ARN specified in the request: {destination}"
        )));
    }
    let format = required("format", settings.format.as_deref())?;
    let names = |name: &str| format.contains(&format!("$context.{name}"));
    if names("requestId") || names("extendedRequestId") {
        return Ok(());
    }
    Err(ApiError::bad_request(
        "Access log format must include $context.requestId or $context.extendedRequestId",
    ))
}

/// Applies everything except the deployment ID.
fn apply(stage: &mut StoredStage, input: StageInput) {
    stage.last_updated_date = EpochMillis::now();
    set(&mut stage.auto_deploy, input.auto_deploy);
    if let Some(settings) = input.default_route_settings {
        merge_settings(&mut stage.default_route_settings, settings);
    }
    for (key, settings) in input.route_settings.unwrap_or_default() {
        merge_settings(stage.route_settings.entry(key).or_default(), settings);
    }
    merge_texts(&mut stage.stage_variables, input.stage_variables);
    if let Some(patch) = input.access_log_settings {
        let settings = stage.access_log_settings.get_or_insert_default();
        set_text(&mut settings.destination_arn, patch.destination_arn);
        set_text(&mut settings.format, patch.format);
    }
    set_text(
        &mut stage.client_certificate_id,
        input.client_certificate_id,
    );
    set_text(&mut stage.description, input.description);
}

fn merge_settings(settings: &mut RouteSettings, patch: RouteSettings) {
    let before = std::mem::take(settings);
    *settings = RouteSettings {
        data_trace_enabled: patch.data_trace_enabled.or(before.data_trace_enabled),
        detailed_metrics_enabled: patch
            .detailed_metrics_enabled
            .or(before.detailed_metrics_enabled),
        logging_level: patch.logging_level.or(before.logging_level),
        throttling_burst_limit: patch
            .throttling_burst_limit
            .or(before.throttling_burst_limit),
        throttling_rate_limit: patch.throttling_rate_limit.or(before.throttling_rate_limit),
    };
}
