//! Environment variables with which function processes find the content of their layers.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::runtimes::{InterpretedRuntime, Language};

/// Folder of layers on Lambda.
pub(super) const OPT: &str = "/opt";

/// Appends the folders of layers to the variables in which Lambda has those of `/opt`, and replaces paths in `/opt` that exist
/// in the layers. `variables` has the values of the function itself.
pub(super) fn add_layers(
    layers: &Path,
    runtime: Option<&InterpretedRuntime>,
    variables: &mut BTreeMap<OsString, OsString>,
) {
    for value in variables.values_mut() {
        if let Some(replaced) = value.to_str().and_then(|value| in_layers(layers, value)) {
            *value = replaced.into();
        }
    }
    let mut append = |name: &str, folder: String| {
        let folder = layers.join(folder);
        if !folder.is_dir() {
            return;
        }
        let value = variables.entry(name.into()).or_default();
        if !value.is_empty() {
            value.push(":");
        }
        value.push(folder);
    };
    append("PATH", "bin".to_owned());
    append("LD_LIBRARY_PATH", "lib".to_owned());
    match runtime.map(|runtime| (runtime.language, &runtime.version)) {
        Some((Language::Python, version)) => {
            append(
                "PYTHONPATH",
                format!("python/lib/python{version}/site-packages"),
            );
            append("PYTHONPATH", "python".to_owned());
        }
        Some((Language::Node, version)) => {
            append("NODE_PATH", format!("nodejs/node{version}/node_modules"));
            append("NODE_PATH", "nodejs/node_modules".to_owned());
        }
        None => {}
    }
}

/// Returns a value in which paths of existing files in `/opt` are those of the layers; `None` if there are none.
fn in_layers(layers: &Path, value: &str) -> Option<String> {
    if !value.contains(OPT) {
        return None;
    }
    let parts = value.split_inclusive([':', ' ', '=']);
    let replaced = parts.map(|part| {
        let path = part.trim_end_matches([':', ' ', '=']);
        let inside = path.strip_prefix(OPT).and_then(|rest| match rest {
            "" => Some(rest),
            rest => rest.strip_prefix('/'),
        });
        match inside {
            Some(inside) if layers.join(inside).exists() => {
                format!("{}{}", layers.join(inside).display(), &part[path.len()..])
            }
            _ => part.to_owned(),
        }
    });
    Some(replaced.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(layers: &Path, runtime: &str, variables: &[(&str, &str)]) -> Vec<String> {
        let variables = variables.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        let mut variables: BTreeMap<OsString, OsString> = variables.collect();
        let runtime = InterpretedRuntime::parse(runtime);
        add_layers(layers, runtime.as_ref(), &mut variables);
        let root = layers.display().to_string();
        let lines = variables
            .iter()
            .map(|(name, value)| format!("{}={}", name.display(), value.display()));
        lines.map(|line| line.replace(&root, "LAYERS")).collect()
    }

    #[test]
    fn folders_of_layers_follow_those_of_the_function() {
        let layers = tempfile::tempdir().expect("a folder");
        for folder in [
            "bin",
            "lib",
            "python/lib/python3.13/site-packages",
            "nodejs/node22/node_modules",
            "nodejs/node_modules",
        ] {
            std::fs::create_dir_all(layers.path().join(folder)).expect("a folder");
        }
        let variables = [("PATH", "/bin"), ("PYTHONPATH", "own")];
        assert_eq!(
            added(layers.path(), "python3.13", &variables),
            [
                "LD_LIBRARY_PATH=LAYERS/lib",
                "PATH=/bin:LAYERS/bin",
                "PYTHONPATH=own:LAYERS/python/lib/python3.13/site-packages:LAYERS/python",
            ]
        );
        assert_eq!(
            added(layers.path(), "nodejs22.x", &[]),
            [
                "LD_LIBRARY_PATH=LAYERS/lib",
                "NODE_PATH=LAYERS/nodejs/node22/node_modules:LAYERS/nodejs/node_modules",
                "PATH=LAYERS/bin",
            ]
        );
        assert_eq!(
            added(layers.path(), "provided.al2023", &[]),
            ["LD_LIBRARY_PATH=LAYERS/lib", "PATH=LAYERS/bin"]
        );
    }

    #[test]
    fn paths_in_opt_that_layers_have_are_replaced_in_variables() {
        let layers = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(layers.path().join("tools")).expect("a folder");
        std::fs::write(layers.path().join("tools/x"), "").expect("written");
        for (value, expected) in [
            ("/opt/tools/x", "LAYERS/tools/x"),
            ("/a:/opt/tools:/opt/other", "/a:LAYERS/tools:/opt/other"),
            (
                "--require /opt/tools/x -a=/opt",
                "--require LAYERS/tools/x -a=LAYERS/",
            ),
            ("/optional", "/optional"),
            ("x/opt/tools", "x/opt/tools"),
        ] {
            assert_eq!(
                added(layers.path(), "", &[("V", value)]),
                [format!("V={expected}")]
            );
        }
    }
}
