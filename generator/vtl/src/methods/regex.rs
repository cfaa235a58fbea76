//! Java's regular expressions, translated to those of fancy-regex.

use std::ops::Range;

use fancy_regex::{Captures, Regex, RegexBuilder};

use super::{MethodFailure, exception};
use crate::value::Heap;

/// Steps of one match. A pattern that needs more would take minutes in Java.
const MAX_BACKTRACKS: usize = 100_000;

/// Bytes of a compiled pattern.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Units of work for compiling a pattern.
const COMPILE_WORK: u64 = 5_000;

pub(super) fn matches(heap: &mut Heap, text: &str, pattern: &str) -> Result<bool, MethodFailure> {
    let regex = compile(heap, &format!("^(?:{})$", translate(pattern)), text)?;
    // `$` matches before a line break at the end; the whole text must match.
    let found = regex.find(text).map_err(failure)?;
    Ok(found.is_some_and(|found| found.end() == text.len()))
}

pub(super) fn replace(
    heap: &mut Heap,
    text: &str,
    pattern: &str,
    replacement: &str,
    only_first: bool,
) -> Result<String, MethodFailure> {
    let regex = compile(heap, &translate(pattern), text)?;
    let mut result = String::new();
    let mut end = 0;
    let mut matches = Matches::new(&regex, text);
    while let Some(found) = matches.next()? {
        let (captures, found) = (found.captures, found.range);
        result.push_str(&text[end..found.start]);
        append_replacement(&captures, replacement, &mut result)?;
        end = found.end;
        heap.charge_length(replacement.len() + found.len() + 1)?;
        if only_first {
            break;
        }
    }
    result.push_str(&text[end..]);
    Ok(result)
}

pub(super) fn split(
    heap: &mut Heap,
    text: &str,
    pattern: &str,
    limit: i32,
) -> Result<Vec<String>, MethodFailure> {
    let regex = compile(heap, &translate(pattern), text)?;
    let most = usize::try_from(limit)
        .ok()
        .filter(|limit| *limit > 0)
        .unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut end = 0;
    let mut matches = Matches::new(&regex, text);
    while let Some(RegexMatch { range: found, .. }) = matches.next()? {
        if parts.len() + 1 >= most {
            break;
        }
        // An empty match at the start makes no empty part.
        if found.end == 0 {
            continue;
        }
        heap.charge_length(1)?;
        parts.push(text[end..found.start].to_owned());
        end = found.end;
    }
    if end == 0 && parts.is_empty() {
        return Ok(vec![text.to_owned()]);
    }
    parts.push(text[end..].to_owned());
    while limit == 0 && parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    Ok(parts)
}

/// Match with its groups.
struct RegexMatch<'a> {
    captures: Captures<'a, str>,
    range: Range<usize>,
}

/// Matches in the order of Java's `Matcher.find`: an empty match can follow another match at its end.
struct Matches<'a> {
    regex: &'a Regex,
    text: &'a str,
    next: usize,
}

impl<'a> Matches<'a> {
    fn new(regex: &'a Regex, text: &'a str) -> Self {
        Matches {
            regex,
            text,
            next: 0,
        }
    }

    /// Returns the next match.
    fn next(&mut self) -> Result<Option<RegexMatch<'a>>, MethodFailure> {
        if self.next > self.text.len() {
            return Ok(None);
        }
        let captures = self.regex.captures_from_pos(self.text, self.next);
        let Some(captures) = captures.map_err(failure)? else {
            return Ok(None);
        };
        let range = captures.get(0).map_or(0..0, |found| found.range());
        let after = self.text[range.end..].chars().next();
        self.next = match range.is_empty() {
            true => range.end + after.map_or(1, char::len_utf8),
            false => range.end,
        };
        Ok(Some(RegexMatch { captures, range }))
    }
}

fn compile(heap: &mut Heap, pattern: &str, text: &str) -> Result<Regex, MethodFailure> {
    heap.charge(COMPILE_WORK)?;
    heap.charge_length(pattern.len().saturating_mul(10) + text.len())?;
    let mut builder = RegexBuilder::new(pattern);
    builder.backtrack_limit(MAX_BACKTRACKS);
    builder.delegate_size_limit(MAX_PATTERN_BYTES);
    builder.build().map_err(failure)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is a function for map_err"
)]
fn failure(error: fancy_regex::Error) -> MethodFailure {
    MethodFailure::Exception(error.to_string())
}

/// Appends a replacement with its groups: `$1`, `${name}`, and `\` before a character that is text.
fn append_replacement(
    captures: &Captures<'_, str>,
    replacement: &str,
    result: &mut String,
) -> Result<(), MethodFailure> {
    let mut rest = replacement.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some(next) => result.push(next),
                None => return exception("the replacement ends with a backslash"),
            },
            '$' if rest.peek() == Some(&'{') => {
                let name: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                let Some(group) = captures.name(&name) else {
                    return exception(format!("there is no group {name}"));
                };
                result.push_str(group.as_str());
            }
            '$' => {
                let first = rest.next().and_then(|digit| digit.to_digit(10));
                let Some(mut group) = first.and_then(|digit| usize::try_from(digit).ok()) else {
                    return exception("the replacement has a $ without a group");
                };
                if group >= captures.len() {
                    return exception(format!("there is no group {group}"));
                }
                while let Some(digit) = rest.peek().and_then(|next| next.to_digit(10)) {
                    let longer = group * 10 + usize::try_from(digit).unwrap_or_default();
                    if longer >= captures.len() {
                        break;
                    }
                    group = longer;
                    rest.next();
                }
                result.push_str(captures.get(group).map_or("", |group| group.as_str()));
            }
            c => result.push(c),
        }
    }
    Ok(())
}

/// Translates what differs: Java's classes such as `\d` are those of ASCII, and a dot matches no line break of any kind.
fn translate(pattern: &str) -> String {
    let mut result = String::new();
    let mut chars = pattern.chars().peekable();
    let mut brackets = 0usize;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let Some(next) = chars.next() else {
                    result.push('\\');
                    break;
                };
                if next == 'Q' {
                    quote(&mut chars, &mut result);
                } else if matches!(next, 'p' | 'P') && chars.peek() == Some(&'{') {
                    let name: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    result.push_str(&property(next, &name, brackets > 0));
                } else {
                    result.push_str(&escape(next, brackets > 0));
                }
            }
            '[' => {
                brackets += 1;
                result.push(c);
            }
            ']' => {
                brackets = brackets.saturating_sub(1);
                result.push(c);
            }
            '.' if brackets == 0 => result.push_str("[^\\n\\r\\u{85}\\u{2028}\\u{2029}]"),
            c => result.push(c),
        }
    }
    result
}

/// Appends the text up to `\E` as it is.
fn quote(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, result: &mut String) {
    let mut text = String::new();
    for c in chars.by_ref() {
        text.push(c);
        if text.ends_with("\\E") {
            text.truncate(text.len() - 2);
            break;
        }
    }
    result.push_str(&fancy_regex::escape(&text));
}

fn escape(c: char, in_brackets: bool) -> String {
    let class = match c {
        'd' => "0-9",
        'w' => "a-zA-Z_0-9",
        's' => " \\t\\n\\x0B\\f\\r",
        'D' => return "[^0-9]".to_owned(),
        'W' => return "[^a-zA-Z_0-9]".to_owned(),
        'S' => return "[^ \\t\\n\\x0B\\f\\r]".to_owned(),
        // Java takes other signs as they are.
        c if !c.is_alphanumeric() && !"\\.+*?()|[]{}^$-&~#/".contains(c) => return c.to_string(),
        c => return format!("\\{c}"),
    };
    if in_brackets {
        class.to_owned()
    } else {
        format!("[{class}]")
    }
}

/// Returns the class of `\p{Alpha}`: Java's names are those of POSIX, for ASCII.
fn property(letter: char, name: &str, in_brackets: bool) -> String {
    let class = match name {
        "Lower" | "Upper" | "ASCII" | "Alpha" | "Digit" | "Alnum" | "Punct" | "Graph" | "Print"
        | "Blank" | "Cntrl" | "XDigit" | "Space" => name.to_lowercase(),
        _ => return format!("\\{letter}{{{}}}", name.strip_prefix("Is").unwrap_or(name)),
    };
    let negation = if letter == 'P' { "^" } else { "" };
    let class = format!("[:{negation}{class}:]");
    if in_brackets {
        class
    } else {
        format!("[{class}]")
    }
}
