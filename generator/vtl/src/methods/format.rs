//! `String.format` with the conversions that templates use.

use super::{MethodFailure, exception};
use crate::value::{Heap, VtlValue, to_text};

/// Longest field of a format.
const MAX_WIDTH: usize = 1_000;

/// A `%` with its flags.
#[derive(Default)]
struct Field {
    left: bool,
    zeros: bool,
    sign: bool,
    commas: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats values with `%s`, `%d`, `%f`, `%x`, `%X`, `%b`, `%c`, `%n` and `%%`.
pub(super) fn format(
    heap: &mut Heap,
    pattern: &str,
    values: &[VtlValue],
) -> Result<String, MethodFailure> {
    let mut result = String::new();
    let mut values = values.iter();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            result.push(c);
            continue;
        }
        let mut field = Field::default();
        while let Some(flag) = chars.next_if(|c| "-0+,".contains(*c)) {
            match flag {
                '-' => field.left = true,
                '0' => field.zeros = true,
                '+' => field.sign = true,
                _ => field.commas = true,
            }
        }
        field.width = digits(&mut chars).unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            field.precision = digits(&mut chars);
        }
        let text = match chars.next() {
            Some('n') => "\n".to_owned(),
            Some('%') => "%".to_owned(),
            Some(conversion) => {
                let Some(value) = values.next() else {
                    return exception(format!("there is no value for %{conversion}"));
                };
                field.zeros = field.zeros && !value.is_null();
                field.convert(heap, conversion, value)?
            }
            None => return exception("the format ends with %"),
        };
        heap.charge_length(text.len() + field.width)?;
        result.push_str(&field.pad(text));
    }
    Ok(result)
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut text = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    text.parse().ok().map(|number: usize| number.min(MAX_WIDTH))
}

/// Rounds half up the shortest decimal that stands for a double, as Java does: 1.005 becomes 1.01.
fn rounded(value: f64, precision: usize) -> String {
    let exact = format!("{value:.precision$}");
    let shortest = value.abs().to_string();
    let (whole, fraction) = shortest.split_once('.').unwrap_or((&shortest, ""));
    if !value.is_finite() || fraction.len() <= precision {
        return exact;
    }
    let up = fraction.as_bytes()[precision] >= b'5';
    let mut digits: Vec<u8> = whole
        .bytes()
        .chain(fraction.bytes().take(precision))
        .collect();
    let mut at = digits.len();
    while up && at > 0 {
        at -= 1;
        if digits[at] < b'9' {
            digits[at] += 1;
            break;
        }
        digits[at] = b'0';
        if at == 0 {
            digits.insert(0, b'1');
        }
    }
    let mut text: String = digits.into_iter().map(char::from).collect();
    if precision > 0 {
        text.insert(text.len() - precision, '.');
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    format!("{sign}{text}")
}

impl Field {
    fn convert(
        &self,
        heap: &mut Heap,
        conversion: char,
        value: &VtlValue,
    ) -> Result<String, MethodFailure> {
        let integer = matches!(
            value,
            VtlValue::Int(_) | VtlValue::Long(_) | VtlValue::Big(_)
        );
        let text = to_text(heap, value)?;
        Ok(match (conversion, value) {
            ('s' | 'S', _) => {
                let text: String = text
                    .chars()
                    .take(self.precision.unwrap_or(usize::MAX))
                    .collect();
                if conversion == 'S' {
                    text.to_uppercase()
                } else {
                    text
                }
            }
            ('b', VtlValue::Null) => "false".to_owned(),
            ('b', VtlValue::Boolean(_)) => text,
            ('b', _) => "true".to_owned(),
            // Java formats null as text, whatever the conversion is.
            (_, VtlValue::Null) => {
                let text: String = text
                    .chars()
                    .take(self.precision.unwrap_or(usize::MAX))
                    .collect();
                if conversion.is_uppercase() {
                    text.to_uppercase()
                } else {
                    text
                }
            }
            ('d', _) if integer => self.signed(&text),
            ('f', VtlValue::Double(value)) => {
                self.signed(&rounded(*value, self.precision.unwrap_or(6)))
            }
            ('x', VtlValue::Int(value)) => format!("{value:x}"),
            ('X', VtlValue::Int(value)) => format!("{value:X}"),
            ('x', VtlValue::Long(value)) => format!("{value:x}"),
            ('X', VtlValue::Long(value)) => format!("{value:X}"),
            ('c', VtlValue::Char(_)) => text,
            ('c', VtlValue::Int(code)) => {
                match u32::try_from(*code).ok().and_then(char::from_u32) {
                    Some(c) => c.to_string(),
                    None => return exception(format!("{code} is not a character")),
                }
            }
            _ => return exception(format!("%{conversion} does not fit the value {text}")),
        })
    }

    /// Adds a sign and commas between thousands.
    fn signed(&self, text: &str) -> String {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None if self.sign => ("+", text),
            None => ("", text),
        };
        if !self.commas {
            return format!("{sign}{digits}");
        }
        let (whole, fraction) = digits
            .find('.')
            .map_or((digits, ""), |dot| digits.split_at(dot));
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        format!("{sign}{grouped}{fraction}")
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.left {
            return text + &" ".repeat(missing);
        }
        if !self.zeros {
            return " ".repeat(missing) + &text;
        }
        let digits = text.trim_start_matches(['-', '+']);
        let (sign, digits) = text.split_at(text.len() - digits.len());
        format!("{sign}{}{digits}", "0".repeat(missing))
    }
}
