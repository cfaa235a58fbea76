//! Paths of a page's files.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

/// Target of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PageFile {
    /// A file: the one that the path names, or `index.html` of a folder.
    File(PathBuf),
    /// A folder with an `index.html`, without the slash at the end that relative links need.
    Folder,
}

/// Returns the target of a URL's path. Returns `None` for everything that is not served: files that do not exist, hidden ones,
/// folders without `index.html`, and files outside of the folder, also by a symbolic link.
pub(super) fn find(folder: &Path, path: &str) -> Option<PageFile> {
    let decoded = percent_decode_str(path.strip_prefix('/')?)
        .decode_utf8()
        .ok()?;
    let is_folder = decoded.is_empty() || decoded.ends_with('/');
    let mut named = folder.to_owned();
    if !decoded.is_empty() {
        let names = decoded.strip_suffix('/').unwrap_or(&decoded);
        for name in names.split('/') {
            named.push(is_served(name).then_some(name)?);
        }
    }
    let file = match named.is_dir() {
        true => named.join("index.html"),
        false if is_folder => return None,
        false => named.clone(),
    };
    let real = file.canonicalize().ok()?;
    if !real.is_file() || !real.starts_with(folder.canonicalize().ok()?) {
        return None;
    }
    Some(match named.is_dir() && !is_folder {
        true => PageFile::Folder,
        false => PageFile::File(file),
    })
}

/// Returns true for a name of a file or folder that is not hidden.
fn is_served(name: &str) -> bool {
    let is_hidden = name.starts_with('.') && name != ".well-known";
    !name.is_empty() && !is_hidden && !name.contains(['\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    /// Returns a folder that holds the page in `web`, and a file beside it.
    fn site() -> TempDir {
        let outside = tempfile::tempdir().unwrap();
        let web = outside.path().join("web");
        for file in [
            "secret.txt",
            "web/index.html",
            "web/page/main.js",
            "web/guide/index.html",
            "web/a b.txt",
            "web/.env",
            "web/.git/config",
            "web/.well-known/security.txt",
        ] {
            let path = outside.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        symlink(outside.path().join("secret.txt"), web.join("link.txt")).unwrap();
        symlink(outside.path(), web.join("up")).unwrap();
        symlink("index.html", web.join("start.html")).unwrap();
        outside
    }

    fn found(site: &TempDir, path: &str) -> Option<PageFile> {
        find(&site.path().join("web"), path)
    }

    #[test]
    fn files_and_the_index_of_a_folder_are_found() {
        let site = site();
        for (path, name) in [
            ("/", "index.html"),
            ("/index.html", "index.html"),
            ("/page/main.js", "page/main.js"),
            ("/guide/", "guide/index.html"),
            ("/a%20b.txt", "a b.txt"),
            ("/start.html", "start.html"),
            ("/.well-known/security.txt", ".well-known/security.txt"),
        ] {
            let file = site.path().join("web").join(name);
            assert_eq!(found(&site, path), Some(PageFile::File(file)), "{path}");
        }
        assert_eq!(found(&site, "/guide"), Some(PageFile::Folder));
    }

    #[test]
    fn nothing_outside_of_the_folder_hidden_or_listed_is_found() {
        let site = site();
        for path in [
            "",
            "*",
            "index.html",
            "//index.html",
            "///",
            "//",
            "/./index.html",
            "/page/../index.html",
            "/../secret.txt",
            "/..%2fsecret.txt",
            "/%2e%2e/secret.txt",
            "/%2e%2e%2fsecret.txt",
            "/..%5csecret.txt",
            "/page/%2e%2e/%2e%2e/secret.txt",
            "/%252e%252e/secret.txt",
            "/link.txt",
            "/up/secret.txt",
            "/up",
            "/up/",
            "/.env",
            "/%2eenv",
            "/.git/config",
            "/page/",
            "/page",
            "/index.html/",
            "/index.html%00.js",
            "/%ff",
            "/nowhere",
        ] {
            assert_eq!(found(&site, path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_found_is_a_file_of_the_folder(
            path in r"(/|\.|\.\.|%2e|%2f|%5c|web|up|link\.txt|secret\.txt|page|main\.js|index\.html|%00){0,9}"
        ) {
            let site = site();
            if let Some(PageFile::File(file)) = found(&site, &format!("/{path}")) {
                let text = fs::read_to_string(file).unwrap();
                prop_assert!(text.starts_with("web/") && !text.starts_with("web/.env"), "{text}");
            }
        }
    }
}
