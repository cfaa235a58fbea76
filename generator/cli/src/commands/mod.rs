//! The verbs, one file each.

mod completions;
mod deploy;
mod deployments;
mod dev;
mod diff;
mod graph;
mod init;
mod lint;
mod man;
mod probe;
mod rule;
mod schema;
mod status;
mod synth;
mod token;

use clap::Subcommand;

#[cfg(test)]
pub(crate) use schema::text as schema_text;

use crate::Outcome;
use crate::error::CliError;
use crate::ui::Ui;

/// A verb and its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    Synth(synth::Synth),
    Diff(diff::Diff),
    Graph(graph::Graph),
    Lint(Box<lint::Lint>),
    Rule(rule::RuleCommand),
    Deploy(Box<deploy::Deploy>),
    Deployments(Box<deployments::Deployments>),
    Status(Box<status::Status>),
    Dev(Box<dev::Dev>),
    Token(token::TokenCommand),
    Probe(Box<probe::ProbeCommand>),
    Schema(schema::Schema),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Does what the verb says.
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        match self {
            Command::Init(command) => command.run(ui),
            Command::Synth(command) => command.run(ui),
            Command::Diff(command) => command.run(ui),
            Command::Graph(command) => command.run(ui),
            Command::Lint(command) => command.run(ui),
            Command::Rule(command) => command.run(ui),
            Command::Deploy(command) => command.run(ui),
            Command::Deployments(command) => command.run(ui),
            Command::Status(command) => command.run(ui),
            Command::Dev(command) => command.run(ui),
            Command::Token(command) => command.run(ui),
            Command::Probe(command) => command.run(ui),
            Command::Schema(command) => command.run(ui),
            Command::Completions(command) => command.run(ui),
            Command::Man(command) => command.run(ui),
        }
    }
}
