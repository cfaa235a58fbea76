//! Source files of functions.

use std::fs;
use std::path::Path;

use super::Language;

/// Maximum size of a source file that is read, in bytes.
const MAX_SOURCE: u64 = 8 * 1024 * 1024;

/// Maximum number of files in a folder that are visited.
const MAX_FILES: usize = 2_000;

/// Calls `visit` with the text of each source file in a folder. Hidden folders and installed packages are left out, because
/// dependencies bring their own. Blocks.
pub(super) fn each_source(language: Language, root: &Path, visit: &mut dyn FnMut(&str)) {
    let mut folders = vec![root.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                let is_skipped =
                    name.as_encoded_bytes().starts_with(b".") || name == "node_modules";
                if !is_skipped {
                    folders.push(path);
                }
                continue;
            }
            files += 1;
            if is_source(language, &path) && metadata.len() <= MAX_SOURCE && files <= MAX_FILES {
                let text = fs::read(&path).unwrap_or_default();
                visit(&String::from_utf8_lossy(&text));
            }
        }
    }
}

fn is_source(language: Language, path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| match language {
        Language::Node => ["js", "mjs", "cjs"].contains(&extension),
        Language::Python => extension == "py",
    })
}

/// Returns the first path in `/opt` that sources of a function name, and that exists in its layers but not on this machine.
pub(in super::super) async fn path_in_opt(
    language: Language,
    root: &Path,
    layers: &Path,
) -> Option<String> {
    let (root, layers) = (root.to_owned(), layers.to_owned());
    let search = move || {
        let mut found = None;
        each_source(language, &root, &mut |text| {
            if found.is_none() {
                let mut paths = quoted_paths(text);
                found = paths
                    .find(|path| exists_only_in(path, &layers))
                    .map(str::to_owned);
            }
        });
        found
    };
    tokio::task::spawn_blocking(search).await.ok().flatten()
}

/// Returns the names of the extensions in the layers of a function: the programs in `/opt/extensions`.
pub(in super::super) async fn extensions(layers: &Path) -> Vec<String> {
    let folder = layers.join("extensions");
    let list = move || {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        let mut names: Vec<String> = files
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    tokio::task::spawn_blocking(list).await.unwrap_or_default()
}

fn exists_only_in(path: &str, layers: &Path) -> bool {
    let inside = path.trim_start_matches("/opt/").trim_end_matches('/');
    !inside.is_empty() && layers.join(inside).exists() && !Path::new(path).exists()
}

/// Returns the texts in quotes that begin with `/opt/`, up to the first variable in them.
fn quoted_paths(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("/opt/").filter_map(|(at, _)| {
        let quote = text[..at]
            .chars()
            .next_back()
            .filter(|it| "\"'`".contains(*it))?;
        let path = text[at..].split([quote, '$', '{', '\n']).next()?;
        Some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_opt_are_found_in_quotes() {
        let text = "open('/opt/data/a.txt'); open(\"/opt/b\"); `/opt/c/${name}`; f'/opt/d/{x}'; // see /opt/e\n'x/opt/f'";
        let paths: Vec<_> = quoted_paths(text).collect();
        assert_eq!(paths, ["/opt/data/a.txt", "/opt/b", "/opt/c/", "/opt/d/"]);
    }
}
