//! Evaluation of a configuration: variables, locals, resources, data sources and modules.

mod attributes;
mod body;
mod data;
mod instances;
mod modules;
mod policy_document;
mod random;
mod variables;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;

use stackgen_cfn::{Sources, Span};

use crate::document::ConfigAttribute;
use crate::error::{ConfigurationProblem, ExpressionError};
use crate::expression::{ExpressionContext, Locals, PathStep, References, ResolvedPath};
use crate::files::ConfigurationFiles;
use crate::module::TerraformModule;
use crate::token::TokenTable;
use crate::value::HclValue;

pub(crate) use attributes::version_id;
pub(crate) use instances::{Repetition, ResourceInstance};
pub(crate) use variables::GivenVariable;

/// A module with its place: the root module, or an instance of a module call.
pub(crate) struct ModuleInstance {
    /// Prefix of addresses: empty, or `module.name.`.
    pub(crate) prefix: String,
    pub(crate) module: Rc<TerraformModule>,
    /// The caller and the arguments; `None` for the root module.
    pub(crate) caller: Option<ModuleCaller>,
}

/// Caller of a module.
pub(crate) struct ModuleCaller {
    instance: Rc<ModuleInstance>,
    arguments: BTreeMap<String, ConfigAttribute>,
    /// `each` and `count` of the call.
    names: Vec<(String, HclValue)>,
    /// Addresses in the call's `depends_on`.
    depends_on: Vec<String>,
}

/// A named value, which is evaluated once.
enum NamedValue {
    InProgress,
    Done {
        value: Result<HclValue, ExpressionError>,
        dependencies: BTreeSet<String>,
    },
}

/// State of an evaluation.
pub(crate) struct Evaluator<'f> {
    pub(crate) files: &'f dyn ConfigurationFiles,
    pub(crate) tokens: TokenTable,
    pub(crate) sources: RefCell<Sources>,
    /// Remarks about what is not read, in the order in which they were found.
    pub(crate) notes: RefCell<Vec<ConfigurationProblem>>,
    /// Values that are missing: a configuration without them can be linted, and not applied.
    pub(crate) missing: RefCell<Vec<ConfigurationProblem>>,
    /// Errors of modules.
    pub(crate) errors: RefCell<Vec<ConfigurationProblem>>,
    /// Values of the root module's variables.
    pub(crate) given: BTreeMap<String, GivenVariable>,
    made_files: RefCell<BTreeSet<PathBuf>>,
    values: RefCell<BTreeMap<String, NamedValue>>,
    instances: RefCell<BTreeMap<String, Repetition>>,
    evaluating: RefCell<BTreeSet<String>>,
    children: RefCell<BTreeMap<String, modules::ChildModules>>,
    /// Modules by their folders.
    modules: RefCell<BTreeMap<PathBuf, Rc<TerraformModule>>>,
    dependencies: RefCell<Vec<BTreeSet<String>>>,
    depth: Cell<usize>,
}

/// Names of a module.
struct ModuleNames<'e, 'f> {
    evaluator: &'e Evaluator<'f>,
    instance: &'e Rc<ModuleInstance>,
}

impl<'f> Evaluator<'f> {
    pub(crate) fn new(files: &'f dyn ConfigurationFiles, sources: Sources) -> Self {
        Evaluator {
            files,
            tokens: TokenTable::default(),
            sources: RefCell::new(sources),
            notes: RefCell::default(),
            missing: RefCell::default(),
            errors: RefCell::default(),
            given: BTreeMap::new(),
            made_files: RefCell::default(),
            values: RefCell::default(),
            instances: RefCell::default(),
            evaluating: RefCell::default(),
            children: RefCell::default(),
            modules: RefCell::default(),
            dependencies: RefCell::new(vec![BTreeSet::new()]),
            depth: Cell::new(0),
        }
    }

    /// Evaluates an expression of a module.
    pub(crate) fn expression(
        &self,
        instance: &Rc<ModuleInstance>,
        expression: &hcl_edit::expr::Expression,
        names: &[(String, HclValue)],
    ) -> Result<HclValue, ExpressionError> {
        let outer = Locals::default();
        self.in_module(instance, |context| {
            context.evaluate(expression, &Locals::within(names, &outer))
        })
    }

    /// Calls a function with the names of a module.
    fn in_module<T>(
        &self,
        instance: &Rc<ModuleInstance>,
        call: impl FnOnce(&ExpressionContext<'_>) -> T,
    ) -> T {
        let names = ModuleNames {
            evaluator: self,
            instance,
        };
        call(&ExpressionContext {
            tokens: &self.tokens,
            files: self.files,
            made_files: &self.made_files,
            references: &names,
            depth: &self.depth,
        })
    }

    /// Renders a template with variables of its own.
    fn template_text(
        &self,
        template: &str,
        variables: &HclValue,
    ) -> Result<HclValue, ExpressionError> {
        let root = Rc::new(ModuleInstance {
            prefix: String::new(),
            module: Rc::default(),
            caller: None,
        });
        self.in_module(&root, |context| context.template_with(template, variables))
    }

    /// Adds a remark, once.
    pub(crate) fn note(&self, note: ConfigurationProblem) {
        let mut notes = self.notes.borrow_mut();
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Adds a missing value, once.
    pub(crate) fn undetermined(&self, problem: ConfigurationProblem) {
        let mut missing = self.missing.borrow_mut();
        if !missing.contains(&problem) {
            missing.push(problem);
        }
    }

    /// Returns the token of an unknown value, as a value.
    pub(crate) fn unknown(&self, name: impl Into<String>) -> HclValue {
        HclValue::Unknown(self.tokens.unknown(name))
    }

    /// Records that the value in progress depends on a resource.
    fn record_dependency(&self, address: &str) {
        if let Some(current) = self.dependencies.borrow_mut().last_mut() {
            current.insert(address.to_owned());
        }
    }

    /// Calls a function, and returns the resources on which its result depends.
    fn with_dependencies<T>(&self, call: impl FnOnce() -> T) -> (T, BTreeSet<String>) {
        self.dependencies.borrow_mut().push(BTreeSet::new());
        let result = call();
        let found = self.dependencies.borrow_mut().pop().unwrap_or_default();
        (result, found)
    }

    /// Evaluates a named value once.
    fn named(
        &self,
        name: &str,
        evaluate: impl FnOnce() -> Result<HclValue, ExpressionError>,
    ) -> Result<HclValue, ExpressionError> {
        match self.values.borrow().get(name) {
            Some(NamedValue::Done {
                value,
                dependencies,
            }) => {
                dependencies
                    .iter()
                    .for_each(|address| self.record_dependency(address));
                return value.clone();
            }
            Some(NamedValue::InProgress) => {
                return Err(ExpressionError::new(format!("{name} refers to itself")));
            }
            None => {}
        }
        self.values
            .borrow_mut()
            .insert(name.to_owned(), NamedValue::InProgress);
        let (value, dependencies) = self.with_dependencies(evaluate);
        dependencies
            .iter()
            .for_each(|address| self.record_dependency(address));
        let done = NamedValue::Done {
            value: value.clone(),
            dependencies,
        };
        self.values.borrow_mut().insert(name.to_owned(), done);
        value
    }

    fn local(
        &self,
        instance: &Rc<ModuleInstance>,
        name: &str,
    ) -> Result<HclValue, ExpressionError> {
        let Some(attribute) = instance.module.locals.get(name) else {
            return Err(ExpressionError::new(format!(
                "there is no local value {name:?}"
            )));
        };
        self.named(&format!("{}local.{name}", instance.prefix), || {
            self.expression(instance, &attribute.expression, &[])
        })
    }

    /// Evaluates an attribute. If it fails, it is unknown, and a remark says why.
    pub(crate) fn attribute(
        &self,
        instance: &Rc<ModuleInstance>,
        attribute: &ConfigAttribute,
        names: &[(String, HclValue)],
        name: &str,
    ) -> HclValue {
        match self.expression(instance, &attribute.expression, names) {
            Ok(value) => value,
            Err(error) => {
                self.note_unknown(attribute.span, error);
                self.unknown(name)
            }
        }
    }

    fn note_unknown(&self, span: Span, error: ExpressionError) {
        let mut problem = ConfigurationProblem::of(span, error);
        problem.message = format!("this value is unknown: {}", problem.message);
        self.note(problem);
    }
}

impl References for ModuleNames<'_, '_> {
    fn resolve(
        &self,
        name: &str,
        steps: &[PathStep],
    ) -> Result<Option<ResolvedPath>, ExpressionError> {
        let (evaluator, instance) = (self.evaluator, self.instance);
        let attribute = |position: usize| match steps.get(position) {
            Some(PathStep::Attribute(name)) => Ok(name.as_str()),
            _ => Err(ExpressionError::new(format!(
                "a name is needed after {name:?}"
            ))),
        };
        let (value, steps) = match name {
            "var" => (evaluator.variable(instance, attribute(0)?)?, 1),
            "local" => (evaluator.local(instance, attribute(0)?)?, 1),
            "path" => (self.path(attribute(0)?)?, 1),
            "terraform" => match attribute(0)? {
                "workspace" => (HclValue::text("default"), 1),
                other => {
                    return Err(ExpressionError::new(format!(
                        "there is no terraform.{other}"
                    )));
                }
            },
            "module" => return evaluator.module_output(instance, steps).map(Some),
            "data" => {
                let (kind, name) = (attribute(0)?, attribute(1)?);
                (evaluator.object(instance, true, kind, name)?, 2)
            }
            "each" | "count" | "self" => {
                let message = format!("`{name}` is not available here");
                return Err(ExpressionError::new(message));
            }
            kind if instance
                .module
                .resources
                .iter()
                .any(|block| block.labels[0] == kind)
                || kind.contains('_') =>
            {
                (evaluator.object(instance, false, kind, attribute(0)?)?, 1)
            }
            _ => return Ok(None),
        };
        Ok(Some(ResolvedPath { value, steps }))
    }
}

impl ModuleNames<'_, '_> {
    fn path(&self, name: &str) -> Result<HclValue, ExpressionError> {
        let folder = self.instance.module.folder.to_string_lossy();
        Ok(HclValue::text(match name {
            "module" if folder.is_empty() => ".".to_owned(),
            "module" => folder.into_owned(),
            "root" => ".".to_owned(),
            "cwd" => self.evaluator.files.root().to_string_lossy().into_owned(),
            other => return Err(ExpressionError::new(format!("there is no path.{other}"))),
        }))
    }
}
