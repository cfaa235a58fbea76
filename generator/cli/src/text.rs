//! Layout of text for terminals.

/// Columns of reports.
pub(crate) const REPORT: usize = 100;

/// Columns of pages.
pub(crate) const PAGE: usize = 80;

/// Wraps a paragraph at a number of columns. `first` begins its first line, `other` every other one. Control characters, which
/// terminals obey, become blanks.
pub(crate) fn wrap(first: &str, other: &str, text: &str, width: usize) -> String {
    let (mut lines, mut line) = (String::new(), first.to_owned());
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let word: String = word
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = other.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    lines + line.trim_end() + "\n"
}

/// Returns a whole number with its noun: `1 check`, `2,000 checks`.
pub(crate) fn counted(count: impl ToString, noun: &str) -> String {
    let number = grouped(count);
    match number.as_str() {
        "1" => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// Returns a whole number with its thousands separated: `12,345`.
pub(crate) fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
