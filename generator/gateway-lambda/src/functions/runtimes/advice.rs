//! Advice on packages that a function lacks here: those that Lambda has built in, and those that it declares.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::dependencies::{declared_packages, normalized};
use super::sdk::{OLD_SDK, built_in_package, missing_module};
use super::{Interpreter, Language};

/// Gives advice on the packages of one function.
#[derive(Debug)]
pub(in super::super) struct PackageAdvice {
    interpreter: Interpreter,
    /// Folder of the code; `None` for archives.
    source: Option<PathBuf>,
    /// Folder of the project.
    project: Option<PathBuf>,
    /// Copy of the code.
    root: PathBuf,
    /// Path of the handler's module, without an extension.
    module: PathBuf,
    runtime: String,
}

impl PackageAdvice {
    /// Creates advice for a function with this handler and this copy of its code.
    pub(in super::super) fn new(
        interpreter: Interpreter,
        source: Option<&Path>,
        project: Option<&Path>,
        root: &Path,
        handler: &str,
    ) -> Self {
        PackageAdvice {
            interpreter,
            source: source.map(Path::to_owned),
            project: project.map(Path::to_owned),
            root: root.to_owned(),
            module: root.join(handler.split('.').next().unwrap_or_default()),
            runtime: String::new(),
        }
    }

    /// Sets the runtime, on which the packages depend that Lambda has built in.
    pub(in super::super) fn for_runtime(mut self, runtime: &str) -> Self {
        runtime.clone_into(&mut self.runtime);
        self
    }

    /// Returns advice if an error of the Runtime API says that a package of Lambda is missing, or that the handler is
    /// TypeScript.
    pub(in super::super) fn for_error(&self, error: &[u8]) -> Option<String> {
        let error: Json = serde_json::from_slice(error).ok()?;
        let message = error["errorMessage"].as_str()?;
        let language = self.interpreter.language;
        if let Some(module) = missing_module(language, message) {
            let is_old_sdk = module == OLD_SDK || module.starts_with("aws-sdk/");
            if language == Language::Node && is_old_sdk && !self.declares(OLD_SDK) {
                return Some(self.old_sdk());
            }
            if let Some(package) = built_in_package(language, module) {
                let command = self.install_command(&package);
                return Some(format!(
                    "Lambda has {package} built in and this machine has not: {command}"
                ));
            }
            if let Some(package) = self.declared_package(module) {
                return Some(self.not_installed(&[package]));
            }
        }
        let source = self.module.with_extension("ts");
        (error["errorType"] == "Runtime.ImportModuleError" && source.is_file()).then(|| {
            let name = source.file_name().unwrap_or_default().to_string_lossy();
            format!("{name} is TypeScript, which Lambda does not run: compile it to JavaScript")
        })
    }

    /// Returns advice on version 2 of AWS's SDK for JavaScript.
    pub(in super::super) fn old_sdk(&self) -> String {
        if has_old_sdk(&self.runtime) {
            let command = self.install_command(OLD_SDK);
            return format!("Lambda has {OLD_SDK} built in and this machine has not: {command}");
        }
        format!(
            "{} does not have {OLD_SDK} (version 2) built in: use the packages of @aws-sdk, or add {OLD_SDK} to the code",
            self.runtime
        )
    }

    fn declares(&self, package: &str) -> bool {
        declared_packages(self.interpreter.language, &self.root).contains(package)
    }

    /// Returns the package of package.json or requirements.txt that contains a module.
    fn declared_package(&self, module: &str) -> Option<String> {
        let language = self.interpreter.language;
        let package = match language {
            Language::Node => {
                let parts = if module.starts_with('@') { 2 } else { 1 };
                let parts: Vec<_> = module.split('/').take(parts).collect();
                parts.join("/")
            }
            Language::Python => normalized(module.split('.').next().unwrap_or_default()),
        };
        declared_packages(language, &self.root).take(&package)
    }

    /// Returns advice on packages of package.json or requirements.txt that are not installed.
    pub(in super::super) fn not_installed(&self, packages: &[String]) -> String {
        let (file, command) = match (self.interpreter.language, &self.source) {
            (Language::Node, Some(source)) => (
                "package.json",
                format!("npm install --prefix {}", quoted(source)),
            ),
            (Language::Node, None) => ("package.json", self.install_command(&packages.join(" "))),
            (Language::Python, Some(source)) => {
                let file = quoted(&source.join("requirements.txt"));
                (
                    "requirements.txt",
                    self.install_command(&format!("-r {file}")),
                )
            }
            (Language::Python, None) => (
                "requirements.txt",
                self.install_command(&packages.join(" ")),
            ),
        };
        let names = packages.join(", ");
        let verb = if packages.len() == 1 { "is" } else { "are" };
        format!("{names} of {file} {verb} not installed: {command}")
    }

    /// Returns the folder in whose `node_modules` a Node function finds packages: the project's, unless a folder in between has
    /// packages of its own, which are linked in its place.
    fn node_folder(&self) -> Option<&Path> {
        let (Some(source), Some(project)) = (&self.source, &self.project) else {
            return self.source.as_deref().or(self.project.as_deref());
        };
        let above = source.ancestors().skip(1);
        let mut between = above.take_while(|folder| folder.starts_with(project));
        let nearest = between.find(|folder| folder.join("node_modules").is_dir());
        match source.starts_with(project) {
            true => Some(nearest.unwrap_or(project)),
            false => Some(source),
        }
    }

    /// Returns the command that installs packages where the function finds them.
    pub(in super::super) fn install_command(&self, packages: &str) -> String {
        let program = quoted(&self.interpreter.program);
        match (self.interpreter.language, self.node_folder(), &self.project) {
            (Language::Node, Some(folder), _) => {
                format!(
                    "npm install --no-save --prefix {} {packages}",
                    quoted(folder)
                )
            }
            (Language::Node, None, _) => format!("npm install --no-save {packages}"),
            (Language::Python, _, Some(project))
                if self.interpreter.virtual_environment().is_none() =>
            {
                // Systems often refuse to install packages outside of a virtual environment.
                let environment = project.join(".venv");
                format!(
                    "{program} -m venv {} && {} -m pip install {packages}",
                    quoted(&environment),
                    quoted(&environment.join("bin/python"))
                )
            }
            (Language::Python, ..) => format!("{program} -m pip install {packages}"),
        }
    }
}

/// Returns true for runtimes that contain version 2 of the SDK: those up to nodejs16.x.
fn has_old_sdk(runtime: &str) -> bool {
    let version = runtime.trim_start_matches("nodejs").split('.').next();
    version.is_some_and(|version| version.parse().is_ok_and(|version: u32| version <= 16))
}

/// Quotes a path for a shell, if it needs that.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@:".contains(c);
    match text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(language: Language, program: &Path, source: Option<&Path>) -> PackageAdvice {
        let interpreter = Interpreter {
            language,
            program: program.to_owned(),
            version: "20.1.0".to_owned(),
        };
        PackageAdvice::new(
            interpreter,
            source,
            Some(Path::new("/p")),
            Path::new("/root"),
            "src/app.handler",
        )
    }

    #[test]
    fn node_packages_are_installed_in_the_project() {
        let source = Path::new("/p/code");
        let advice = advice(Language::Node, Path::new("/bin/node"), Some(source));
        let error = br#"{"errorType":"Error","errorMessage":"Cannot find package '@aws-sdk/client-s3' imported from x"}"#;
        assert_eq!(
            advice.for_error(error).as_deref(),
            Some(
                "Lambda has @aws-sdk/client-s3 built in and this machine has not: npm install --no-save --prefix /p @aws-sdk/client-s3"
            )
        );
        assert_eq!(advice.for_error(br#"{"errorMessage":"on purpose"}"#), None);
        assert_eq!(advice.for_error(b"no json"), None);
    }

    #[test]
    fn node_packages_are_installed_where_the_nearest_packages_are() {
        let project = tempfile::tempdir().expect("a folder");
        let source = project.path().join("it's/code");
        let between = project.path().join("it's");
        std::fs::create_dir_all(between.join("node_modules")).expect("a folder");
        let of = |source: &Path, project: &Path| {
            let node = Interpreter {
                language: Language::Node,
                program: "/bin/node".into(),
                version: "20.1.0".to_owned(),
            };
            let root = Path::new("/root");
            PackageAdvice::new(node, Some(source), Some(project), root, "a.b").install_command("x")
        };
        let quoted = quoted(&between);
        assert_eq!(
            of(&source, project.path()),
            format!("npm install --no-save --prefix {quoted} x")
        );
        assert_eq!(
            of(Path::new("/elsewhere"), project.path()),
            "npm install --no-save --prefix /elsewhere x"
        );
    }

    #[test]
    fn python_packages_are_installed_in_the_virtual_environment() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("bin/python");
        let install = || advice(Language::Python, &program, None).install_command("boto3");
        let program = program.display();
        let expected =
            format!("{program} -m venv /p/.venv && /p/.venv/bin/python -m pip install boto3");
        assert_eq!(install(), expected);
        std::fs::write(folder.path().join("pyvenv.cfg"), "").expect("a file");
        assert_eq!(install(), format!("{program} -m pip install boto3"));
    }

    #[test]
    fn a_declared_package_that_is_missing_comes_with_the_command_of_its_file() {
        let root = tempfile::tempdir().expect("a folder");
        let source = Path::new("/p/code");
        std::fs::write(
            root.path().join("package.json"),
            r#"{"dependencies":{"@a/b":"1"}}"#,
        )
        .expect("a file");
        std::fs::write(root.path().join("requirements.txt"), "Py_JWT\n").expect("a file");
        let advice = |language, source| {
            let interpreter = Interpreter {
                language,
                program: "/bin/x".into(),
                version: "20.1.0".to_owned(),
            };
            PackageAdvice::new(interpreter, source, None, root.path(), "app.handler")
        };
        let node = br#"{"errorMessage":"Cannot find module '@a/b/c'"}"#;
        assert_eq!(
            advice(Language::Node, Some(source))
                .for_error(node)
                .as_deref(),
            Some("@a/b of package.json is not installed: npm install --prefix /p/code")
        );
        assert_eq!(
            advice(Language::Node, None).for_error(node).as_deref(),
            Some("@a/b of package.json is not installed: npm install --no-save @a/b")
        );
        let python = br#"{"errorMessage":"No module named 'py_jwt'"}"#;
        assert_eq!(
            advice(Language::Python, Some(source))
                .for_error(python)
                .as_deref(),
            Some(
                "py-jwt of requirements.txt is not installed: /bin/x -m pip install -r /p/code/requirements.txt"
            )
        );
        let own = br#"{"errorMessage":"No module named 'own'"}"#;
        assert_eq!(advice(Language::Python, Some(source)).for_error(own), None);
    }

    #[test]
    fn version_2_of_the_sdk_is_built_into_old_runtimes_only() {
        let error =
            br#"{"errorMessage":"Error: Cannot find module 'aws-sdk/clients/sqs'\nRequire stack:"}"#;
        let hint = |runtime| {
            let advice = advice(Language::Node, Path::new("/bin/node"), None);
            advice.for_runtime(runtime).for_error(error)
        };
        let old = "Lambda has aws-sdk built in and this machine has not: npm install --no-save --prefix /p aws-sdk";
        assert_eq!(hint("nodejs16.x").as_deref(), Some(old));
        assert_eq!(hint("nodejs8.10").as_deref(), Some(old));
        let new = "nodejs18.x does not have aws-sdk (version 2) built in: use the packages of @aws-sdk, or add aws-sdk \
                   to the code";
        assert_eq!(hint("nodejs18.x").as_deref(), Some(new));
    }

    #[test]
    fn a_handler_in_typescript_must_be_compiled() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("app.ts"), "").expect("a file");
        let interpreter = Interpreter {
            language: Language::Node,
            program: "/bin/node".into(),
            version: "22.0.0".to_owned(),
        };
        let advice = PackageAdvice::new(interpreter, None, None, root.path(), "app.handler");
        let error = br#"{"errorType":"Runtime.ImportModuleError","errorMessage":"Error: Cannot find module 'app'"}"#;
        let hint = advice.for_error(error).expect("advice");
        assert_eq!(
            hint,
            "app.ts is TypeScript, which Lambda does not run: compile it to JavaScript"
        );
    }
}
