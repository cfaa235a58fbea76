//! Changes that make something in a text very deep, long or frequent.

use std::fmt::Write;

use fastrand::Rng;

/// Replaces a value of the text by an extreme one, or puts something extreme around the text.
pub(crate) fn change(text: &str, random: &mut Rng) -> String {
    let count = [10, 100, 1_000, 10_000][random.usize(..4)];
    let value = match random.u8(..8) {
        0 => nested("[", "x", "]", count),
        1 => nested("{a: ", "x", "}", count),
        2 => nested("{'Fn::If': [C, ", "x", ", y]}", count),
        3 => nested("!Sub [a, {b: ", "x", "}]", count),
        4 => format!("[{}]", "x, ".repeat(count)),
        5 => format!("'{}'", "${AWS::Region}".repeat(count)),
        6 => "\u{e9}".repeat(count * 10),
        _ => return around(text, count, random),
    };
    in_place(text, &value, random)
}

fn nested(open: &str, inside: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + inside + &close.repeat(depth)
}

/// Replaces the value of one of the text's lines.
fn in_place(text: &str, value: &str, random: &mut Rng) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let keys: Vec<usize> = (0..lines.len())
        .filter(|&at| lines[at].contains(": "))
        .collect();
    if keys.is_empty() {
        return value.to_owned();
    }
    let line = &mut lines[keys[random.usize(..keys.len())]];
    let key = line.split(": ").next().unwrap_or_default();
    *line = format!("{key}: {value}");
    lines.join("\n")
}

/// Puts something long before or after the text, or repeats the text.
fn around(text: &str, count: usize, random: &mut Rng) -> String {
    match random.u8(..7) {
        0 => aliases(count.min(60)) + text,
        1 => keys(count) + text,
        2 => format!("{text}\n") + &keys(count),
        3 => " ".repeat(count * 10) + text,
        4 => "\n".repeat(count * 10) + text,
        5 => format!("#{}\n{text}", "x".repeat(count * 10)),
        _ => format!("{text}\n---\n").repeat(count.min(50)),
    }
}

/// Aliases of aliases: few bytes that stand for 2^`depth` values.
fn aliases(depth: usize) -> String {
    let mut text = String::from("a0: &a0 [x, x]\n");
    for level in 1..depth {
        let below = level - 1;
        writeln!(text, "a{level}: &a{level} [*a{below}, *a{below}]").unwrap();
    }
    text
}

fn keys(count: usize) -> String {
    let mut text = String::new();
    for key in 0..count {
        writeln!(text, "Key{key}: {{Type: 'AWS::SNS::Topic'}}").unwrap();
    }
    text
}
