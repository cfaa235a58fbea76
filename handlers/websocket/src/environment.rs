//! Reading a function's environment variables: typed, and every problem told at once.
//!
//! ```
//! use stackgen_websocket::{Environment, EnvironmentError, Lookup};
//!
//! struct Settings {
//!     table: String,
//!     listeners: u32,
//! }
//!
//! fn read(environment: &mut Environment<impl Lookup>) -> Settings {
//!     Settings {
//!         table: environment.text("SESSIONS_TABLE"),
//!         listeners: environment.integer_or("MAX_LISTENERS_PER_SESSION", 1..=10_000, 500),
//!     }
//! }
//!
//! # fn main() -> Result<(), EnvironmentError> {
//! # let variables = |name: &str| (name == "SESSIONS_TABLE").then(|| "Sessions-dev".to_owned());
//! // A binary passes `|name| std::env::var(name).ok()`.
//! let mut environment = Environment::new(variables);
//! let settings = read(&mut environment);
//! let settings = environment.finish(settings)?;
//! assert_eq!(settings.table, "Sessions-dev");
//! assert_eq!(settings.listeners, 500);
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use http::Uri;
use http::uri::Authority;
use thiserror::Error;

/// Looks a variable up by its name.
pub trait Lookup: Fn(&str) -> Option<String> {}

impl<F: Fn(&str) -> Option<String>> Lookup for F {}

/// Reads variables and remembers what was wrong with them.
///
/// Every method returns a value, right or not; [`Environment::finish`] hands the settings made of them out only if all
/// were right. A variable that is empty, or blank, counts as missing: that is what a template leaves behind when
/// somebody forgot to fill it in.
#[derive(Debug)]
pub struct Environment<L> {
    lookup: L,
    names: BTreeSet<&'static str>,
    problems: Vec<Problem>,
}

/// The variables that are not as the function needs them, all of them.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct EnvironmentError {
    /// One for each variable, in the order in which they were asked for.
    pub problems: Vec<Problem>,
}

/// A variable that is not as the function needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable's name.
    pub name: &'static str,
    /// What is wrong with it, as in `is not set`.
    pub what: String,
    /// What would be right.
    pub hint: String,
}

impl Display for EnvironmentError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the function's environment is not as it needs it")?;
        for (index, Problem { name, what, hint }) in self.problems.iter().enumerate() {
            let separator = if index == 0 { ":" } else { ";" };
            write!(out, "{separator} {name} {what} ({hint})")?;
        }
        Ok(())
    }
}

impl<L: Lookup> Environment<L> {
    /// Reads the variables that `lookup` knows.
    pub fn new(lookup: L) -> Self {
        Environment {
            lookup,
            names: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &'static str) -> String {
        self.required(name, "a text", |text| Ok(text.to_owned()))
            .unwrap_or_default()
    }

    /// A text, or `default` if there is none.
    pub fn text_or(&mut self, name: &'static str, default: &str) -> String {
        self.optional_text(name)
            .unwrap_or_else(|| default.to_owned())
    }

    /// A text, if there is one.
    pub fn optional_text(&mut self, name: &'static str) -> Option<String> {
        self.value(name)
    }

    /// A whole number in a range, that must be there.
    pub fn integer<T>(&mut self, name: &'static str, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let hint = format!("a whole number from {} to {}", range.start(), range.end());
        self.required(name, &hint, |text| in_range(text, &range))
            .unwrap_or(*range.start())
    }

    /// A whole number in a range, or `default` if there is none.
    pub fn integer_or<T>(&mut self, name: &'static str, range: RangeInclusive<T>, default: T) -> T
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let hint = format!("a whole number from {} to {}", range.start(), range.end());
        self.optional(name, &hint, |text| in_range(text, &range))
            .unwrap_or(default)
    }

    /// One of these words, in lower or upper case, or `default` if there is none.
    pub fn choice_or<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&str, T)],
        default: T,
    ) -> T {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let hint = format!("one of {}", words.join(", "));
        self.optional(name, &hint, |text| {
            let chosen = choices
                .iter()
                .find(|(word, _)| word.eq_ignore_ascii_case(text));
            chosen.map(|(_, value)| *value).ok_or_else(|| shown(text))
        })
        .unwrap_or(default)
    }

    /// An `https://` URL that must be there. On this machine, `http://` will do: tests and local gateways are there.
    pub fn url(&mut self, name: &'static str) -> String {
        self.required(name, URL_HINT, url).unwrap_or_default()
    }

    /// A URL as [`Environment::url`] takes it, if there is one.
    pub fn optional_url(&mut self, name: &'static str) -> Option<String> {
        self.optional(name, URL_HINT, url)
    }

    /// Everything that was asked for, present or not, in alphabetical order: what a template has to set, beside those
    /// that begin with `AWS_`, which are Lambda's.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied()
    }

    /// The settings, if every variable that they were made of was right.
    ///
    /// # Errors
    ///
    /// All that was wrong.
    pub fn finish<T>(self, settings: T) -> Result<T, EnvironmentError> {
        match self.problems.is_empty() {
            true => Ok(settings),
            false => Err(EnvironmentError {
                problems: self.problems,
            }),
        }
    }

    fn required<T>(
        &mut self,
        name: &'static str,
        hint: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if self.value(name).is_none() {
            self.problem(name, "is not set".to_owned(), hint);
            return None;
        }
        self.optional(name, hint, read)
    }

    fn optional<T>(
        &mut self,
        name: &'static str,
        hint: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.value(name)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(what) => {
                self.problem(name, what, hint);
                None
            }
        }
    }

    fn value(&mut self, name: &'static str) -> Option<String> {
        self.names.insert(name);
        (self.lookup)(name).filter(|text| !text.trim().is_empty())
    }

    fn problem(&mut self, name: &'static str, what: String, hint: &str) {
        let hint = hint.to_owned();
        self.problems.push(Problem { name, what, hint });
    }
}

fn in_range<T>(text: &str, range: &RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd,
{
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| shown(text))
}

/// What is there instead; shortened, because it may be anything.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("is {short:?}")
}

/// How many characters of a wrong value an error shows.
const SHOWN: usize = 32;

const URL_HINT: &str = "a URL such as https://example.com; http:// only for this machine";

/// Checks a URL and returns it as it is. What is wrong is said without the URL: some people put passwords into them.
fn url(text: &str) -> Result<String, String> {
    let uri: Uri = text.parse().map_err(|_| "is not a URL".to_owned())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("is not a URL".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err("has a user name or a password in it".to_owned());
    }
    match scheme {
        "https" => Ok(text.to_owned()),
        "http" if is_loopback(authority) => Ok(text.to_owned()),
        "wss" | "ws" => Err(format!(
            "is a {scheme}:// URL: that is for clients, functions call the same address with https://"
        )),
        _ => Err(format!("is a {scheme}:// URL")),
    }
}

pub(crate) fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || ip.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests;
