//! Changes of a text's lines and bytes.

use fastrand::Rng;

/// Pieces of YAML, JSON and templates, and bytes that are no text.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\t",
    b"\r\n",
    b"\x1b[31m",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98",
    "\u{feff}".as_bytes(),
    "\u{85}\u{2028}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{1f600}".as_bytes(),
    b"&a ",
    b"*a",
    b"<<: *a\n",
    b"!Ref ",
    b"!Sub ",
    b"!GetAtt a.b",
    b"!If [a, b, c]",
    b"!!binary ",
    b"! ",
    b"---\n",
    b"...\n",
    b"%YAML 1.2\n",
    b"? ",
    b"|2-\n",
    b">+\n",
    b": ",
    b"- ",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"'",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"#",
    b"`",
    b"@",
    b"${",
    b"${AWS::Region}",
    b"{{resolve:ssm:a}}",
    b"~",
    b"null",
    b".nan",
    b"-.inf",
    b"1e999",
    b"0x7fffffffffffffff",
    b"-9223372036854775809",
    b"18446744073709551616",
    b"0.1e-400",
    b"2001-12-14t21:59:43.10-05:00",
    b"../../../etc/passwd",
    b"/dev/zero",
];

/// Changes some bytes or stretches of bytes. The result need not be UTF-8.
pub(crate) fn change_bytes(text: &str, random: &mut Rng) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..few(random) {
        change_once(&mut bytes, random);
    }
    bytes
}

/// Returns 1 in half of all cases, 2 in a quarter, and so on. With many changes, the first hides the others.
fn few(random: &mut Rng) -> u32 {
    1 + random.u16(..).trailing_zeros()
}

fn change_once(bytes: &mut Vec<u8>, random: &mut Rng) {
    let at = random.usize(..=bytes.len());
    let end = (at + random.usize(..=32)).min(bytes.len());
    match random.u8(..8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
        1 if at < bytes.len() => bytes[at] = random.u8(..),
        2 => drop(bytes.drain(at..end)),
        3 => {
            let stretch = bytes[at..end].to_vec();
            let to = random.usize(..=bytes.len());
            bytes.splice(to..to, stretch);
        }
        // Rarely: what is left is short.
        4 if random.u8(..8) == 0 => bytes.truncate(at),
        _ => drop(bytes.splice(at..at, token(random).iter().copied())),
    }
}

fn token(random: &mut Rng) -> &'static [u8] {
    TOKENS[random.usize(..TOKENS.len())]
}

/// Changes some lines; a few come from another text.
pub(crate) fn change_lines(text: &str, other: &str, random: &mut Rng) -> String {
    let others: Vec<&str> = other.lines().collect();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..few(random) {
        if lines.is_empty() {
            break;
        }
        change_line(&mut lines, &others, random);
    }
    lines.join(["\n", "\n", "\n", "\r\n", "\r"][random.usize(..5)])
}

fn change_line(lines: &mut Vec<String>, others: &[&str], random: &mut Rng) {
    let at = random.usize(..lines.len());
    let end = (at + 1 + random.usize(..8)).min(lines.len());
    match random.u8(..8) {
        0 => drop(lines.drain(at..end)),
        1 => {
            let block = lines[at..end].to_vec();
            lines.splice(end..end, block);
        }
        2 => {
            let with = random.usize(..lines.len());
            lines.swap(at, with);
        }
        3 => {
            for line in &mut lines[at..end] {
                line.insert_str(0, [" ", "  ", "\t", "- "][random.usize(..4)]);
            }
        }
        4 => {
            for line in &mut lines[at..end] {
                *line = line.trim_start().to_owned();
            }
        }
        5 if !others.is_empty() => {
            let from = random.usize(..others.len());
            let to = (from + 1 + random.usize(..8)).min(others.len());
            let block: Vec<String> = others[from..to].iter().map(|&it| it.to_owned()).collect();
            lines.splice(at..at, block);
        }
        6 => {
            let key = lines[at].split(':').next().unwrap_or_default();
            lines[at] = format!("{key}: {}", String::from_utf8_lossy(token(random)));
        }
        _ => lines[at].push_str(&String::from_utf8_lossy(token(random))),
    }
}
