//! Figures that pages quote: each is in the results that its section links to.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::root;

/// A number of a page, with the unit behind it.
#[derive(Clone, Debug, PartialEq)]
struct Figure {
    text: String,
    value: f64,
    /// Half a unit of the last digit that is written.
    rounding: f64,
    unit: Option<Unit>,
}

/// A unit, as its kind and its size in the smallest unit of that kind.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Unit {
    kind: &'static str,
    size: f64,
}

const UNITS: [(&str, &str, f64); 8] = [
    ("µs", "time", 1.0),
    ("ms", "time", 1e3),
    ("s", "time", 1e6),
    ("seconds", "time", 1e6),
    ("min", "time", 60e6),
    ("KiB", "memory", 1.0),
    ("MiB", "memory", 1024.0),
    ("%", "share", 1.0),
];

/// Returns the numbers of a text. Those in names and versions, such as `cfn-lint 1.58` or `Node v20`, have no unit.
fn figures(text: &str) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        before = rest[..start].chars().next_back().unwrap_or(before);
        rest = &rest[start..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',');
        let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
        let number = number.trim_end_matches(['.', ',']);
        if let Ok(value) = number.replace(',', "").parse::<f64>()
            && !before.is_alphanumeric()
            && before != '-'
        {
            let word = after.strip_prefix(' ').unwrap_or(after);
            let word = word.split(|c: char| !c.is_alphabetic() && c != '%').next();
            let unit = UNITS
                .iter()
                .find(|(name, ..)| Some(*name) == word)
                .map(|&(_, kind, size)| Unit { kind, size });
            let decimals = number.split_once('.').map_or(0, |(_, part)| part.len());
            figures.push(Figure {
                text: format!("{number} {}", word.unwrap_or_default()),
                value,
                rounding: 0.5 / 10_f64.powi(i32::try_from(decimals).unwrap()),
                unit,
            });
        }
        before = number.chars().next_back().unwrap_or(' ');
        rest = after;
    }
    figures
}

impl Figure {
    /// Returns true for figures that must have been measured: those with a unit, and numbers of four digits and more.
    fn is_measured(&self) -> bool {
        self.unit.is_some() || (self.value >= 1_000.0 && self.text.contains(','))
    }

    /// Returns true if this is the other figure, rounded.
    fn quotes(&self, other: &Figure) -> bool {
        let value = match (self.unit, other.unit) {
            (Some(own), Some(of)) if own.kind == of.kind => other.value * of.size / own.size,
            (None, None) => other.value,
            // A cell of a table, with the unit in its head.
            (Some(_), None) if other.text.ends_with(' ') => other.value,
            _ => return false,
        };
        (self.value - value).abs() <= self.rounding * 1.000_001
    }
}

/// Returns the pages that a section links to and that hold results.
fn results(section: &str, page: &Path) -> Vec<PathBuf> {
    let links = section.split("](").skip(1).filter_map(|rest| {
        let link = rest.split(')').next()?.split('#').next()?;
        let is_result = link.ends_with("RESULTS.md")
            || link.ends_with("FIRST-BROADCAST.md")
            || link.ends_with("measurements.md")
            || link.ends_with("conformance.md");
        is_result.then(|| page.parent().unwrap().join(link))
    });
    links.collect()
}

/// Returns the figures of a section that none of its results holds.
fn unfounded(section: &str, page: &Path) -> Vec<String> {
    let quoted: Vec<_> = figures(section)
        .into_iter()
        .filter(Figure::is_measured)
        .collect();
    let results = results(section, page);
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap_or_else(|_| panic!("{path:?}"));
    let held: Vec<_> = results
        .iter()
        .flat_map(|path| figures(&read(path)))
        .collect();
    quoted
        .iter()
        .filter(|figure| !held.iter().any(|held| figure.quotes(held)))
        .map(|figure| figure.text.clone())
        .collect()
}

#[test]
fn every_figure_that_a_page_quotes_is_in_the_results_that_it_links_to() {
    let mut problems = Vec::new();
    for (page, only) in [
        ("README.md", Some("Measured")),
        ("docs/reference/measurements.md", None),
    ] {
        let page = root().join(page);
        let text = fs::read_to_string(&page).unwrap();
        let sections: Vec<_> = text
            .split("\n## ")
            .skip(1)
            .filter(|section| only.is_none_or(|name| section.starts_with(name)))
            .collect();
        assert!(!sections.is_empty(), "{page:?}");
        for section in sections {
            let title = section.lines().next().unwrap_or_default();
            let unfounded = unfounded(section, &page);
            problems.extend(unfounded.iter().map(|one| format!("{title}: {one}")));
        }
    }
    assert_eq!(problems, [""; 0]);
}

#[test]
fn a_figure_quotes_a_result_if_it_is_that_result_rounded() {
    let quotes = |quoted: &str, held: &str| {
        let (quoted, held) = (figures(quoted), figures(held));
        quoted[0].quotes(&held[0])
    };
    assert!(quotes("12 ms", "11.8 ms (11.8 ms to 15.5 ms)"));
    assert!(quotes("0.11 ms", "108 µs"));
    assert!(quotes("15,969", "15,969 (13,641 to 16,423)"));
    assert!(quotes("0.5 seconds", "0.46 |"));
    assert!(!quotes("12 ms", "12.6 ms"));
    assert!(!quotes("12 ms", "12 MiB"));
    assert!(!quotes("12 ms", "12 calls"));
    assert!(!quotes("12.0 ms", "11.8 ms"));
    let names: Vec<_> = figures("cfn-lint 1.58, Node v20, D15 and 3 s")
        .into_iter()
        .filter(Figure::is_measured)
        .collect();
    assert_eq!(names.len(), 1);
}
