//! `format` and `formatlist`.

use super::arguments::{at, text};
use super::encoding::json_text;
use crate::error::ExpressionError;
use crate::token::may_have_token;
use crate::value::{HclValue, number_text};

/// Flags, width and precision of a verb such as `%-8.2f`.
#[derive(Default)]
struct FormatVerb {
    flags: String,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Widest result of a verb.
const WIDEST: usize = 10_000;

/// Returns the result of `format`.
pub(super) fn format(arguments: &[HclValue]) -> Result<String, ExpressionError> {
    let pattern = text(arguments, 0)?;
    let mut rest = pattern.chars().peekable();
    let (mut out, mut next) = (String::new(), 1);
    while let Some(letter) = rest.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut verb = FormatVerb::default();
        while let Some(flag) = rest.next_if(|c| "+-# 0".contains(*c)) {
            verb.flags.push(flag);
        }
        verb.width = digits(&mut rest);
        if rest.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(&mut rest).unwrap_or(0));
        }
        if rest.next_if_eq(&'[').is_some() {
            next = digits(&mut rest).unwrap_or(1).max(1);
            rest.next_if_eq(&']');
        }
        match rest.next() {
            Some('%') => out.push('%'),
            Some(kind) => {
                let value = at(arguments, next)?;
                next += 1;
                out.push_str(&verb.padded(formatted(kind, &verb, value)?));
            }
            None => return Err(ExpressionError::new("the format ends within a verb")),
        }
    }
    Ok(out)
}

/// Returns the result of `formatlist`.
pub(super) fn format_list(arguments: &[HclValue]) -> Result<HclValue, ExpressionError> {
    let lists = arguments.iter().filter_map(HclValue::elements);
    let Some(length) = lists.map(<[HclValue]>::len).max() else {
        return Ok(HclValue::List(vec![HclValue::Text(format(arguments)?)]));
    };
    let rows = (0..length).map(|row| {
        let arguments: Result<Vec<HclValue>, ExpressionError> = arguments
            .iter()
            .map(|argument| match argument.elements() {
                Some(items) => items
                    .get(row)
                    .cloned()
                    .ok_or_else(|| ExpressionError::new("the lists have different lengths")),
                None => Ok(argument.clone()),
            })
            .collect();
        format(&arguments?).map(HclValue::Text)
    });
    Ok(HclValue::List(rows.collect::<Result<_, _>>()?))
}

fn digits(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).unwrap_or(0) as usize;
        number = Some((number.unwrap_or(0) * 10 + digit).min(WIDEST));
    }
    number
}

impl FormatVerb {
    fn padded(&self, text: String) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if missing == 0 {
            return text;
        }
        if self.flags.contains('-') {
            return text + &" ".repeat(missing);
        }
        let is_number =
            text.starts_with(['+', '-']) || text.starts_with(|c: char| c.is_ascii_digit());
        match self.flags.contains('0') {
            true if is_number => {
                let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
                format!("{sign}{}{digits}", "0".repeat(missing))
            }
            true => "0".repeat(missing) + &text,
            false => " ".repeat(missing) + &text,
        }
    }

    fn signed(&self, number: f64, text: String) -> String {
        match self.flags.contains('+') && number >= 0.0 {
            true => format!("+{text}"),
            false => text,
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "Terraform formats whole numbers with these verbs"
)]
fn formatted(kind: char, verb: &FormatVerb, value: &HclValue) -> Result<String, ExpressionError> {
    let number = || {
        value.as_number().ok_or_else(|| {
            ExpressionError::new(format!(
                "`%{kind}` needs a number, and not a {}",
                value.kind()
            ))
        })
    };
    Ok(match kind {
        'v' if verb.flags.contains('#') => json_text(value),
        'v' => match value {
            HclValue::Null => "null".to_owned(),
            HclValue::List(_) | HclValue::Set(_) | HclValue::Map(_) => json_text(value),
            other => other.to_text()?,
        },
        's' => {
            let text = value.to_text()?;
            match verb.precision {
                Some(precision) => text.chars().take(precision).collect(),
                None => text,
            }
        }
        'q' => json_text(&HclValue::Text(value.to_text()?)),
        't' => match value.as_bool() {
            Some(value) => value.to_string(),
            None => return Err(ExpressionError::new("`%t` needs a bool")),
        },
        // A number that only AWS knows.
        'd' | 'f' | 'g'
            if matches!(value, HclValue::Unknown(_))
                || value.as_text().is_some_and(may_have_token) =>
        {
            value.to_text()?
        }
        'd' => verb.signed(number()?, number_text(number()?.trunc())),
        'f' => verb.signed(
            number()?,
            format!("{:.*}", verb.precision.unwrap_or(6), number()?),
        ),
        'g' => verb.signed(number()?, number_text(number()?)),
        'e' => verb.signed(number()?, exponent(number()?, verb.precision.unwrap_or(6))),
        'b' => format!("{:b}", number()? as i64),
        'o' => format!("{:o}", number()? as i64),
        'x' => format!("{:x}", number()? as i64),
        'X' => format!("{:X}", number()? as i64),
        other => return Err(ExpressionError::new(format!("there is no verb `%{other}`"))),
    })
}

/// Returns a number with an exponent of two digits at least, as Go writes it.
fn exponent(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}
