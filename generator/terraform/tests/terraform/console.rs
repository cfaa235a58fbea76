//! Expressions, evaluated here and by `terraform console`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use stackgen_terraform::{ConfigurationInputs, evaluate};
use stackgen_test_tools::{on_path_everywhere, skip_everywhere};

use crate::files::MemoryFiles;

/// Files of the configuration in which the expressions are evaluated.
pub(crate) const FILES: &[(&str, &str)] = &[
    (
        "main.tf",
        r#"
variable "name" {
  type    = string
  default = "chat"
}
variable "ports" {
  type    = list(number)
  default = ["80", 443]
}
variable "tags" {
  type    = map(string)
  default = { team = "web", cost = 12 }
}
variable "settings" {
  type = object({
    name    = string
    size    = optional(number, 3)
    labels  = optional(map(string), {})
    nothing = optional(string)
  })
  default = { name = "x" }
}
variable "stages" {
  type    = set(string)
  default = ["prod", "dev", "dev"]
}
locals {
  routes = {
    "$connect" = { fn = "connect", timeout = 3 }
    "send"     = { fn = "send", timeout = 10 }
  }
  arn   = "arn:aws:sqs:eu-west-1:123456789012:orders"
  empty = []
  text  = "one two  three"
  multi = <<-EOT
    first
      second ${var.name}
    third
  EOT
  list  = ["b", "a", "c", "a"]
  user  = [{ name = "ann", age = 30, roles = ["x"] }, { name = "bob", age = 25, roles = [] }]
}
"#,
    ),
    (
        "greeting.tftpl",
        "Hello ${name}!\n%{ for r in roles ~}\n- ${r}\n%{ endfor ~}\nbye\n",
    ),
    ("data.json", r#"{"a": [1, 2, {"b": null}], "c": "<&>"}"#),
    ("sub/one.txt", "one"),
    ("sub/two.txt", "two\n"),
    ("sub/deep/three.json", "{}"),
];

/// Returns what `terraform console` prints for expressions, as JSON, or `None` without Terraform.
pub(crate) fn terraform(expressions: &[String]) -> Option<Vec<String>> {
    let program = on_path_everywhere("terraform")?;
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let wrapped = expressions
        .iter()
        .map(|one| format!("try(jsonencode({one}), \"<error>\")"));
    let line = format!("jsonencode([{}])\n", wrapped.collect::<Vec<_>>().join(", "));
    let mut console = Command::new(program)
        .arg("console")
        .current_dir(folder.path())
        .env("CHECKPOINT_DISABLE", "1")
        .env_remove("TF_CLI_CONFIG_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    console
        .stdin
        .take()
        .unwrap()
        .write_all(line.as_bytes())
        .unwrap();
    let output = console.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // The console prints a text as a literal of HCL, in which `${` is doubled.
    let literal = text.trim().replace("$${", "${").replace("%%{", "%{");
    let printed: String = serde_json::from_str(&literal).unwrap_or_else(|error| {
        panic!(
            "{error}: {text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    let printed: Vec<String> = serde_json::from_str(&printed).unwrap();
    Some(printed)
}

/// Returns what we evaluate, as JSON.
pub(crate) fn ours(expression: &str) -> String {
    let files = MemoryFiles::new(FILES.iter().copied());
    match evaluate(&files, &ConfigurationInputs::default(), expression) {
        Ok(json) => json,
        Err(_) => "<error>".to_owned(),
    }
}

/// Returns the expressions whose values differ from Terraform's.
pub(crate) fn differences(expressions: &[String]) -> Option<Vec<String>> {
    let expected = terraform(expressions)?;
    assert_eq!(expected.len(), expressions.len());
    let differences = expressions
        .iter()
        .zip(expected)
        .filter_map(|(expression, expected)| {
            let ours = ours(expression);
            let is_same =
                ours == expected || json(&ours).is_some_and(|ours| Some(ours) == json(&expected));
            (!is_same)
                .then(|| format!("{expression}\n  terraform: {expected}\n  ours:      {ours}"))
        });
    Some(differences.collect())
}

/// Returns the value of JSON. Terraform writes a negative zero as such.
fn json(text: &str) -> Option<Json> {
    match text {
        "-0" => Some(Json::from(0)),
        text => serde_json::from_str(text).ok(),
    }
}

#[test]
fn expressions_have_the_values_that_terraform_gives_them() {
    let table = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terraform/expressions.txt"),
    )
    .unwrap();
    let lines = table
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let expressions: Vec<String> = lines.map(str::to_owned).collect();
    assert!(expressions.len() > 150);
    let Some(differences) = differences(&expressions) else {
        skip_everywhere("terraform is not on PATH: expressions are not compared with it");
        return;
    };
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
