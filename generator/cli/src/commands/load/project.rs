//! Facts of the project file that a load uses.

use std::path::Path;

use stackgen_cost::{DeclaredLoad, Load, LoadTarget};
use stackgen_model::{Inputs, Model};
use stackgen_synth::Dialect;

use super::messages::MessageDefaults;
use crate::error::CliError;
use crate::local::LocalGateway;
use crate::stage_address::StageAddressArgs;
use crate::ui::Ui;

/// Facts of the project file.
#[derive(Debug, Default)]
pub(super) struct LoadProject {
    /// Load that the file declares.
    pub(super) load: Option<Load>,
    /// Functions, throttles and tables, for the estimate.
    pub(super) target: Option<LoadTarget>,
    pub(super) messages: MessageDefaults,
    pub(super) region: Option<String>,
}

impl LoadProject {
    /// Reads the project file, if it describes the target.
    pub(super) fn read(
        stage: &StageAddressArgs,
        local: Option<&LocalGateway>,
        ui: &Ui,
    ) -> Result<Self, CliError> {
        let Some((project, environment)) = stage.project(local, ui)? else {
            return Ok(LoadProject::default());
        };
        let rendered = project.render(&environment, Dialect::CloudFormation, Path::new("."), ui)?;
        let model = Model::from_template(&rendered.template, &Inputs::none());
        let declared = DeclaredLoad::read(&model.declared_load);
        let region = project.region(&environment).map(str::to_owned);
        Ok(LoadProject::of_model(&model, declared, region))
    }

    fn of_model(model: &Model, declared: Option<DeclaredLoad>, region: Option<String>) -> Self {
        let route = declared
            .as_ref()
            .and_then(|declared| declared.route.clone());
        let target = LoadTarget::new(model, None, route.as_deref()).ok();
        // Without `load`, the file does not say which messages a load may send.
        let route = declared
            .as_ref()
            .and(target.as_ref())
            .map(|target| target.route.clone());
        let mut expressions = model
            .apis
            .iter()
            .filter_map(|api| api.route_selection_expression.as_ref()?.as_literal());
        let key = expressions.find_map(|it| it.strip_prefix("$request.body."));
        LoadProject {
            messages: MessageDefaults {
                route,
                size: declared.as_ref().map(|declared| declared.load.size),
                route_key: key.map(str::to_owned),
            },
            load: declared.map(|declared| declared.load),
            target,
            region,
        }
    }
}
