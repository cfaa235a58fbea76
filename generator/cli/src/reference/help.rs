//! Help texts of every command.

use clap::{Command, CommandFactory, Parser};

use crate::args::Cli;

/// Returns every verb, with the verbs below it.
fn verbs(command: &Command) -> Vec<Command> {
    let verbs = command.get_subcommands();
    let verbs = verbs.flat_map(|verb| [vec![verb.clone()], self::verbs(verb)].concat());
    verbs.collect()
}

fn program() -> Command {
    let mut program = Cli::command();
    program.build();
    program
}

/// Returns the command lines among a command's examples, without what other programs do with their output.
fn examples(command: &Command) -> Vec<Vec<String>> {
    let help = command.get_after_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    let lines = help.lines().filter_map(|line| {
        let line = &line[line.find("stackgen ")?..];
        let end = line.find([')', '|', '>']).unwrap_or(line.len());
        Some(words(&line[..end]))
    });
    lines.collect()
}

/// Splits a line as a shell does.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

#[test]
fn every_example_is_a_valid_command_line() {
    let program = program();
    for command in [vec![program.clone()], verbs(&program)].concat() {
        let name = command.get_bin_name().unwrap_or("stackgen").to_owned();
        let examples = examples(&command);
        assert!(
            examples.len() >= 2,
            "{name} has {} examples",
            examples.len()
        );
        for example in examples {
            let verb = example.join(" ");
            assert!(verb.starts_with(&name), "{verb} is no example of {name}");
            if let Err(error) = Cli::try_parse_from(&example) {
                panic!("{verb}: {error}");
            }
        }
    }
}

#[test]
fn every_flag_has_a_heading_and_a_one_line_summary() {
    for command in verbs(&program()) {
        let name = command.get_bin_name().unwrap().to_owned();
        let arguments = command.get_arguments();
        for argument in arguments.filter(|argument| argument.get_id() != "help") {
            let id = argument.get_id();
            let has_heading = argument.get_help_heading().is_some() || argument.is_positional();
            assert!(has_heading, "{name}: {id} has no heading");
            let help = argument.get_help().unwrap().to_string();
            assert!(help.chars().count() < 120, "{name}: {id}: {help}");
        }
    }
}
