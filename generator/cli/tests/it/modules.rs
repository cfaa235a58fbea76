//! Circles between the modules of a folder.
//!
//! A module may use the modules above it and below it. Two modules of one folder must not use each other, directly or through
//! others. A re-exported name counts as a use of the module that declares it. The exceptions are listed with their reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::common::root;

/// Circles that stay: the crate, the folder, the modules, and the reason.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        krate: "generator/cfn",
        folder: "",
        modules: &["intrinsic", "node"],
        reason: "a node can be an intrinsic function, whose argument is a node",
    },
    Exception {
        krate: "generator/gateway-lambda",
        folder: "functions",
        modules: &["environment", "pool"],
        reason: "a pool starts environments, and an environment reports to its pool",
    },
    Exception {
        krate: "generator/lint",
        folder: "",
        modules: &["context", "facts", "finding", "rule", "suppressions"],
        reason: "a finding names its rule, and a rule holds the function that checks facts and returns findings",
    },
    Exception {
        krate: "generator/model",
        folder: "resolve",
        modules: &["text", "unknown", "value"],
        reason: "a value can be a text, a text has unknown pieces, and an unknown piece has possible values",
    },
];

struct Exception {
    krate: &'static str,
    folder: &'static str,
    modules: &'static [&'static str],
    reason: &'static str,
}

/// A module's path from the root of its crate.
type ModulePath = Vec<String>;

/// The modules of a crate.
struct Modules {
    code: BTreeMap<ModulePath, String>,
    /// Paths of the names that each module re-exports.
    exports: BTreeMap<(ModulePath, String), ModulePath>,
}

impl Modules {
    fn read(source: &Path) -> Modules {
        let code: BTreeMap<_, _> = files(source)
            .into_iter()
            .map(|file| {
                let text = std::fs::read_to_string(&file).unwrap();
                (
                    module(file.strip_prefix(source).unwrap()),
                    without_tests(&text),
                )
            })
            .collect();
        let mut modules = Modules {
            code,
            exports: BTreeMap::new(),
        };
        modules.exports = modules
            .code
            .iter()
            .flat_map(|(at, code)| exports(at, code))
            .collect();
        modules
    }

    /// Returns the modules that a module uses.
    fn uses(&self, at: &ModulePath) -> BTreeSet<ModulePath> {
        let used = used_paths(at, &self.code[at]).into_iter();
        used.map(|path| self.declaring(path, 0)).collect()
    }

    /// Returns the module that declares the item with a path. Follows re-exports.
    fn declaring(&self, mut path: ModulePath, depth: usize) -> ModulePath {
        let mut rest = Vec::new();
        while !self.code.contains_key(&path) {
            rest.insert(0, path.pop().unwrap());
        }
        let Some(name) = rest.first() else {
            return path;
        };
        let from = self.exports.get(&(path.clone(), name.clone()));
        match from.filter(|from| depth < 8 && !from.starts_with(&[&path[..], &rest[..1]].concat()))
        {
            Some(from) => self.declaring([from.as_slice(), &rest[1..]].concat(), depth + 1),
            None => path,
        }
    }

    /// Returns the circles, by folder: sets of modules of which each uses every other one, directly or not.
    fn circles(&self) -> BTreeSet<(String, Vec<String>)> {
        let mut siblings: BTreeMap<&[String], BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
        for at in self.code.keys() {
            for other in self.uses(at) {
                if other.starts_with(at) || at.starts_with(&other) {
                    continue;
                }
                let common = at.iter().zip(&other).take_while(|(a, b)| a == b).count();
                let users = siblings.entry(&at[..common]).or_default();
                users
                    .entry(&at[common])
                    .or_default()
                    .insert(other[common].clone());
            }
        }
        let mut circles = BTreeSet::new();
        for (folder, users) in siblings {
            let reached: BTreeMap<_, _> = users
                .keys()
                .map(|from| (*from, reach(from, &users)))
                .collect();
            for (from, others) in &reached {
                let back = |other: &&String| {
                    reached
                        .get(other.as_str())
                        .is_some_and(|back| back.contains(*from))
                };
                let circle: Vec<String> = others.iter().filter(back).cloned().collect();
                if !circle.is_empty() {
                    circles.insert((folder.join("::"), circle));
                }
            }
        }
        circles
    }
}

/// Returns everything that a module of a folder uses, directly or through others.
fn reach(from: &str, users: &BTreeMap<&str, BTreeSet<String>>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut left = vec![from.to_owned()];
    while let Some(next) = left.pop() {
        for other in users.get(next.as_str()).into_iter().flatten() {
            if reached.insert(other.clone()) {
                left.push(other.clone());
            }
        }
    }
    reached
}

/// Returns the Rust files below a folder, without files of tests.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "tests"))
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// Returns the module of a file: `deploy/mod.rs` and `deploy.rs` are `deploy`.
fn module(file: &Path) -> ModulePath {
    let path = file.with_extension("");
    let parts = path.iter().map(|part| part.to_str().unwrap().to_owned());
    parts
        .filter(|part| !["main", "lib", "mod"].contains(&part.as_str()))
        .collect()
}

/// Returns code without comments and without its modules of tests, on one line.
fn without_tests(text: &str) -> String {
    let tests = text
        .match_indices("#[cfg(test)]\nmod ")
        .find(|(start, attribute)| {
            // `mod name;` is a file of its own, which is read too.
            let line = text[start + attribute.len()..].lines().next();
            line.is_some_and(|line| line.ends_with('{'))
        });
    let code = tests.map_or(text, |(start, _)| &text[..start]);
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().trim());
    lines.collect::<Vec<_>>().join(" ")
}

/// Returns the names that a module re-exports, with their paths.
fn exports(at: &ModulePath, code: &str) -> Vec<((ModulePath, String), ModulePath)> {
    let public = ["pub use ", "pub(crate) use ", "pub(super) use "];
    let uses = public.iter().flat_map(|start| code.split(start).skip(1));
    uses.flat_map(|rest| {
        let uses = rest.split(';').next().unwrap_or_default();
        match absolute(at, uses) {
            Some((base, uses)) => leaves(uses, &base),
            None => leaves(uses, at),
        }
    })
    .filter_map(|path| Some(((at.clone(), path.last()?.clone()), path.clone())))
    .collect()
}

/// Returns paths that begin with `crate` or `super`, from the root of the crate.
fn used_paths(at: &ModulePath, code: &str) -> Vec<ModulePath> {
    let starts = code
        .match_indices("crate::")
        .chain(code.match_indices("super::"));
    starts
        .filter(|(start, _)| !code[..*start].ends_with("super::") && !code[..*start].ends_with('$'))
        .filter_map(|(start, _)| absolute(at, &code[start..]))
        .flat_map(|(base, rest)| leaves(rest, &base))
        .collect()
}

/// Splits off `crate::`, `self::` and `super::`. Returns the module that they name, and the rest.
fn absolute<'a>(at: &ModulePath, code: &'a str) -> Option<(ModulePath, &'a str)> {
    if let Some(rest) = code.strip_prefix("crate::") {
        return Some((Vec::new(), rest));
    }
    if let Some(rest) = code.strip_prefix("self::") {
        return Some((at.clone(), rest));
    }
    let (mut base, mut rest) = (at.clone(), code);
    while let Some(after) = rest.strip_prefix("super::") {
        base.pop();
        rest = after;
    }
    (rest.len() < code.len()).then_some((base, rest))
}

/// Returns the paths of a use tree, such as `account::{AccountArgs, target::TargetArgs}`.
fn leaves(code: &str, base: &[String]) -> Vec<ModulePath> {
    if let Some(inside) = code.strip_prefix('{') {
        return branches(inside)
            .into_iter()
            .flat_map(|branch| leaves(branch, base))
            .collect();
    }
    let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let (name, rest) = code.split_at(end.unwrap_or(code.len()));
    let path = match name {
        "" | "self" => base.to_vec(),
        name => [base, &[name.to_owned()]].concat(),
    };
    match rest.strip_prefix("::") {
        Some(rest) => leaves(rest, &path),
        None => vec![path],
    }
}

/// Returns the parts between commas up to the closing brace.
fn branches(code: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(code[start..at].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(code[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns the folders of sources of every crate, by the path of the crate.
fn crates() -> BTreeMap<String, PathBuf> {
    let folders = ["generator", "handlers"].map(|folder| root().join(folder));
    let crates = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    crates
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("src").is_dir())
        .map(|path| {
            let name = path
                .strip_prefix(root())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            (name, path.join("src"))
        })
        .collect()
}

#[test]
fn modules_of_a_folder_form_no_circle() {
    let mut found = BTreeSet::new();
    for (krate, source) in crates() {
        for (folder, modules) in Modules::read(&source).circles() {
            found.insert((krate.clone(), folder, modules));
        }
    }
    let listed: BTreeSet<_> = EXCEPTIONS
        .iter()
        .map(|exception| {
            assert!(!exception.reason.is_empty());
            let modules = exception.modules.iter().map(ToString::to_string).collect();
            (
                exception.krate.to_owned(),
                exception.folder.to_owned(),
                modules,
            )
        })
        .collect();
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(new.is_empty(), "modules use each other: {new:#?}");
    let outdated: Vec<_> = listed.difference(&found).collect();
    assert!(
        outdated.is_empty(),
        "these circles are gone, remove their exceptions: {outdated:#?}"
    );
}

/// In the command line, arguments and helpers of several commands are in modules beside the commands, not above them.
#[test]
fn modules_of_the_command_line_do_not_use_those_above_them() {
    let modules = Modules::read(&root().join("generator/cli/src"));
    let checked = modules
        .code
        .keys()
        .filter(|at| at.first().is_none_or(|first| first != "reference"));
    for at in checked {
        let above: Vec<_> = modules
            .uses(at)
            .into_iter()
            .filter(|other| at.starts_with(other) && at != other)
            .collect();
        assert!(above.is_empty(), "{at:?} uses {above:?}");
    }
}

#[test]
fn uses_are_found_in_trees_and_through_re_exports() {
    let modules = |files: &[(&str, &str)]| {
        let split = |path: &str| {
            path.split("::")
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let code: BTreeMap<ModulePath, String> = files
            .iter()
            .map(|(path, code)| (split(path), (*code).to_owned()))
            .collect();
        let exports = code
            .iter()
            .flat_map(|(at, code)| exports(at, code))
            .collect();
        Modules { code, exports }.circles()
    };
    let circle = |folder: &str, modules: &[&str]| {
        let modules = modules.iter().map(ToString::to_string).collect();
        BTreeSet::from([(folder.to_owned(), modules)])
    };
    let lib = ("", "mod a; mod b; pub use b::{Inner, deep::Other as Name};");
    assert_eq!(
        modules(&[lib, ("a", "use crate::b::Inner;"), ("b", "")]),
        BTreeSet::new()
    );
    assert_eq!(
        modules(&[
            lib,
            ("a", "use crate::{Inner, c};"),
            ("b", "fn f(x: super::a::A) {}")
        ]),
        circle("", &["a", "b"])
    );
    assert_eq!(
        modules(&[
            ("", ""),
            ("p", ""),
            ("p::a", "use super::{x, b::B};"),
            ("p::b", "use crate::p::a;")
        ]),
        circle("p", &["a", "b"])
    );
    assert_eq!(
        modules(&[("", ""), ("p", "use a::A;"), ("p::a", "use super::P;")]),
        BTreeSet::new()
    );
}

#[test]
fn only_modules_of_tests_are_left_out() {
    let code = "#[cfg(test)]\nmod skeleton;\nuse a;\n\n#[cfg(test)]\nmod tests {\n    use b;\n}\n";
    let kept = without_tests(code);
    assert!(
        kept.contains("use a;") && !kept.contains("use b;"),
        "{kept}"
    );
}
