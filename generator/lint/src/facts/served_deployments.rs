//! Decides which stage serves which deployment.

use std::collections::HashMap;

use stackgen_model::{Api, Deployment, Link, LogicalId, Stage, Text};

/// Returns true if API Gateway deploys changes to the stage automatically (row D4).
pub(crate) fn has_auto_deploy(stage: &Stage) -> bool {
    stage.auto_deploy.value() == Some(&true)
}

/// Returns true if a stage certainly serves nothing: it has no deployment and no `AutoDeploy` (row C3).
pub(crate) fn serves_nothing(stage: &Stage) -> bool {
    let is_off = stage.auto_deploy.is_absent() || stage.auto_deploy.value() == Some(&false);
    is_off && matches!(stage.deployment, Link::Missing)
}

/// Returns the values with which a deployment can name a stage: its name, or a reference to it.
pub(crate) fn stage_references(stage: &Stage) -> impl Iterator<Item = String> {
    let reference = format!("${{{}}}", stage.resource.logical_id);
    let name = stage.name.as_ref().map(Text::to_string);
    name.into_iter().chain([reference])
}

/// Stages of an API without `AutoDeploy`, by deployment and by name.
pub(crate) struct ServedDeployments<'a> {
    by_deployment: HashMap<&'a LogicalId, &'a Stage>,
    by_name: HashMap<String, &'a Stage>,
}

impl<'a> ServedDeployments<'a> {
    pub(crate) fn of(api: &'a Api) -> Self {
        let stages = || api.stages.iter().filter(|stage| !has_auto_deploy(stage));
        ServedDeployments {
            by_deployment: stages()
                .filter_map(|stage| Some((stage.deployment.to()?, stage)))
                .collect(),
            by_name: stages()
                .flat_map(|stage| stage_references(stage).map(move |name| (name, stage)))
                .collect(),
        }
    }

    /// Returns the stage that serves a deployment: it names the deployment, or the deployment names it and is activated
    /// on it.
    pub(crate) fn stage(&self, deployment: &Deployment) -> Option<&'a Stage> {
        let named = || {
            let name = deployment.stage_name.as_ref().map(Text::to_string)?;
            self.by_name.get(&name)
        };
        let pointing = self.by_deployment.get(&deployment.resource.logical_id);
        pointing.or_else(named).copied()
    }
}
