//! Proxies through which functions reach hosts of the internet.

use std::collections::BTreeMap;

/// Variables with the hosts that are reached without a proxy. Most clients let the lower case win.
const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Hosts that no proxy of the machine knows: this machine, and AWS's names, which lead to the gateway.
const LOCAL_HOSTS: &str = "localhost,127.0.0.1,::1,.amazonaws.com,.amazonaws.com.cn";

/// Returns the variables of a function's process, from those of the machine.
pub(super) fn variables(
    machine: &BTreeMap<String, String>,
) -> impl Iterator<Item = (&str, String)> {
    let listed = NO_PROXY.iter().find_map(|name| machine.get(*name));
    let excepted = match listed.map(|list| list.trim()) {
        None | Some("") => LOCAL_HOSTS.to_owned(),
        Some(list) => format!("{list},{LOCAL_HOSTS}"),
    };
    let proxies = machine
        .iter()
        .filter(|(name, _)| !NO_PROXY.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.clone()));
    let has_proxy = proxies.clone().next().is_some();
    let excepted = NO_PROXY.map(|name| (name, excepted.clone()));
    proxies.chain(excepted).filter(move |_| has_proxy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(machine: &[(&str, &str)]) -> Vec<String> {
        let machine = machine
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let lines = variables(&machine).map(|(name, value)| format!("{name}={value}"));
        lines.collect()
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
    fn without_a_proxy_nothing_is_set() {
        assert_eq!(of(&[]), [""; 0]);
        assert_eq!(of(&[("NO_PROXY", "example.com")]), [""; 0]);
    }
}
