//! Calls of modules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::instances::{Keys, depends_on_addresses};
use super::{Evaluator, ModuleCaller, ModuleInstance};
use crate::document::ConfigBlock;
use crate::error::{ConfigurationProblem, ExpressionError};
use crate::expression::{PathStep, ResolvedPath};
use crate::files::normalized;
use crate::module::TerraformModule;
use crate::value::{HclMap, HclValue, OpenObject};

/// Instances of a module call.
#[derive(Clone)]
pub(super) enum ChildModules {
    /// The module is not on this machine.
    Missing,
    /// One without `count` and `for_each`, or with an unknown number.
    Single(Rc<ModuleInstance>),
    /// With `count`.
    Count(Vec<Rc<ModuleInstance>>),
    /// With `for_each`.
    Each(BTreeMap<String, Rc<ModuleInstance>>),
}

/// Limit of nested modules.
const DEEPEST: usize = 16;

/// Arguments of a call that are no variables of the module.
const META: [&str; 6] = [
    "source",
    "version",
    "count",
    "for_each",
    "providers",
    "depends_on",
];

impl Evaluator<'_> {
    /// Returns all instances of the modules that a module calls.
    pub(crate) fn child_modules(&self, instance: &Rc<ModuleInstance>) -> Vec<Rc<ModuleInstance>> {
        let calls = instance.module.calls.iter();
        let children =
            calls.flat_map(
                |(name, call)| match self.children_of(instance, name, call) {
                    ChildModules::Missing => Vec::new(),
                    ChildModules::Single(only) => vec![only],
                    ChildModules::Count(list) => list,
                    ChildModules::Each(map) => map.into_values().collect(),
                },
            );
        children.collect()
    }

    /// Returns the value of `module.name…`, with its steps.
    pub(super) fn module_output(
        &self,
        instance: &Rc<ModuleInstance>,
        steps: &[PathStep],
    ) -> Result<ResolvedPath, ExpressionError> {
        let Some(PathStep::Attribute(name)) = steps.first() else {
            return Err(ExpressionError::new("a name is needed after `module`"));
        };
        let Some(call) = instance.module.calls.get(name) else {
            return Err(ExpressionError::new(format!("there is no module {name:?}")));
        };
        let children = self.children_of(instance, name, call);
        let (child, used) = match (&children, steps.get(1)) {
            (ChildModules::Single(child), Some(PathStep::Index(_))) => (child, 2),
            (ChildModules::Single(child), _) => (child, 1),
            (ChildModules::Count(list), Some(PathStep::Index(index))) => {
                let index = index.as_number().unwrap_or(-1.0);
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "an index"
                )]
                let child = (index >= 0.0).then(|| list.get(index as usize)).flatten();
                (
                    child.ok_or_else(|| {
                        ExpressionError::new(format!("module.{name} has {} instances", list.len()))
                    })?,
                    2,
                )
            }
            (ChildModules::Each(map), Some(PathStep::Index(key))) => {
                let key = key.to_text()?;
                (
                    map.get(&key).ok_or_else(|| {
                        ExpressionError::new(format!("module.{name} has no instance {key:?}"))
                    })?,
                    2,
                )
            }
            _ => return Ok(self.whole_module(instance, name, &children)),
        };
        match steps.get(used) {
            Some(PathStep::Attribute(output)) => Ok(ResolvedPath {
                value: self.output(child, output)?,
                steps: used + 1,
            }),
            _ => Ok(ResolvedPath {
                value: self.outputs(child),
                steps: used,
            }),
        }
    }

    fn whole_module(
        &self,
        instance: &ModuleInstance,
        name: &str,
        children: &ChildModules,
    ) -> ResolvedPath {
        let value = match children {
            ChildModules::Missing => HclValue::Map(HclMap {
                entries: BTreeMap::new(),
                open: Some(OpenObject {
                    address: format!("{}module.{name}", instance.prefix),
                    is_resource: false,
                }),
            }),
            ChildModules::Single(child) => self.outputs(child),
            ChildModules::Count(list) => {
                HclValue::List(list.iter().map(|child| self.outputs(child)).collect())
            }
            ChildModules::Each(map) => HclValue::map(
                map.iter()
                    .map(|(key, child)| (key.as_str(), self.outputs(child))),
            ),
        };
        ResolvedPath { value, steps: 1 }
    }

    fn output(&self, child: &Rc<ModuleInstance>, name: &str) -> Result<HclValue, ExpressionError> {
        let output = child.module.outputs.get(name);
        let Some(value) = output.and_then(|block| block.attributes.get("value")) else {
            let module = child.prefix.trim_end_matches('.');
            return Err(ExpressionError::new(format!(
                "{module} has no output {name:?}"
            )));
        };
        self.named(&format!("{}output.{name}", child.prefix), || {
            self.expression(child, &value.expression, &[])
        })
    }

    fn outputs(&self, child: &Rc<ModuleInstance>) -> HclValue {
        let outputs = child.module.outputs.keys().map(|name| {
            let value = self.output(child, name);
            (
                name.as_str(),
                value.unwrap_or_else(|_| self.unknown(format!("{}{name}", child.prefix))),
            )
        });
        HclValue::map(outputs)
    }

    fn children_of(
        &self,
        instance: &Rc<ModuleInstance>,
        name: &str,
        call: &ConfigBlock,
    ) -> ChildModules {
        let address = format!("{}module.{name}", instance.prefix);
        if let Some(children) = self.children.borrow().get(&address) {
            return children.clone();
        }
        // A call whose number of instances depends on itself has one.
        self.children
            .borrow_mut()
            .insert(address.clone(), ChildModules::Missing);
        let children = self.load_children(instance, &address, call);
        self.children.borrow_mut().insert(address, children.clone());
        children
    }

    fn load_children(
        &self,
        instance: &Rc<ModuleInstance>,
        address: &str,
        call: &ConfigBlock,
    ) -> ChildModules {
        let Some(module) = self.load_module(instance, address, call) else {
            return ChildModules::Missing;
        };
        let create = |key: &str, names: Vec<(String, HclValue)>| {
            let arguments = call
                .attributes
                .iter()
                .filter(|(name, _)| !META.contains(&name.as_str()));
            Rc::new(ModuleInstance {
                prefix: format!("{address}{key}."),
                module: module.clone(),
                caller: Some(ModuleCaller {
                    instance: instance.clone(),
                    arguments: arguments
                        .map(|(name, value)| (name.clone(), value.clone()))
                        .collect(),
                    names,
                    depends_on: depends_on_addresses(call, &instance.prefix),
                }),
            })
        };
        match self.keys(instance, call, address) {
            Keys::One => ChildModules::Single(create("", Vec::new())),
            Keys::Unknown(names) => ChildModules::Single(create("", names)),
            Keys::Count(count) => {
                let children =
                    (0..count).map(|index| create(&format!("[{index}]"), Keys::count_names(index)));
                ChildModules::Count(children.collect())
            }
            Keys::Each(entries) => {
                let children = entries.into_iter().map(|(key, value)| {
                    let child = create(&format!("[{key:?}]"), Keys::each_names(&key, value));
                    (key, child)
                });
                ChildModules::Each(children.collect())
            }
        }
    }

    fn load_module(
        &self,
        instance: &Rc<ModuleInstance>,
        address: &str,
        call: &ConfigBlock,
    ) -> Option<Rc<TerraformModule>> {
        let source = call.attributes.get("source");
        let source = source
            .and_then(|source| source.expression.as_str())
            .unwrap_or_default();
        let folder = match source.starts_with("./") || source.starts_with("../") {
            true => Some(normalized(&instance.module.folder.join(source))),
            false => self.installed(address),
        };
        let Some(folder) = folder.filter(|folder| self.files.file_names(folder).is_some()) else {
            let message =
                format!("{address} is not read: its source {source:?} is not on this machine");
            let hint = match source.starts_with('.') {
                true => "check the path, which is relative to the folder of the module",
                false => "run `terraform init`, which puts it into .terraform/modules",
            };
            self.note(ConfigurationProblem::new(call.span, message).hint(hint));
            return None;
        };
        // A module that calls itself twice would have thousands of instances.
        let mut callers = std::iter::successors(Some(instance), |one| {
            one.caller.as_ref().map(|caller| &caller.instance)
        });
        if callers.any(|one| normalized(&one.module.folder) == normalized(&folder)) {
            self.note(ConfigurationProblem::new(
                call.span,
                format!("{address} is not read: the module calls itself"),
            ));
            return None;
        }
        if address.matches("module.").count() > DEEPEST {
            self.note(ConfigurationProblem::new(
                call.span,
                format!("{address} is not read: modules are nested too deeply"),
            ));
            return None;
        }
        if let Some(known) = self.modules.borrow().get(&folder) {
            return Some(known.clone());
        }
        let read = TerraformModule::read(&folder, self.files, &mut self.sources.borrow_mut());
        match read {
            Ok(module) => {
                let module = Rc::new(module);
                self.modules.borrow_mut().insert(folder, module.clone());
                Some(module)
            }
            Err(errors) => {
                self.errors.borrow_mut().extend(errors);
                None
            }
        }
    }

    /// Returns the folder into which `terraform init` has put a module.
    fn installed(&self, address: &str) -> Option<PathBuf> {
        let manifest = self
            .files
            .read(Path::new(".terraform/modules/modules.json"))
            .ok()??;
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).ok()?;
        // Keys are names without `module.` and without the keys of instances.
        let key = without_keys(address);
        let key: Vec<&str> = key.split('.').skip(1).step_by(2).collect();
        let key = key.join(".");
        let modules = manifest.get("Modules")?.as_array()?;
        let module = modules.iter().find(|module| module["Key"] == *key)?;
        module.get("Dir")?.as_str().map(PathBuf::from)
    }
}

/// Returns an address without the keys of instances, such as `module.a.module.b` of `module.a["x.y"].module.b[0]`.
fn without_keys(address: &str) -> String {
    let (mut names, mut is_key, mut is_text, mut is_escaped) = (String::new(), false, false, false);
    for letter in address.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_text = !is_text,
            '[' if !is_text => is_key = true,
            ']' if !is_text => is_key = false,
            other if !is_key => names.push(other),
            _ => {}
        }
    }
    names
}
