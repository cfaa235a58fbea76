//! Removal of a crate's tests from its sources.

/// Line above every module of tests, which is the last item of its file.
const MARK: &str = "#[cfg(test)]\n";

/// Returns true if a file of a crate contains nothing but tests.
pub(super) fn is_of_tests(path: &str) -> bool {
    let in_sources = path.starts_with("src/");
    !in_sources || path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Returns a source file without the modules of tests at its end.
pub(super) fn without_tests(text: &str) -> &str {
    // The empty line above the module is removed, too.
    let end = text.find(&format!("\n{MARK}")).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::SOURCES;

    #[test]
    fn a_module_of_tests_is_removed_with_the_empty_line_above_it() {
        let code = "fn one() {}\n";
        assert_eq!(without_tests(code), code);
        let file = format!("{code}\n{MARK}mod tests;\n");
        assert_eq!(without_tests(&file), code);
        let inline = format!("{code}\n{MARK}mod tests {{\n    fn two() {{}}\n}}\n");
        assert_eq!(without_tests(&inline), code);
    }

    #[test]
    fn files_of_tests_are_recognised() {
        for path in [
            "src/a/tests.rs",
            "src/tests/a.rs",
            "tests/a.rs",
            "examples/a.rs",
        ] {
            assert!(is_of_tests(path), "{path}");
        }
        for path in ["src/lib.rs", "src/a/mod.rs", "src/attests.rs"] {
            assert!(!is_of_tests(path), "{path}");
        }
    }

    /// The removed part must be one module, or code would be lost.
    #[test]
    fn modules_of_tests_are_the_last_items_of_the_librarys_files() {
        let of_library = |path: &str| path.starts_with("handlers/websocket");
        let files = SOURCES
            .iter()
            .filter(|(path, _)| of_library(path) && path.ends_with(".rs"));
        for (path, text) in files {
            let removed = &text[without_tests(text).len()..];
            let is_item = |line: &&str| !line.starts_with([' ', '}', '#']) && !line.is_empty();
            let items: Vec<_> = removed.lines().filter(is_item).collect();
            let is_one_module = match items.as_slice() {
                [] => removed.is_empty(),
                [item] => item.starts_with("mod ") || item.starts_with("pub(super) mod "),
                _ => false,
            };
            assert!(is_one_module, "{path}: {items:?}");
        }
    }
}
