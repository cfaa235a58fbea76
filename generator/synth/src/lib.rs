//! stackgen.yaml to a template: typed, checked as a whole, wired right.
//!
//! [`Stack::load`] reads a file and reports every error in it; [`Stack::render`] makes the template of one
//! environment. Nothing here does I/O: digests of built code come in, a [`Node`] goes out.

mod check;
mod digest;
mod limits;
mod load;
mod names;
mod problem;
mod render;
mod schema;
pub mod spec;

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use stackgen_cfn::{Node, Source, Span};

use load::{Environment, File};
pub use problem::{Notice, Problem};
pub use schema::schema;

/// A stackgen.yaml that holds no error in any of its environments.
#[derive(Debug)]
pub struct Stack {
    file: File,
    /// Merged environments, for methods that return references; rendering keeps none.
    merged: HashMap<String, OnceLock<Option<Environment>>>,
}

/// What to render.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// One of [`Stack::environments`].
    pub environment: &'a str,
    /// CloudFormation or SAM.
    pub dialect: Dialect,
    /// The path from the folder of the template to the folder of stackgen.yaml, with `/`: `.` or `../..`.
    pub project_path: &'a str,
    /// The digests of the code that is built.
    pub artifacts: &'a Artifacts,
}

/// The kind of template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `AWS::Lambda::Function` with a local path that `aws cloudformation package` uploads.
    CloudFormation,
    /// `AWS::Serverless::Function` that `sam build` builds.
    Sam,
}

/// SHA-256 of built code, in lower-case hex, by the artefact's path.
pub type Artifacts = BTreeMap<String, String>;

/// A template and what to know about it.
#[derive(Debug)]
pub struct Rendered {
    /// The template.
    pub template: Node,
    /// Worth a line on stderr each.
    pub notices: Vec<Notice>,
}

impl Stack {
    /// Reads and checks a stackgen.yaml with all of its environments.
    ///
    /// # Errors
    ///
    /// Every error of the file, in the order of the file.
    pub fn load(source: &Source) -> Result<Stack, Vec<Problem>> {
        let file = load::load(source)?;
        let names = file.environments();
        let merged = names.map(|name| (name.to_owned(), OnceLock::new()));
        Ok(Stack {
            merged: merged.collect(),
            file,
        })
    }

    /// The stack's name.
    pub fn name(&self) -> &str {
        self.file.name()
    }

    /// The names of the environments, in the order of the file; `dev` when the file declares none.
    pub fn environments(&self) -> Vec<&str> {
        self.file.environments().collect()
    }

    /// Who lets callers of the WebSocket API in, in an environment.
    pub fn authorizer(&self, environment: &str) -> Option<&spec::Authorizer> {
        self.environment(environment)?.spec.authorizer()
    }

    /// Returns the callers that a stage of an environment is verified with, sorted by name.
    pub fn verify_callers(&self, environment: &str) -> Vec<(&str, &spec::VerifyCaller)> {
        let callers = self
            .environment(environment)
            .map(|environment| &environment.spec.verify);
        callers
            .into_iter()
            .flatten()
            .map(|(name, caller)| (name.as_str(), caller))
            .collect()
    }

    /// The built code that the template of an environment would name, as paths from the folder of stackgen.yaml:
    /// the file whose digest goes into [`Request::artifacts`]. Only a pinned release needs any.
    pub fn artifact_paths(&self, environment: &str) -> Vec<String> {
        self.file
            .environment(environment)
            .map_or_else(Vec::new, |environment| render::artifact_paths(&environment))
    }

    /// The template of one environment.
    ///
    /// # Errors
    ///
    /// An environment that the file does not declare, and what can only be seen in the whole: more resources than a
    /// stack may have.
    pub fn render(&self, request: &Request<'_>) -> Result<Rendered, Vec<Problem>> {
        let Some(environment) = self.file.environment(request.environment) else {
            let message = format!("there is no environment `{}`", request.environment);
            return Err(vec![Problem::new(Span::default(), message)]);
        };
        let rendered = render::render(&environment, request);
        match limits::check(&environment, &rendered.template) {
            problems if problems.is_empty() => Ok(rendered),
            problems => Err(problems),
        }
    }

    fn environment(&self, name: &str) -> Option<&Environment> {
        let environment = self.merged.get(name)?;
        let environment = environment.get_or_init(|| self.file.environment(name));
        environment.as_ref()
    }
}
