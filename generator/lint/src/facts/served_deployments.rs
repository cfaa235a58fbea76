//! Which stage serves which deployment.

use std::collections::HashMap;

use stackgen_model::{Api, Deployment, Link, LogicalId, Stage, Text};

/// True when API Gateway makes the stage's deployments by itself (row D4).
pub(crate) fn has_auto_deploy(stage: &Stage) -> bool {
    stage.auto_deploy.value() == Some(&true)
}

/// True when a stage of its own accord surely serves nothing: it points at no deployment and makes none (row C3).
pub(crate) fn serves_nothing(stage: &Stage) -> bool {
    let is_off = stage.auto_deploy.is_absent() || stage.auto_deploy.value() == Some(&false);
    is_off && matches!(stage.deployment, Link::Missing)
}

/// What a deployment may write to name a stage: its name, or a reference to it.
pub(crate) fn stage_references(stage: &Stage) -> impl Iterator<Item = String> {
    let reference = format!("${{{}}}", stage.resource.logical_id);
    let name = stage.name.as_ref().map(Text::to_string);
    name.into_iter().chain([reference])
}

/// The stages of an API that do not deploy by themselves.
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

    /// The stage that serves a deployment: it points at it, or the deployment names it, which moves its pointer.
    pub(crate) fn stage(&self, deployment: &Deployment) -> Option<&'a Stage> {
        let named = || {
            let name = deployment.stage_name.as_ref().map(Text::to_string)?;
            self.by_name.get(&name)
        };
        let pointing = self.by_deployment.get(&deployment.resource.logical_id);
        pointing.or_else(named).copied()
    }
}
