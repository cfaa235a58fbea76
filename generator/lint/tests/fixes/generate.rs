//! Documents in block style, flow style and JSON, with comments wherever they are allowed.

use proptest::collection::vec;
use proptest::prelude::*;

/// A document before it is formatted.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// As JSON, as YAML within brackets, and in block style without indentation.
    Leaf([&'static str; 3]),
    List(Vec<Tree>),
    Map(Vec<Tree>),
}

const LEAVES: &[[&str; 3]] = &[
    ["\"a\"", "a", "a"],
    ["\"é # ü\"", "'é # ü'", "'é # ü'"],
    ["\"it's\"", "\"it's\"", "it's"],
    ["60000", "60000", "60000"],
    ["true", "yes", "on"],
    ["null", "~", ""],
    ["\"\"", "''", "\"\""],
    ["{}", "{}", "{}"],
    ["[]", "[]", "[]"],
    ["{\"Ref\": \"X\"}", "!Ref X", "!Ref X"],
    [
        "{\"Fn::GetAtt\": [\"X\", \"Y\"]}",
        "!GetAtt X.Y",
        "!GetAtt X.Y",
    ],
    [
        "{\"Fn::Sub\": \"${X}: #\"}",
        "!Sub '${X}: #'",
        "!Sub \"${X}: #\"",
    ],
    [
        "{\"Fn::Join\": [\"\", [\"a\", {\"Ref\": \"X\"}]]}",
        "!Join ['', [a, {Ref: X}]]",
        "!Join ['', [a, !Ref X]]",
    ],
    [
        "\"one # no comment\\ntwo\\n\"",
        "\"one # no comment\\ntwo\\n\"",
        "|\none # no comment\ntwo",
    ],
    ["\"one two\"", "'one two'", ">-\none\ntwo"],
    [
        "{\"Fn::Sub\": \"é ${X}\\n\"}",
        "!Sub \"é ${X}\\n\"",
        "!Sub |\né ${X}",
    ],
];

pub(crate) fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop::sample::select(LEAVES).prop_map(Tree::Leaf);
    let inner = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 1..4).prop_map(Tree::Map),
            1 => vec(inner, 1..4).prop_map(Tree::List),
        ]
    });
    vec(inner, 1..4).prop_map(Tree::Map)
}

/// Style of a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Style {
    Block,
    Flow,
    Pretty,
    Compact,
}

/// Formats a tree. `choices` decide about comments and other options of a style.
pub(crate) fn written(tree: &Tree, style: Style, choices: &[u8]) -> String {
    let mut writer = Writer {
        out: String::new(),
        choices,
        at: 0,
        comments: 0,
        is_json: matches!(style, Style::Pretty | Style::Compact),
        step: 2,
    };
    writer.step = if writer.chooses(3) { 4 } else { 2 };
    match style {
        Style::Block => {
            writer.comment_above(0);
            writer.block(tree, 0, Lead::Root);
        }
        Style::Flow | Style::Pretty => {
            writer.flow(tree, 0, true);
            writer.out.push('\n');
        }
        Style::Compact => writer.flow(tree, 0, false),
    }
    match writer.chooses(4) {
        true => writer.out.replace('\n', "\r\n"),
        false => writer.out,
    }
}

/// Text before a value.
#[derive(Clone, Copy, PartialEq)]
enum Lead {
    Root,
    Key,
    Dash,
}

struct Writer<'c> {
    out: String,
    choices: &'c [u8],
    at: usize,
    comments: usize,
    is_json: bool,
    step: usize,
}

impl Writer<'_> {
    /// Returns true once in so many calls.
    fn chooses(&mut self, once_in: u8) -> bool {
        self.at += 1;
        let choice = self.choices[self.at % self.choices.len()];
        choice
            .wrapping_add((self.at / self.choices.len()) as u8)
            .is_multiple_of(once_in)
    }

    fn comment(&mut self) {
        self.comments += 1;
        let blanks = if self.comments.is_multiple_of(3) {
            "   "
        } else {
            " "
        };
        self.out.push_str(&format!("{blanks}#é{}é", self.comments));
    }

    fn comment_behind(&mut self) {
        if !self.is_json && self.chooses(3) {
            self.comment();
        }
    }

    fn comment_above(&mut self, column: usize) {
        if !self.is_json && self.chooses(4) {
            self.indent(column);
            self.comment();
            self.out.push('\n');
        }
    }

    fn indent(&mut self, column: usize) {
        self.out.push_str(&" ".repeat(column));
    }

    fn key(&mut self, index: usize) {
        let key = ["Type", "é", "a b", "x"][index % 4];
        match (self.is_json, index % 3) {
            (true, _) | (_, 1) => self.out.push_str(&format!("\"{key}{index}\":")),
            (_, 2) => self.out.push_str(&format!("'{key}{index}':")),
            _ => self.out.push_str(&format!("{key}{index}:")),
        }
    }

    /// Writes a value and the end of its line.
    fn block(&mut self, tree: &Tree, column: usize, lead: Lead) {
        let (items, is_map) = match tree {
            Tree::Leaf([_, _, text]) => return self.leaf(text, column),
            Tree::Map(items) => (items, true),
            Tree::List(items) => (items, false),
        };
        if lead != Lead::Root && self.chooses(5) {
            self.out.push(' ');
            let lines = self.chooses(2);
            self.flow(tree, column, lines);
            self.comment_behind();
            self.out.push('\n');
            return;
        }
        for (index, item) in items.iter().enumerate() {
            match (index, lead) {
                (0, Lead::Dash) => self.out.push(' '),
                (0, Lead::Key) => {
                    self.comment_behind();
                    self.out.push('\n');
                    self.comment_above(column);
                    self.indent(column);
                }
                _ => {
                    self.comment_above(column);
                    self.indent(column);
                }
            }
            if is_map {
                self.key(index);
                self.block(item, column + self.step, Lead::Key);
            } else {
                self.out.push('-');
                self.block(item, column + 2, Lead::Dash);
            }
        }
    }

    fn leaf(&mut self, text: &str, column: usize) {
        let mut lines = text.split('\n');
        let first = lines.next().unwrap_or_default();
        if !first.is_empty() {
            self.out.push(' ');
        }
        self.out.push_str(first);
        self.comment_behind();
        self.out.push('\n');
        for line in lines {
            self.indent(column.max(1));
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    fn flow(&mut self, tree: &Tree, column: usize, lines: bool) {
        let (open, close, items) = match tree {
            Tree::Leaf([json, flow, _]) => {
                return self.out.push_str(if self.is_json { json } else { flow });
            }
            Tree::List(items) => ('[', ']', items),
            Tree::Map(items) => ('{', '}', items),
        };
        let is_map = open == '{';
        self.out.push(open);
        for (index, item) in items.iter().enumerate() {
            if lines {
                if index == 0 {
                    self.comment_behind();
                }
                self.out.push('\n');
                self.comment_above(column + self.step);
                self.indent(column + self.step);
            } else if index > 0 && !self.is_json {
                self.out.push(' ');
            }
            if is_map {
                self.key(index);
                if !self.is_json || lines {
                    self.out.push(' ');
                }
            }
            let nested = lines && self.chooses(2);
            self.flow(item, column + self.step, nested);
            let trailing = index + 1 == items.len();
            if !trailing || (!self.is_json && self.chooses(5)) {
                self.out.push(',');
            }
            if lines {
                self.comment_behind();
            }
        }
        if lines {
            self.out.push('\n');
            self.indent(column);
        }
        self.out.push(close);
    }
}
