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

/// Returns a number with its noun: `1 check`, `2 checks`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}
