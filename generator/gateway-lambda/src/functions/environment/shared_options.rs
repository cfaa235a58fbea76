//! Variables that a function and the gateway may both set, and that are lists.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Such variables, with the separator of their entries.
const LISTS: [(&str, &str); 2] = [("NODE_OPTIONS", " "), ("PYTHONPATH", ":")];

/// Puts the gateway's entries before those of the process. `process` has the final values of all variables.
pub(super) fn prepend(
    gateway: &BTreeMap<String, String>,
    process: &mut BTreeMap<OsString, OsString>,
) {
    for (name, separator) in LISTS {
        let Some(first) = gateway.get(name) else {
            continue;
        };
        let mut value = OsString::from(first);
        let own = process.get(&OsString::from(name));
        if let Some(own) = own.filter(|own| **own != value && !own.is_empty()) {
            value.push(separator);
            value.push(own);
        }
        process.insert(name.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepended(gateway: &[(&str, &str)], process: &[(&str, &str)]) -> Vec<String> {
        let gateway = gateway
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let process = process.iter().map(|(n, v)| ((*n).into(), (*v).into()));
        let mut process: BTreeMap<OsString, OsString> = process.collect();
        prepend(&gateway.collect(), &mut process);
        let lines = process
            .iter()
            .map(|(name, value)| format!("{}={}", name.display(), value.display()));
        lines.collect()
    }

    #[test]
    fn options_of_a_function_follow_those_of_the_gateway() {
        let gateway = [
            ("NODE_OPTIONS", "--require a"),
            ("PYTHONPATH", "/hook"),
            ("X", "1"),
        ];
        let process = [
            ("NODE_OPTIONS", "--trace-warnings"),
            ("PYTHONPATH", "/task"),
        ];
        assert_eq!(
            prepended(&gateway, &process),
            [
                "NODE_OPTIONS=--require a --trace-warnings",
                "PYTHONPATH=/hook:/task"
            ]
        );
        let same = [("NODE_OPTIONS", "--require a"), ("PYTHONPATH", "")];
        assert_eq!(
            prepended(&gateway, &same),
            ["NODE_OPTIONS=--require a", "PYTHONPATH=/hook"]
        );
    }

    #[test]
    fn without_options_of_the_gateway_a_function_keeps_its_own() {
        let own = [("NODE_OPTIONS", "--trace-warnings")];
        assert_eq!(prepended(&[], &own), ["NODE_OPTIONS=--trace-warnings"]);
    }
}
