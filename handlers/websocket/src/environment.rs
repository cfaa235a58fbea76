//! Typed access to a function's environment variables. All problems are reported at once.
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

/// Function that returns the value of an environment variable.
pub trait Lookup: Fn(&str) -> Option<String> {}

impl<F: Fn(&str) -> Option<String>> Lookup for F {}

/// Reads environment variables and collects the errors.
///
/// Every method returns a value, valid or not. [`Environment::finish`] returns the settings only if all values were
/// valid. An empty or blank variable counts as missing, because templates produce such values by mistake.
#[derive(Debug)]
pub struct Environment<L> {
    lookup: L,
    names: BTreeSet<&'static str>,
    problems: Vec<VariableProblem>,
}

/// All missing and invalid environment variables.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub struct EnvironmentError {
    /// One problem per variable, in the order of reading.
    pub problems: Vec<VariableProblem>,
}

/// A missing or invalid environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableProblem {
    /// Name of the variable.
    pub name: &'static str,
    /// Description of the error, as in `is not set`.
    pub message: String,
    /// Description of a valid value.
    pub hint: String,
}

impl Display for EnvironmentError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the function's environment variables are invalid")?;
        for (
            index,
            VariableProblem {
                name,
                message,
                hint,
            },
        ) in self.problems.iter().enumerate()
        {
            let separator = if index == 0 { ":" } else { ";" };
            write!(out, "{separator} {name} {message} ({hint})")?;
        }
        Ok(())
    }
}

impl<L: Lookup> Environment<L> {
    /// Returns an environment that reads variables with `lookup`.
    pub fn new(lookup: L) -> Self {
        Environment {
            lookup,
            names: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// Reads a required text.
    pub fn text(&mut self, name: &'static str) -> String {
        self.required(name, "a text", |text| Ok(text.to_owned()))
            .unwrap_or_default()
    }

    /// Reads a text, with a default.
    pub fn text_or(&mut self, name: &'static str, default: &str) -> String {
        self.optional_text(name)
            .unwrap_or_else(|| default.to_owned())
    }

    /// Reads an optional variable as a string.
    pub fn optional_text(&mut self, name: &'static str) -> Option<String> {
        self.value(name)
    }

    /// Reads a required integer in a range.
    pub fn integer<T>(&mut self, name: &'static str, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let hint = format!("an integer from {} to {}", range.start(), range.end());
        self.required(name, &hint, |text| in_range(text, &range))
            .unwrap_or(*range.start())
    }

    /// Reads an integer in a range, with a default.
    pub fn integer_or<T>(&mut self, name: &'static str, range: RangeInclusive<T>, default: T) -> T
    where
        T: FromStr + PartialOrd + Display + Copy,
    {
        let hint = format!("an integer from {} to {}", range.start(), range.end());
        self.optional(name, &hint, |text| in_range(text, &range))
            .unwrap_or(default)
    }

    /// Reads one of these words, ignoring case, with a default.
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
            chosen.map(|(_, value)| *value).ok_or_else(|| shorten(text))
        })
        .unwrap_or(default)
    }

    /// Reads a required `https://` URL. On loopback, `http://` is allowed too, for tests and local gateways.
    pub fn url(&mut self, name: &'static str) -> String {
        self.required(name, URL_HINT, url).unwrap_or_default()
    }

    /// Reads an optional URL with the rules of [`Environment::url`].
    pub fn optional_url(&mut self, name: &'static str) -> Option<String> {
        self.optional(name, URL_HINT, url)
    }

    /// Returns the names of all variables that were read, sorted. A template must set them, except Lambda's own, which
    /// begin with `AWS_`.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied()
    }

    /// Returns the settings if all variables were valid.
    ///
    /// # Errors
    ///
    /// Fails with all problems.
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
            Err(message) => {
                self.problem(name, message, hint);
                None
            }
        }
    }

    fn value(&mut self, name: &'static str) -> Option<String> {
        self.names.insert(name);
        (self.lookup)(name).filter(|text| !text.trim().is_empty())
    }

    fn problem(&mut self, name: &'static str, message: String, hint: &str) {
        let hint = hint.to_owned();
        self.problems.push(VariableProblem {
            name,
            message,
            hint,
        });
    }
}

fn in_range<T>(text: &str, range: &RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd,
{
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| shorten(text))
}

/// Describes an invalid value, shortened, because it may be long.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("is {short:?}")
}

/// Number of characters that an error shows of an invalid value.
const MAX_SHOWN: usize = 32;

const URL_HINT: &str = "a URL such as https://example.com; http:// only on loopback";

/// Checks a URL and returns it. Errors do not contain the URL, because it may contain a password.
fn url(text: &str) -> Result<String, String> {
    let uri: Uri = text.parse().map_err(|_| "is not a URL".to_owned())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("is not a URL".to_owned());
    };
    if authority.as_str().contains('@') {
        return Err("contains a user name or a password".to_owned());
    }
    match scheme {
        "https" => Ok(text.to_owned()),
        "http" if is_loopback(authority) => Ok(text.to_owned()),
        "wss" | "ws" => Err(format!(
            "is a {scheme}:// URL, which is for clients: functions call the same address with https://"
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
