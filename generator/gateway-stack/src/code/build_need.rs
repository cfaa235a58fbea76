//! Sources that must be built before Lambda can run them.

use std::fs;
use std::path::Path;

use stackgen_gateway_lambda::functions::node_dependencies;
use stackgen_model::{Resolved, Resource};

/// Build that the sources of a function need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BuildNeed {
    /// Reason for the build, and the command.
    pub(super) reason: String,
    /// True if the sources may run without the build, with packages that are installed elsewhere.
    pub(super) may_run: bool,
}

impl BuildNeed {
    fn required(reason: String) -> Option<Self> {
        Some(BuildNeed {
            reason,
            may_run: false,
        })
    }
}

/// Returns the build that a function or layer with these sources needs; `None` if they run as they are. `top` is the folder
/// of the template, in and below which packages are searched.
pub(super) fn of(resource: &Resource, sources: &Path, top: &Path) -> Option<BuildNeed> {
    if !sources.is_dir() {
        return None;
    }
    if let Some(method) = build_method(resource) {
        return BuildNeed::required(format!(
            "it is built with `BuildMethod: {method}`: run `sam build`"
        ));
    }
    let property = |name: &str| {
        let value = resource.properties.get(name).and_then(Resolved::as_literal);
        value.unwrap_or_default()
    };
    let (runtime, handler) = (property("Runtime"), property("Handler"));
    if runtime.starts_with("provided") {
        return missing_bootstrap(sources);
    }
    if runtime.starts_with("nodejs") {
        return typescript(sources, handler).or_else(|| node_packages(sources, top));
    }
    (runtime.starts_with("python") && has_requirements(sources)).then(|| BuildNeed {
        reason: "the packages of requirements.txt are not in its code: run `sam build`".to_owned(),
        may_run: true,
    })
}

fn build_method(resource: &Resource) -> Option<&str> {
    let metadata = resource.attributes.get("Metadata")?;
    metadata.get("BuildMethod")?.as_literal()
}

fn missing_bootstrap(sources: &Path) -> Option<BuildNeed> {
    if sources.join("bootstrap").exists() {
        return None;
    }
    // The program runs on this machine, and other systems than Linux do not run Lambda's executables.
    let go = match cfg!(target_os = "linux") {
        true => "`GOOS=linux go build -o bootstrap` in its folder, or `sam build`",
        false => "`go build -o bootstrap` in its folder",
    };
    let build = if sources.join("go.mod").is_file() || has_extension(sources, "go") {
        go
    } else if sources.join("Cargo.toml").is_file() {
        "`cargo lambda build`, or `sam build` with `BuildMethod: rust-cargolambda`"
    } else {
        "build the executable, or run `sam build`"
    };
    BuildNeed::required(format!(
        "its code has no file named bootstrap, which provided runtimes start: {build}"
    ))
}

fn has_extension(folder: &Path, extension: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .any(|path| path.extension().is_some_and(|found| found == extension))
}

/// Returns the need of a handler that exists only in TypeScript.
fn typescript(sources: &Path, handler: &str) -> Option<BuildNeed> {
    let module = handler
        .rsplit_once('.')
        .map_or(handler, |(module, _)| module);
    let exists = |extension: &str| sources.join(format!("{module}{extension}")).is_file();
    if ["", ".js", ".mjs", ".cjs"].into_iter().any(exists) {
        return None;
    }
    let extension = [".ts", ".mts", ".cts", ".tsx"]
        .into_iter()
        .find(|one| exists(one))?;
    BuildNeed::required(format!(
        "{module}{extension} is TypeScript, which Lambda does not run: compile it to JavaScript, or run `sam build` with \
         `BuildMethod: esbuild`"
    ))
}

/// Returns the need of sources whose package.json names packages that are not installed.
fn node_packages(sources: &Path, top: &Path) -> Option<BuildNeed> {
    let is_installed = |package: &String| {
        let above = sources.ancestors().enumerate();
        let mut folders =
            above.take_while(|(depth, folder)| *depth == 0 || folder.starts_with(top));
        folders.any(|(_, folder)| folder.join("node_modules").join(package).is_dir())
    };
    let packages = node_dependencies(sources);
    packages.iter().any(|package| !is_installed(package)).then(|| BuildNeed {
        reason: "the packages of package.json are not installed: run `npm install` in its folder, or `sam build`".to_owned(),
        may_run: true,
    })
}

fn has_requirements(sources: &Path) -> bool {
    let text = fs::read_to_string(sources.join("requirements.txt")).unwrap_or_default();
    text.lines()
        .map(str::trim)
        .any(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use stackgen_cfn::Sources;
    use stackgen_model::{Inputs, LogicalId, Model};

    use super::*;

    /// Returns the need of a function with these attributes and files, as text.
    fn need(attributes: &str, files: &[(&str, &str)]) -> String {
        let top = tempfile::tempdir().expect("a folder");
        let sources = top.path().join("src");
        fs::create_dir(&sources).expect("a folder");
        for (path, text) in files {
            let path = sources.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("written");
        }
        let text = format!("Resources: {{ F: {{ Type: AWS::Lambda::Function, {attributes} }} }}");
        let mut parsed = Sources::new();
        let node = stackgen_cfn::parse(parsed.add("t.yaml", text)).expect("a template");
        let model = Model::from_template(&node, &Inputs::none());
        let function = model.resource(&LogicalId::new("F")).expect("a function");
        match of(function, &sources, top.path()) {
            Some(need) if need.may_run => format!("may run: {}", need.reason),
            Some(need) => need.reason,
            None => "none".to_owned(),
        }
    }

    #[test]
    fn sources_that_lambda_runs_as_they_are_need_no_build() {
        let node = "Properties: { Runtime: nodejs22.x, Handler: src/app.handler }";
        let python = "Properties: { Runtime: python3.13, Handler: app.handler }";
        let provided = "Properties: { Runtime: provided.al2023, Handler: x }";
        let manifest = ("package.json", r#"{"dependencies":{"a":"1"}}"#);
        for (attributes, files) in [
            (node, &[("src/app.js", ""), ("src/app.ts", "")][..]),
            (
                node,
                &[("src/app.mjs", ""), manifest, ("../node_modules/a/x", "")],
            ),
            (
                python,
                &[("app.py", ""), ("requirements.txt", "# none\n\n")],
            ),
            (provided, &[("bootstrap", ""), ("main.go", "")]),
        ] {
            assert_eq!(need(attributes, files), "none", "{attributes} {files:?}");
        }
    }

    #[test]
    fn sources_that_must_be_built_come_with_the_command() {
        let node = "Properties: { Runtime: nodejs22.x, Handler: app.handler }";
        let python = "Properties: { Runtime: python3.13, Handler: app.handler }";
        let provided = "Properties: { Runtime: provided.al2023, Handler: x }";
        let made = "Properties: { Runtime: nodejs22.x }, Metadata: { BuildMethod: makefile }";
        let manifest = ("package.json", r#"{"dependencies":{"a":"1"}}"#);
        for (attributes, files, expected) in [
            (node, &[("app.ts", "")][..], "app.ts is TypeScript"),
            (
                node,
                &[("app.js", ""), manifest],
                "may run: the packages of package.json",
            ),
            (
                python,
                &[("requirements.txt", "a\n")],
                "may run: the packages of requirements.txt",
            ),
            (provided, &[("go.mod", "")], "go build -o bootstrap`"),
            (provided, &[("Cargo.toml", "")], "`cargo lambda build`"),
            (provided, &[], "or run `sam build`"),
            (made, &[], "`BuildMethod: makefile`: run `sam build`"),
        ] {
            let found = need(attributes, files);
            assert!(found.contains(expected), "{expected}: {found}");
        }
    }
}
