//! Notes about functions that cannot run on this machine, and those whose interpreter or packages differ from Lambda's.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::environment::bootstrap;
use super::layer_paths::add_layers;
use super::runtimes::{
    InterpretedRuntime, Interpreter, Language, PackageAdvice, SearchContext, candidates,
    extensions, missing_packages, path_in_opt, unsupported_runtime,
};
use super::{FunctionVersion, Functions};

/// Note about functions on this machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuntimeNote {
    /// True if functions fail, or may fail, because of it.
    pub is_failure: bool,
    /// Sentence with the names of the functions, the reason, and advice.
    pub message: String,
}

/// Interpreters that were found, or the reasons, by runtime and candidates.
type FoundInterpreters = BTreeMap<(InterpretedRuntime, Vec<PathBuf>), Result<Interpreter, String>>;

impl Functions {
    /// Describes what differs from Lambda on this machine: another version of the interpreter, and then what makes functions
    /// fail, each reason once. That is missing code, a runtime that is not supported, no interpreter, and missing packages.
    /// Functions with these names are left out.
    pub async fn runtime_notes(&self, ignored: &[String]) -> Vec<RuntimeNote> {
        let mut interpreters = FoundInterpreters::new();
        let mut notes = BTreeSet::new();
        let mut failures: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut built_in = MissingBuiltIn::default();
        for function in self.list() {
            if ignored.contains(&function.function.name) {
                continue;
            }
            notes.extend(self.mounts_layers(&function).await);
            let reasons = match (&function.code.root, runtime(&function)) {
                (Err(reason), _) => vec![reason.clone()],
                (Ok(root), None) => not_interpreted(&function.configuration.runtime, root),
                (Ok(root), Some(runtime)) => {
                    let found = self
                        .interpreter(&function, &runtime, &mut interpreters)
                        .await;
                    notes.extend(note(&runtime, &found));
                    match found {
                        Ok(interpreter) => {
                            self.missing(&function, root, interpreter, &mut built_in)
                                .await
                        }
                        Err(_) => Vec::new(),
                    }
                }
            };
            for reason in reasons {
                let functions = failures.entry(reason).or_default();
                functions.push(function.function.name.clone());
            }
        }
        failures.extend(built_in.reasons());
        let failures = failures.into_iter().map(|(reason, functions)| RuntimeNote {
            is_failure: true,
            message: format!("{}: {reason}", functions.join(", ")),
        });
        notes.into_iter().chain(failures).collect()
    }

    /// Returns the note that functions see their layers in `/opt`, if this one does.
    async fn mounts_layers(&self, function: &FunctionVersion) -> Option<RuntimeNote> {
        let layers = function.configuration.layers.as_ref()?;
        self.host.layer_mount(layers).await.ok()?;
        Some(RuntimeNote {
            is_failure: false,
            message: "layers are in /opt for the functions that have them, in mount namespaces of their processes".to_owned(),
        })
    }

    async fn interpreter(
        &self,
        function: &FunctionVersion,
        runtime: &InterpretedRuntime,
        found: &mut FoundInterpreters,
    ) -> Result<Interpreter, String> {
        let context = SearchContext {
            source: function.code.source.as_deref(),
            settings: &self.host.settings.functions,
        };
        let key = (runtime.clone(), candidates(runtime, &context));
        if let Some(known) = found.get(&key) {
            return known.clone();
        }
        let interpreter = Interpreter::find(runtime, &context).await;
        found.insert(key, interpreter.clone());
        interpreter
    }

    /// Returns the reasons why imports and files of a function are not found. Missing packages that Lambda has built in are collected.
    async fn missing(
        &self,
        function: &FunctionVersion,
        root: &Path,
        interpreter: Interpreter,
        built_in: &mut MissingBuiltIn,
    ) -> Vec<String> {
        let language = interpreter.language;
        let packages = missing_packages(&interpreter, root, &variables(function)).await;
        let advice = PackageAdvice::new(
            interpreter,
            function.code.source.as_deref(),
            self.host.settings.functions.project.as_deref(),
            root,
            &function.configuration.handler,
        )
        .for_runtime(&function.configuration.runtime);
        let mut reasons = Vec::new();
        if !packages.declared.is_empty() {
            reasons.push(advice.not_installed(&Vec::from_iter(packages.declared)));
        }
        if packages.old_sdk {
            reasons.push(advice.old_sdk());
        }
        if !packages.built_in.is_empty() {
            built_in.add(advice, packages.built_in, &function.function.name);
        }
        if let Some(layers) = &function.configuration.layers {
            let mounted = self.host.layer_mount(layers).await.map(drop);
            reasons.extend(layer_reasons(language, root, layers, mounted).await);
        }
        reasons
    }
}

/// Returns the reasons why layers do not work here as on Lambda.
async fn layer_reasons(
    language: Language,
    root: &Path,
    layers: &Path,
    mounted: Result<(), String>,
) -> Vec<String> {
    let mut reasons = Vec::new();
    let extensions = extensions(layers).await;
    if !extensions.is_empty() {
        reasons.push(format!(
            "the extensions {} of its layers are not started: the function runs without them, and calls of their local servers fail",
            extensions.join(", ")
        ));
    }
    if let Err(refused) = mounted
        && let Some(path) = path_in_opt(language, root, layers).await
    {
        reasons.push(format!(
            "its code reads {path}, and layers are not in /opt here ({refused}): read the path from an environment variable, in which it is replaced"
        ));
    }
    reasons
}

/// Packages that Lambda has built in and functions lack here, by the command that installs them. One command helps all
/// functions that find packages in the same place.
#[derive(Default)]
struct MissingBuiltIn(BTreeMap<String, MissingGroup>);

/// Functions that one command helps.
struct MissingGroup {
    advice: PackageAdvice,
    packages: BTreeSet<String>,
    functions: Vec<String>,
}

impl MissingBuiltIn {
    fn add(&mut self, advice: PackageAdvice, packages: BTreeSet<String>, function: &str) {
        let command = advice.install_command("");
        let group = self.0.entry(command).or_insert_with(|| MissingGroup {
            advice,
            packages: BTreeSet::new(),
            functions: Vec::new(),
        });
        group.packages.extend(packages);
        group.functions.push(function.to_owned());
    }

    /// Returns each reason with its functions.
    fn reasons(self) -> impl Iterator<Item = (String, Vec<String>)> {
        self.0.into_values().map(|group| {
            let packages = Vec::from_iter(group.packages);
            let reason = format!(
                "Lambda has {} built in and this machine has not: {}",
                packages.join(", "),
                group.advice.install_command(&packages.join(" "))
            );
            (reason, group.functions)
        })
    }
}

fn runtime(function: &FunctionVersion) -> Option<InterpretedRuntime> {
    InterpretedRuntime::parse(&function.configuration.runtime)
}

/// Returns the reasons why a function without an interpreter cannot run.
fn not_interpreted(runtime: &str, root: &Path) -> Vec<String> {
    let reason = unsupported_runtime(runtime).or_else(|| bootstrap(root).err());
    reason.into_iter().collect()
}

/// Returns the environment variables of a function, with the folders of its layers.
fn variables(function: &FunctionVersion) -> BTreeMap<String, String> {
    let configuration = &function.configuration;
    let Some(layers) = &configuration.layers else {
        return configuration.environment.clone();
    };
    let own = configuration.environment.iter();
    let mut variables: BTreeMap<OsString, OsString> = own
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    add_layers(layers, runtime(function).as_ref(), &mut variables);
    let texts = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.collect()
}

fn note(runtime: &InterpretedRuntime, found: &Result<Interpreter, String>) -> Option<RuntimeNote> {
    let name = &runtime.name;
    let note = |is_failure, message| {
        Some(RuntimeNote {
            is_failure,
            message,
        })
    };
    match found {
        Ok(interpreter) if interpreter.matches(runtime) => None,
        Ok(interpreter) => note(
            false,
            format!(
                "{name} functions run on {} {} ({})",
                runtime.language.name(),
                interpreter.version,
                interpreter.program.display()
            ),
        ),
        Err(reason) => note(true, format!("{name} functions cannot run: {reason}")),
    }
}
