//! Proxies through which functions reach hosts of the internet.

use std::collections::BTreeMap;

/// Variables with the hosts that are reached without a proxy. Most clients let the lower case win.
const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Hosts that no proxy of the machine knows: this machine, and AWS's names, which lead to the gateway.
const LOCAL_HOSTS: &str = "localhost,127.0.0.1,::1,.amazonaws.com,.amazonaws.com.cn";

/// Returns the variables of a function's process, from those of the machine. Those that the function sets itself, in either
/// spelling, are left out.
pub(super) fn variables<'v>(
    machine: &'v BTreeMap<String, String>,
    own: &'v BTreeMap<String, String>,
) -> impl Iterator<Item = (&'v str, String)> {
    let listed = NO_PROXY.iter().find_map(|name| machine.get(*name));
    let excepted = match listed.map(|list| list.trim()) {
        None | Some("") => LOCAL_HOSTS.to_owned(),
        // Python and curl accept it only as the whole list.
        Some("*") => "*".to_owned(),
        Some(list) => format!("{list},{LOCAL_HOSTS}"),
    };
    let proxies = machine
        .iter()
        .filter(|(name, _)| !NO_PROXY.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.clone()));
    let has_proxy = proxies.clone().next().is_some();
    let excepted = NO_PROXY.map(|name| (name, excepted.clone()));
    let is_own = |name: &str| own.keys().any(|own| own.eq_ignore_ascii_case(name));
    proxies
        .chain(excepted)
        .filter(move |(name, _)| has_proxy && !is_own(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(machine: &[(&str, &str)]) -> Vec<String> {
        let machine = machine
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let own = BTreeMap::new();
        let lines = variables(&machine, &own).map(|(name, value)| format!("{name}={value}"));
        lines.collect()
    }

    #[test]
    fn what_a_function_sets_in_one_spelling_is_not_set_in_the_other() {
        let machine = [("https_proxy", "http://proxy:3128"), ("http_proxy", "a")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let own = ["HTTPS_PROXY", "NO_PROXY"].map(|name| (name.to_owned(), String::new()));
        let (machine, own) = (machine.into(), own.into());
        let names: Vec<_> = variables(&machine, &own).map(|(name, _)| name).collect();
        assert_eq!(names, ["http_proxy"]);
    }

    #[test]
    fn a_proxy_of_the_machine_is_not_used_for_hosts_that_lead_to_the_gateway() {
        let excepted = "localhost,127.0.0.1,::1,.amazonaws.com,.amazonaws.com.cn";
        assert_eq!(
            of(&[("HTTPS_PROXY", "http://proxy:3128")]),
            [
                "HTTPS_PROXY=http://proxy:3128".to_owned(),
                format!("no_proxy={excepted}"),
                format!("NO_PROXY={excepted}"),
            ]
        );
    }

    #[test]
    fn hosts_that_the_machine_excepts_stay_excepted() {
        let machine = [
            ("NO_PROXY", "ignored"),
            ("https_proxy", "http://proxy:3128"),
            ("no_proxy", ".example.com"),
        ];
        let variables = of(&machine);
        assert_eq!(variables.len(), 3);
        assert!(variables[1].starts_with("no_proxy=.example.com,localhost,"));
        assert!(variables[2].starts_with("NO_PROXY=.example.com,localhost,"));
    }

    #[test]
    fn a_machine_that_excepts_all_hosts_excepts_all() {
        let variables = of(&[("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", "*")]);
        assert_eq!(variables[1..], ["no_proxy=*", "NO_PROXY=*"]);
    }

    #[test]
    fn without_a_proxy_nothing_is_set() {
        assert_eq!(of(&[]), [""; 0]);
        assert_eq!(of(&[("NO_PROXY", "example.com")]), [""; 0]);
    }
}
