//! Notes about functions whose interpreter or packages differ from Lambda's.

use std::collections::{BTreeMap, BTreeSet};

use super::Functions;
use super::runtimes::{
    InterpretedRuntime, Interpreter, PackageAdvice, SearchContext, candidates, missing_imports,
};

impl Functions {
    /// Describes what differs from Lambda for Python and Node functions on this machine, one line each: another version of
    /// the interpreter, no interpreter, and packages that only Lambda has.
    pub async fn runtime_notes(&self) -> Vec<String> {
        let settings = &self.host.settings.functions;
        let mut interpreters = BTreeMap::new();
        let mut notes = BTreeSet::new();
        let mut missing: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
        for function in self.list() {
            let configuration = &function.configuration;
            let (Some(runtime), Ok(root)) = (
                InterpretedRuntime::parse(&configuration.runtime),
                &function.code.root,
            ) else {
                continue;
            };
            let source = function.code.source.as_deref();
            let context = SearchContext { source, settings };
            let key = (runtime.clone(), candidates(&runtime, &context));
            if !interpreters.contains_key(&key) {
                let found = Interpreter::find(&runtime, &context).await;
                notes.extend(note(&runtime, &found));
                interpreters.insert(key.clone(), found);
            }
            let Some(Ok(interpreter)) = interpreters.get(&key) else {
                continue;
            };
            let packages = missing_imports(interpreter, root, &configuration.environment).await;
            if packages.is_empty() {
                continue;
            }
            let packages = Vec::from_iter(packages).join(" ");
            let project = settings.project.as_deref();
            let advice = PackageAdvice::new(
                interpreter.clone(),
                source,
                project,
                root,
                &configuration.handler,
            );
            let functions = missing
                .entry(advice.install_command(&packages))
                .or_insert((packages, Vec::new()));
            functions.1.push(function.function.name.clone());
        }
        let missing = missing.into_iter().map(|(command, (packages, functions))| {
            let packages = packages.replace(' ', ", ");
            format!(
                "{}: Lambda has {packages} built in and this machine has not: {command}",
                functions.join(", ")
            )
        });
        notes.into_iter().chain(missing).collect()
    }
}

fn note(runtime: &InterpretedRuntime, found: &Result<Interpreter, String>) -> Option<String> {
    let name = &runtime.name;
    match found {
        Ok(interpreter) if interpreter.matches(runtime) => None,
        Ok(interpreter) => Some(format!(
            "{name} functions run on {} {} ({})",
            runtime.language.name(),
            interpreter.version,
            interpreter.program.display()
        )),
        Err(reason) => Some(format!("{name} functions cannot run: {reason}")),
    }
}
