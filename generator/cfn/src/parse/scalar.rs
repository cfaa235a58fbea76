//! Types of plain scalars, by the YAML 1.1 rules of PyYAML's SafeLoader.

use crate::Value;

/// Returns the value of a scalar without quotes. Dates, timestamps, infinities, NaN and whole numbers that do not fit
/// stay strings.
pub(super) fn resolve(text: &str) -> Value {
    if is_null(text) {
        return Value::Null;
    }
    if let Some(value) = bool(text) {
        return Value::Bool(value);
    }
    // Fast path: numbers begin with a digit, a sign or a dot, and most text does not.
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return Value::String(text.to_owned());
    }
    if let Some(value) = int(text) {
        return Value::Int(value);
    }
    match float(text) {
        Some(value) => Value::Float(value),
        None => Value::String(text.to_owned()),
    }
}

/// Returns true for `~`, `null` in three casings, and empty text.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Parses `true`, `yes`, `on` and their opposites in three casings.
pub(super) fn bool(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Parses a decimal, binary (`0b`), octal (`0`), hexadecimal (`0x`) or sexagesimal (`1:30`) number, with underscores
/// anywhere but at the start.
pub(super) fn int(text: &str) -> Option<i64> {
    let (negative, body) = sign(text);
    let magnitude = match body.as_bytes() {
        [b'0'] => Some(0),
        [b'0', b'b', ..] => digits(&body[2..], 2),
        [b'0', b'x', ..] => digits(&body[2..], 16),
        [b'0', _, ..] => {
            digits(&body[1..], 8).or_else(|| body[1..].bytes().all(|b| b == b'_').then_some(0))
        }
        [b'1'..=b'9', ..] => match body.split_once(':') {
            Some((first, rest)) => sexagesimal(digits(first, 10)?, rest),
            None => digits(body, 10),
        },
        _ => None,
    }?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// Parses a number with a dot. As in YAML 1.1, an exponent needs a sign.
pub(super) fn float(text: &str) -> Option<f64> {
    let (negative, body) = sign(text);
    let (whole, rest) = body.split_once('.')?;
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, "+0"),
    };
    let power = exponent.strip_prefix(['+', '-'])?;
    let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let starts = |s: &str| s.starts_with(|c: char| c.is_ascii_digit());
    if !is_digits(fraction) || power.is_empty() || !power.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction.replace('_', "");
    let magnitude = if let Some((first, minutes)) = whole.split_once(':') {
        if !starts(first) || rest.contains(['e', 'E']) {
            return None;
        }
        let seconds = sexagesimal(digits(first, 10)?, minutes)?;
        format!("{seconds}.{fraction}").parse::<f64>().ok()?
    } else {
        let is_number = match whole {
            "" => starts(rest) && text.starts_with('.'),
            _ => starts(whole) && is_digits(whole),
        };
        if !is_number {
            return None;
        }
        format!("{}.{fraction}e{exponent}", whole.replace('_', ""))
            .parse::<f64>()
            .ok()?
    };
    magnitude
        .is_finite()
        .then_some(if negative { -magnitude } else { magnitude })
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    }
}

/// Parses digits and underscores with at least one digit.
fn digits(text: &str, radix: u32) -> Option<i128> {
    let mut value = None;
    for c in text.chars().filter(|&c| c != '_') {
        let digit = i128::from(c.to_digit(radix)?);
        value = Some(
            value
                .unwrap_or(0i128)
                .checked_mul(radix.into())?
                .checked_add(digit)?,
        );
    }
    value
}

/// Adds sexagesimal groups to `first`: one or two digits below sixty, between colons.
fn sexagesimal(first: i128, rest: &str) -> Option<i128> {
    rest.split(':').try_fold(first, |value, group| {
        let digit = match group.as_bytes() {
            [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'] => group.parse::<i128>().ok()?,
            _ => return None,
        };
        value.checked_mul(60)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn booleans_and_nulls_have_three_casings() {
        for text in [
            "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE",
        ] {
            assert_eq!(resolve(text), Value::Bool(true), "{text}");
        }
        for text in [
            "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE",
        ] {
            assert_eq!(resolve(text), Value::Bool(false), "{text}");
        }
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(resolve(text), Value::Null, "{text:?}");
        }
        for text in ["y", "n", "yEs", "nULL", "oN", "True "] {
            assert_eq!(resolve(text), string(text));
        }
    }

    #[test]
    fn whole_numbers_come_in_five_notations() {
        for (text, value) in [
            ("0", 0),
            ("-0", 0),
            ("+12", 12),
            ("1_000", 1000),
            ("012", 10),
            ("-017", -15),
            ("0_", 0),
            ("0_7", 7),
            ("0x1F", 31),
            ("0x_f", 15),
            ("0b1_0", 2),
            ("1:30", 90),
            ("-1:30:05", -5405),
            ("1_0:00", 600),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(resolve(text), Value::Int(value), "{text}");
        }
    }

    #[test]
    fn floats_need_a_dot_and_a_signed_exponent() {
        for (text, value) in [
            ("1.5", 1.5),
            ("-1.", -1.0),
            (".5", 0.5),
            ("1_0.2_5", 10.25),
            ("1.0e+20", 1e20),
            ("1.5E-7", 1.5e-7),
            ("1:30.5", 90.5),
            ("0:30.", 30.0),
        ] {
            assert_eq!(resolve(text), Value::Float(value), "{text}");
        }
    }

    #[test]
    fn text_that_resembles_a_number_is_a_string() {
        for text in [
            "1e3",
            "1.0e3",
            "0o17",
            "09",
            "0b",
            "0b2",
            "0x",
            "0xg",
            "-",
            "+",
            ".",
            "-.5",
            "1.2.3",
            "1:60",
            "1:",
            ":1",
            "0:30",
            ".inf",
            "-.INF",
            ".nan",
            "1.0e+999",
            "2010-09-09",
            "2001-12-14t21:59:43.10-05:00",
            "10.0.0.0/16",
            "9223372036854775808",
            "123456789012345678901234567890",
            "_1",
            "1.e",
            "1:30.5e+1",
            "._5",
            "1:30:+5",
        ] {
            assert_eq!(resolve(text), string(text));
        }
    }
}
