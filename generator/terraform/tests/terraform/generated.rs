//! Generated expressions, and inputs that no one writes.

use proptest::prelude::*;
use stackgen_cfn::Sources;
use stackgen_terraform::{ConfigurationInputs, read};
use stackgen_test_tools::skip_everywhere;

use crate::console::{differences, ours};
use crate::files::MemoryFiles;

/// Source of random numbers with a seed, so that a failure can be repeated.
struct Choices(u64);

impl Choices {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<'s>(&mut self, options: &[&'s str]) -> &'s str {
        options[usize::try_from(self.below(options.len() as u64)).unwrap()]
    }
}

/// Returns an expression of a number.
fn number(choices: &mut Choices, depth: u32) -> String {
    if depth == 0 {
        return choices
            .one_of(&[
                "0",
                "1",
                "2",
                "7",
                "10",
                "100",
                "var.ports[0]",
                "var.settings.size",
                "length(var.name)",
            ])
            .to_owned();
    }
    let depth = depth - 1;
    match choices.below(8) {
        0 => format!("({} + {})", number(choices, depth), number(choices, depth)),
        1 => format!("({} * {})", number(choices, depth), number(choices, depth)),
        2 => format!("({} - {})", number(choices, depth), number(choices, depth)),
        3 => format!(
            "({} ? {} : {})",
            boolean(choices, depth),
            number(choices, depth),
            number(choices, depth)
        ),
        4 => format!("length({})", list(choices, depth)),
        5 => format!(
            "max({}, {})",
            number(choices, depth),
            number(choices, depth)
        ),
        6 => format!(
            "try({}, {})",
            number(choices, depth),
            number(choices, depth)
        ),
        _ => format!("abs({})", number(choices, depth)),
    }
}

/// Returns an expression of a bool.
fn boolean(choices: &mut Choices, depth: u32) -> String {
    if depth == 0 {
        return choices
            .one_of(&[
                "true",
                "false",
                "var.name == \"chat\"",
                "contains(var.stages, \"dev\")",
            ])
            .to_owned();
    }
    let depth = depth - 1;
    match choices.below(7) {
        0 => format!(
            "({} && {})",
            boolean(choices, depth),
            boolean(choices, depth)
        ),
        1 => format!(
            "({} || {})",
            boolean(choices, depth),
            boolean(choices, depth)
        ),
        2 => format!("!({})", boolean(choices, depth)),
        3 => format!("({} < {})", number(choices, depth), number(choices, depth)),
        4 => format!("({} == {})", text(choices, depth), text(choices, depth)),
        5 => format!(
            "startswith({}, {})",
            text(choices, depth),
            text(choices, depth)
        ),
        _ => format!("can({})", list(choices, depth)),
    }
}

/// Simple expressions of texts.
const TEXTS: &[&str] = &[
    "\"\"",
    "\"a\"",
    "\"one two\"",
    "\"$connect\"",
    "\"é,ü\"",
    "\"a/b/c\"",
    "var.name",
    "local.arn",
    "var.tags.team",
];

/// Returns an expression of a text.
fn text(choices: &mut Choices, depth: u32) -> String {
    if depth == 0 {
        return choices.one_of(TEXTS).to_owned();
    }
    let depth = depth - 1;
    match choices.below(12) {
        0 => format!(
            "\"${{{}}}-${{{}}}\"",
            text(choices, depth),
            number(choices, depth)
        ),
        1 => format!("upper({})", text(choices, depth)),
        2 => format!("join({}, {})", text(choices, depth), list(choices, depth)),
        3 => format!(
            "replace({}, {}, {})",
            text(choices, depth),
            choices.one_of(&["\"a\"", "\"-\"", "\"/[a-c]+/\""]),
            text(choices, depth)
        ),
        4 => format!(
            "({} ? {} : {})",
            boolean(choices, depth),
            text(choices, depth),
            text(choices, depth)
        ),
        5 => format!(
            "format(\"%s:%s\", {}, {})",
            text(choices, depth),
            text(choices, depth)
        ),
        6 => format!(
            "substr({}, {}, {})",
            text(choices, depth),
            choices.one_of(&["0", "1", "-2"]),
            choices.one_of(&["1", "3", "-1"])
        ),
        7 => format!("jsonencode({})", object(choices, depth)),
        8 => format!("try({}[0], {})", list(choices, depth), text(choices, depth)),
        9 => format!(
            "trimprefix({}, {})",
            text(choices, depth),
            text(choices, depth)
        ),
        10 => format!(
            "\"%{{ if {} }}${{{}}}%{{ else }}no%{{ endif }}\"",
            boolean(choices, depth),
            text(choices, depth)
        ),
        _ => format!("sha1({})", text(choices, depth)),
    }
}

/// Returns an expression of a list of texts.
fn list(choices: &mut Choices, depth: u32) -> String {
    if depth == 0 {
        return choices
            .one_of(&[
                "[\"a\", \"b\"]",
                "[]",
                "local.list",
                "[for s in var.stages : s]",
                "local.user[*].name",
            ])
            .to_owned();
    }
    let depth = depth - 1;
    match choices.below(9) {
        0 => format!("[{}, {}]", text(choices, depth), text(choices, depth)),
        1 => format!("concat({}, {})", list(choices, depth), list(choices, depth)),
        2 => format!(
            "[for x in {} : \"${{x}}!\" if x != {}]",
            list(choices, depth),
            text(choices, depth)
        ),
        3 => format!("split(\",\", {})", text(choices, depth)),
        4 => format!("distinct({})", list(choices, depth)),
        5 => format!("reverse({})", list(choices, depth)),
        6 => format!("keys({})", object(choices, depth)),
        7 => format!("sort({})", list(choices, depth)),
        _ => format!(
            "flatten([{}, {}])",
            list(choices, depth),
            list(choices, depth)
        ),
    }
}

/// Returns an expression of a map of texts.
fn object(choices: &mut Choices, depth: u32) -> String {
    if depth == 0 {
        return choices
            .one_of(&[
                "{}",
                "{ a = \"b\" }",
                "var.tags",
                "{ \"x y\" = \"<z>\", (var.name) = \"1\" }",
            ])
            .to_owned();
    }
    let depth = depth - 1;
    match choices.below(3) {
        0 => format!(
            "{{ a = {}, b = {} }}",
            text(choices, depth),
            text(choices, depth)
        ),
        1 => format!(
            "merge({}, {})",
            object(choices, depth),
            object(choices, depth)
        ),
        _ => format!(
            "{{ for i, x in {} : \"k${{i}}\" => x }}",
            list(choices, depth)
        ),
    }
}

#[test]
fn generated_expressions_have_the_values_that_terraform_gives_them() {
    // Another seed gives other expressions.
    let seed = std::env::var("STACKGEN_TERRAFORM_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok());
    let mut choices = Choices(seed.unwrap_or(20_261_130));
    let expressions: Vec<String> = (0..400)
        .map(|index| match index % 4 {
            0 => number(&mut choices, 3),
            1 => text(&mut choices, 3),
            2 => list(&mut choices, 3),
            _ => object(&mut choices, 2),
        })
        .collect();
    let Some(differences) = differences(&expressions) else {
        skip_everywhere("terraform is not on PATH: generated expressions are not compared with it");
        return;
    };
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let files = MemoryFiles::new([("main.tf", text.as_str()), ("terraform.tfvars", text.as_str())]);
        let _ = read(&files, &ConfigurationInputs::default(), Sources::new());
    }

    #[test]
    fn any_expression_is_evaluated_or_refused(text in "[a-z0-9_.\\[\\]{}()\"$%*:,=!?<>&| +/~\\-]{0,60}") {
        let _ = ours(&text);
    }
}

#[test]
fn deep_nesting_and_long_chains_do_not_overflow_the_stack() {
    for text in [
        format!("x = {}1{}", "(".repeat(5000), ")".repeat(5000)),
        format!("x = {}1", "!".repeat(5000)),
        format!("x = {}1", "1 + ".repeat(50_000)),
        format!("x = \"{}a{}\"", "${\"".repeat(2000), "\"}".repeat(2000)),
        "a {\n".repeat(5000),
        format!("x = {}1", "true ? 1 : ".repeat(20_000)),
        format!("x = {}", "a[0]".repeat(20_000)),
    ] {
        let files = MemoryFiles::new([("main.tf", text.as_str())]);
        let _ = read(&files, &ConfigurationInputs::default(), Sources::new());
    }
    let locals: String = (0..3000)
        .map(|index| format!("  l{index} = local.l{}\n", index + 1))
        .collect();
    let main = format!("locals {{\n{locals}}}\noutput \"x\" {{ value = local.l0 }}\n");
    let files = MemoryFiles::new([("main.tf", main.as_str())]);
    assert!(read(&files, &ConfigurationInputs::default(), Sources::new()).is_ok());
}
