//! The checked project file.

use std::collections::HashMap;
use std::sync::OnceLock;

use stackgen_cfn::{Source, Span};

use crate::environment::MergedEnvironment;
use crate::function_code::{self, FunctionCode};
use crate::load::{self, LayeredDocument};
use crate::options::{RenderOptions, Rendered};
use crate::{LocatedError, limits, origin, render, spec};

/// Project file (stackgen.yaml) without errors in any environment.
#[derive(Debug)]
pub struct ProjectFile {
    file: LayeredDocument,
    /// Merged environments, for methods that return references. Rendering does not use them.
    merged: HashMap<String, OnceLock<Option<MergedEnvironment>>>,
}

impl ProjectFile {
    /// Reads and checks a stackgen.yaml with all of its environments.
    ///
    /// # Errors
    ///
    /// Returns every error of the file, in the order of the file.
    pub fn load(source: &Source) -> Result<ProjectFile, Vec<LocatedError>> {
        let file = load::load(source)?;
        let names = file.environments();
        let merged = names.map(|name| (name.to_owned(), OnceLock::new()));
        Ok(ProjectFile {
            merged: merged.collect(),
            file,
        })
    }

    /// Returns the stack's name.
    pub fn name(&self) -> &str {
        self.file.name()
    }

    /// Returns the names of the environments in the order of the file, or `dev` if the file declares none.
    pub fn environments(&self) -> Vec<&str> {
        self.file.environments().collect()
    }

    /// Returns the WebSocket API's authorizer in an environment.
    pub fn authorizer(&self, environment: &str) -> Option<&spec::AuthorizerSpec> {
        self.environment(environment)?.spec.authorizer()
    }

    /// Returns the callers that verify a stage of an environment, sorted by name.
    pub fn verify_callers(&self, environment: &str) -> Vec<(&str, &spec::VerifyCallerSpec)> {
        let callers = self
            .environment(environment)
            .map(|environment| &environment.spec.verify);
        callers
            .into_iter()
            .flatten()
            .map(|(name, caller)| (name.as_str(), caller))
            .collect()
    }

    /// Returns the folder of an environment's web page, relative to the folder of stackgen.yaml.
    pub fn page(&self, environment: &str) -> Option<&str> {
        self.environment(environment)?.spec.page.as_deref()
    }

    /// Returns the ID of the account that an environment belongs to.
    pub fn account(&self, environment: &str) -> Option<&str> {
        self.environment(environment)?.spec.account.as_deref()
    }

    /// Returns the region that an environment belongs to.
    pub fn region(&self, environment: &str) -> Option<&str> {
        self.environment(environment)?.spec.region.as_deref()
    }

    /// Returns the location of the entry that a resource of an environment's template is made for; `None` for a logical ID
    /// that the template does not contain.
    pub fn origin(&self, environment: &str, logical_id: &str) -> Option<Span> {
        origin::origin(self.environment(environment)?, logical_id)
    }

    /// Returns the code of an environment's functions, sorted by the names of the functions; none if the file does not
    /// declare the environment.
    pub fn function_code(&self, environment: &str) -> Vec<FunctionCode<'_>> {
        let environment = self.environment(environment);
        environment.map_or_else(Vec::new, function_code::function_code)
    }

    /// Returns the paths of built code that the template of an environment contains, relative to the folder of
    /// stackgen.yaml: files whose digests go into [`RenderOptions::artifacts`]. Only a pinned environment has any.
    pub fn artifact_paths(&self, environment: &str) -> Vec<String> {
        self.file
            .environment(environment)
            .map_or_else(Vec::new, |environment| render::artifact_paths(&environment))
    }

    /// Renders the template of one environment.
    ///
    /// # Errors
    ///
    /// Returns an error if the file does not declare the environment, or if the template exceeds a limit of
    /// CloudFormation.
    pub fn render(&self, request: &RenderOptions<'_>) -> Result<Rendered, Vec<LocatedError>> {
        let Some(environment) = self.file.environment(request.environment) else {
            let message = format!("there is no environment `{}`", request.environment);
            return Err(vec![LocatedError::new(Span::default(), message)]);
        };
        let rendered = render::render(&environment, request);
        match limits::check(&environment, &rendered.template) {
            errors if errors.is_empty() => Ok(rendered),
            errors => Err(errors),
        }
    }

    fn environment(&self, name: &str) -> Option<&MergedEnvironment> {
        let environment = self.merged.get(name)?;
        let environment = environment.get_or_init(|| self.file.environment(name));
        environment.as_ref()
    }
}
