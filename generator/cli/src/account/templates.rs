//! Facts about the APIs of a project's templates.

use std::path::Path;

use stackgen_cfn::Node;
use stackgen_deploy::status::TemplateSnapshot;
use stackgen_model::{Inputs, Model, Text};
use stackgen_synth::Dialect;

use crate::error::CliError;
use crate::file;
use crate::project::Project;
use crate::template::TemplateSource;
use crate::ui::Ui;

/// Renders an environment as if the template were beside the project file, so that its paths start there.
pub(super) fn rendered(
    project: &Project,
    environment: &str,
    file: &Path,
    ui: &Ui,
) -> Result<Node, CliError> {
    let folder = file::parent(file);
    let rendered = project.render(environment, Dialect::CloudFormation, folder, ui)?;
    Ok(rendered.template)
}

/// Returns the model of the environment's template in `out`, which is most likely the template that was deployed last.
pub(super) fn stored_model(project: &Project, environment: &str) -> Option<Model> {
    let path = project
        .default_out()
        .join(environment)
        .join("template.yaml");
    let template = path
        .exists()
        .then(|| TemplateSource::File(path).read())?
        .ok()?;
    Some(Model::of_wiring(&template, &Inputs::none()))
}

/// Returns the snapshot that a deployment of the API with this name would hold.
pub(super) fn snapshot_of(model: &Model, name: &str) -> Option<TemplateSnapshot> {
    let is_named =
        |api: &&stackgen_model::Api| api.name.as_ref().and_then(Text::as_literal) == Some(name);
    let api = model.apis.iter().find(is_named)?;
    Some(TemplateSnapshot {
        digest: api.snapshot_digest(model),
        snapshot: api.snapshot(model),
    })
}

/// Returns the issuer of the API's JWT authorizer.
pub(super) fn issuer(api: &stackgen_model::Api) -> Option<String> {
    let mut configurations = api
        .authorizers
        .iter()
        .filter_map(|one| one.resource.properties.get("JwtConfiguration"));
    let issuer = configurations.next()?.text("Issuer")?;
    issuer.as_literal().map(str::to_owned)
}
