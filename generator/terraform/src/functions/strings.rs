//! Functions of text.

use std::collections::BTreeSet;

use regex::Regex;

use super::arguments::{at, list, needed, number, text, whole};
use super::format::{format, format_list};
use super::{FunctionContext, FunctionResult};
use crate::error::ExpressionError;
use crate::token::{TokenMeaning, TokenTable};
use crate::value::HclValue;

/// Calls a function of this family; `None` for another name.
pub(super) fn call(
    context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Option<FunctionResult> {
    let tokens = context.tokens;
    Some(match name {
        "format" => format(arguments).map(|text| Some(HclValue::Text(text))),
        "formatlist" => format_list(arguments).map(Some),
        "join" => join(arguments),
        "replace" => replace(context, arguments),
        "regex" => regex(arguments),
        "regexall" => regex_all(arguments),
        "split" => split(context, arguments),
        "startswith" => affix(context, arguments, |text, part| text.starts_with(part)),
        "endswith" => affix(context, arguments, |text, part| text.ends_with(part)),
        "strcontains" => affix(context, arguments, |text, part| text.contains(part)),
        "trimprefix" => trimmed(
            context,
            arguments,
            |text, part| text.strip_prefix(part),
            |text, part| {
                let at = text.find(|letter| tokens.meaning(letter).is_some())?;
                let rest = part.strip_prefix(&text[..at])?;
                Some((text[at..].chars().next()?, rest.chars().next()?))
            },
        ),
        "trimsuffix" => trimmed(
            context,
            arguments,
            |text, part| text.strip_suffix(part),
            |text, part| {
                let at = text.rfind(|letter| tokens.meaning(letter).is_some())?;
                let token = text[at..].chars().next()?;
                let rest = part.strip_suffix(&text[at + token.len_utf8()..])?;
                Some((token, rest.chars().next_back()?))
            },
        ),
        "substr" => substr(arguments),
        "trim" => text(arguments, 0).and_then(|whole| {
            let cut: Vec<char> = text(arguments, 1)?.chars().collect();
            Ok(Some(HclValue::text(whole.trim_matches(cut.as_slice()))))
        }),
        "indent" => indent(arguments),
        "chomp" => one_text(arguments, |text| {
            text.trim_end_matches(['\n', '\r']).to_owned()
        }),
        "lower" => one_text(arguments, |text| text.to_lowercase()),
        "upper" => one_text(arguments, |text| text.to_uppercase()),
        "title" => one_text(arguments, title),
        "trimspace" => trim_space(context, arguments),
        "strrev" => one_text(arguments, |text| text.chars().rev().collect()),
        _ => return None,
    })
}

fn one_text(arguments: &[HclValue], change: impl Fn(&str) -> String) -> FunctionResult {
    let text = text(arguments, 0)?;
    Ok(Some(HclValue::Text(change(&text))))
}

fn title(text: &str) -> String {
    let mut starts = true;
    let letters = text.chars().flat_map(|letter| {
        let upper = starts;
        starts = !letter.is_alphanumeric() && letter != '_' && letter != '\'';
        match upper {
            true => letter.to_uppercase().collect::<Vec<_>>(),
            false => vec![letter],
        }
    });
    letters.collect()
}

fn join(arguments: &[HclValue]) -> FunctionResult {
    let separator = text(arguments, 0)?;
    let mut parts = Vec::new();
    for position in 1..arguments.len() {
        match at(arguments, position)? {
            HclValue::Unknown(_) => return Ok(None),
            _ => parts.extend(list(arguments, position)?.iter()),
        }
    }
    let parts: Result<Vec<String>, _> = parts.into_iter().map(HclValue::to_text).collect();
    Ok(Some(HclValue::Text(parts?.join(&separator))))
}

fn replace(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    let (whole, old, new) = (
        text(arguments, 0)?,
        text(arguments, 1)?,
        text(arguments, 2)?,
    );
    let pattern = old.strip_prefix('/').and_then(|old| old.strip_suffix('/'));
    if let Some(pattern) = pattern.filter(|_| old.len() > 1) {
        let whole = context.tokens.expand(&whole);
        if context.tokens.has_token(&whole) {
            return Ok(None);
        }
        let pattern = parse_regex(pattern)?;
        return Ok(Some(HclValue::text(
            pattern.replace_all(&whole, new.as_str()),
        )));
    }
    let (old, expanded) = (context.tokens.expand(&old), context.tokens.expand(&whole));
    let is_unknown = match old.is_empty() {
        true => context.tokens.has_token(&expanded),
        false => {
            context.tokens.has_token(&old) || may_be_in_tokens(context.tokens, &expanded, &old)
        }
    };
    if is_unknown {
        return Ok(None);
    }
    let count = |text: &str| text.matches(&old).count();
    let text = match count(&whole) < count(&expanded) {
        true => expanded,
        false => whole,
    };
    Ok(Some(HclValue::Text(text.replace(&old, &new))))
}

/// Returns true if the values of a text's tokens can contain a part, or the end or the beginning of one.
fn may_be_in_tokens(tokens: &TokenTable, text: &str, part: &str) -> bool {
    let (text, part): (Vec<char>, Vec<char>) = (text.chars().collect(), part.chars().collect());
    // Positions in the text and in the part, and whether letters of a token are between them and the beginning.
    let starts = (0..text.len()).rev();
    let mut open: Vec<(usize, usize, bool)> = starts.map(|at| (at, 0, false)).collect();
    let mut seen = BTreeSet::new();
    while let Some((at, matched, has_token)) = open.pop() {
        let Some(wanted) = part.get(matched) else {
            match has_token {
                true => return true,
                false => continue,
            }
        };
        let Some(letter) = text.get(at) else { continue };
        if tokens.meaning(*letter).is_none() {
            if letter == wanted {
                open.push((at + 1, matched + 1, has_token));
            }
        } else if seen.insert((at, matched, has_token)) {
            if tokens.may_contain(*letter, *wanted) {
                open.push((at, matched + 1, true));
            }
            if matched > 0 {
                open.push((at + 1, matched, true));
            }
        }
    }
    false
}

fn parse_regex(pattern: &str) -> Result<Regex, ExpressionError> {
    Regex::new(pattern)
        .map_err(|_| ExpressionError::new(format!("{pattern:?} is not a regular expression")))
}

/// Returns what a match is: the text, a list of its groups, or a map of its named groups.
fn captured(pattern: &Regex, captures: &regex::Captures<'_>) -> HclValue {
    let group = |found: Option<regex::Match<'_>>| {
        found.map_or(HclValue::Null, |found| HclValue::text(found.as_str()))
    };
    let names: Vec<_> = pattern.capture_names().flatten().collect();
    match pattern.captures_len() {
        1 => group(captures.get(0)),
        _ if !names.is_empty() => {
            let groups = names
                .into_iter()
                .map(|name| (name, group(captures.name(name))));
            HclValue::map(groups)
        }
        count => HclValue::List((1..count).map(|index| group(captures.get(index))).collect()),
    }
}

fn regex(arguments: &[HclValue]) -> FunctionResult {
    let (pattern, text) = (text(arguments, 0)?, text(arguments, 1)?);
    let pattern = parse_regex(&pattern)?;
    match pattern.captures(&text) {
        Some(captures) => Ok(Some(captured(&pattern, &captures))),
        None => Err(ExpressionError::new("the pattern does not match")),
    }
}

fn regex_all(arguments: &[HclValue]) -> FunctionResult {
    let (pattern, text) = (text(arguments, 0)?, text(arguments, 1)?);
    let pattern = parse_regex(&pattern)?;
    let matches = pattern
        .captures_iter(&text)
        .map(|captures| captured(&pattern, &captures));
    Ok(Some(HclValue::List(matches.collect())))
}

fn split(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    let (separator, whole) = (text(arguments, 0)?, text(arguments, 1)?);
    let tokens = context.tokens;
    let (separator, expanded) = (tokens.expand(&separator), tokens.expand(&whole));
    let may_be_in = |token: char| {
        let mut letters = separator.chars();
        letters.any(|letter| tokens.may_contain(token, letter))
    };
    let is_unknown = match separator.is_empty() {
        true => tokens.has_token(&expanded),
        false => tokens.has_token(&separator) || expanded.chars().any(may_be_in),
    };
    if is_unknown {
        return Ok(None);
    }
    let parts: Vec<HclValue> = match (separator.as_str(), expanded.as_str()) {
        // Go splits an empty text into one part, except at an empty separator.
        ("", "") => Vec::new(),
        ("", text) => text.chars().map(HclValue::text).collect(),
        (separator, text) => text.split(separator).map(HclValue::text).collect(),
    };
    Ok(Some(HclValue::List(parts)))
}

fn affix(
    context: &FunctionContext<'_>,
    arguments: &[HclValue],
    is_part: impl Fn(&str, &str) -> bool,
) -> FunctionResult {
    let (whole, part) = (text(arguments, 0)?, text(arguments, 1)?);
    let expanded = context.tokens.expand(&whole);
    Ok(match is_part(&whole, &part) || is_part(&expanded, &part) {
        true => Some(HclValue::Bool(true)),
        false if context.tokens.has_token(&expanded) || context.tokens.has_token(&part) => None,
        false => Some(HclValue::Bool(false)),
    })
}

/// Removes a part. `open` returns the token at the edge of the text, and the letter of the part that its value would have
/// there.
fn trimmed(
    context: &FunctionContext<'_>,
    arguments: &[HclValue],
    strip: impl for<'t> Fn(&'t str, &str) -> Option<&'t str>,
    open: impl Fn(&str, &str) -> Option<(char, char)>,
) -> FunctionResult {
    let (whole, part) = (text(arguments, 0)?, text(arguments, 1)?);
    let tokens = context.tokens;
    let expanded = tokens.expand(&whole);
    let stripped = strip(&whole, &part).or_else(|| strip(&expanded, &part));
    if let Some(stripped) = stripped {
        return Ok(Some(HclValue::text(stripped)));
    }
    let part = tokens.expand(&part);
    let is_open =
        open(&expanded, &part).is_some_and(|(token, letter)| tokens.may_contain(token, letter));
    Ok(match is_open || tokens.has_token(&part) {
        true => None,
        false => Some(HclValue::Text(whole)),
    })
}

/// Removes the spaces around a text. Attributes of resources have none.
fn trim_space(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    let whole = text(arguments, 0)?;
    let trimmed = whole.trim();
    let expanded = context.tokens.expand(trimmed);
    let mut edges = expanded
        .chars()
        .next()
        .into_iter()
        .chain(expanded.chars().next_back());
    let is_unknown = |letter| {
        matches!(
            context.tokens.meaning(letter),
            Some(TokenMeaning::Unknown(_))
        )
    };
    Ok((!edges.any(is_unknown)).then(|| HclValue::text(trimmed)))
}

fn substr(arguments: &[HclValue]) -> FunctionResult {
    let letters: Vec<char> = text(arguments, 0)?.chars().collect();
    let (offset, length) = (whole(arguments, 1)?, whole(arguments, 2)?);
    let count = i64::try_from(letters.len()).unwrap_or(i64::MAX);
    let start = match offset < 0 {
        true => (count + offset).max(0),
        false => offset.min(count),
    };
    let end = match length < 0 {
        true => count,
        false => start.saturating_add(length).min(count),
    };
    let range = usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
    Ok(Some(HclValue::Text(
        letters.get(range).unwrap_or_default().iter().collect(),
    )))
}

fn indent(arguments: &[HclValue]) -> FunctionResult {
    /// A wider indentation is a mistake.
    const WIDEST: f64 = 10_000.0;
    let width = number(arguments, 0)?;
    if !(0.0..=WIDEST).contains(&width) {
        return Err(needed("a number of spaces", at(arguments, 0)?));
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the range"
    )]
    let spaces = " ".repeat(width as usize);
    let text = text(arguments, 1)?;
    Ok(Some(HclValue::Text(
        text.replace('\n', &format!("\n{spaces}")),
    )))
}
