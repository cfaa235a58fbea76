//! The commands, one file or folder each.

mod bootstrap;
mod build;
mod cancel;
mod completions;
mod console;
mod cost;
mod deploy;
mod deployments;
mod destroy;
mod dev;
mod diff;
mod doctor;
mod drift;
mod explain;
mod graph;
mod init;
mod lint;
mod load;
mod logs;
mod man;
mod policy;
mod probe;
mod replay;
mod rule;
mod schema;
mod status;
mod synth;
mod token;
mod trigger;
mod vendor;

use clap::Subcommand;

#[cfg(test)]
pub(crate) use schema::{events_text as events_schema_text, text as schema_text};

use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::ui::Ui;

/// A command and its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::InitCommand),
    Vendor(vendor::VendorCommand),
    Build(build::BuildCommand),
    Synth(synth::SynthCommand),
    Diff(diff::DiffCommand),
    Graph(graph::GraphCommand),
    Lint(Box<lint::LintCommand>),
    Cost(Box<cost::CostCommand>),
    Explain(explain::ExplainCommand),
    Rule(rule::RuleCommand),
    Deploy(Box<deploy::DeployCommand>),
    Deployments(Box<deployments::DeploymentsCommand>),
    Status(Box<status::StatusCommand>),
    Drift(Box<drift::DriftCommand>),
    Doctor(Box<doctor::DoctorCommand>),
    Cancel(cancel::CancelCommand),
    Destroy(destroy::DestroyCommand),
    Bootstrap(bootstrap::BootstrapCommand),
    Policy(Box<policy::PolicyCommand>),
    Dev(Box<dev::DevCommand>),
    Console(console::ConsoleCommand),
    Token(token::TokenCommand),
    Trigger(trigger::TriggerCommand),
    Logs(Box<logs::LogsCommand>),
    Probe(Box<probe::ProbeCommand>),
    Replay(Box<replay::ReplayCommand>),
    Load(Box<load::LoadCommand>),
    Schema(schema::SchemaCommand),
    Completions(completions::CompletionsCommand),
    Man(man::ManCommand),
}

impl Command {
    /// Runs the command. `program` builds the whole command line, which completions and manual pages describe.
    pub(crate) fn run(
        &self,
        ui: &Ui,
        program: fn() -> clap::Command,
    ) -> Result<CommandOutcome, CliError> {
        match self {
            Command::Init(command) => command.run(ui),
            Command::Vendor(command) => command.run(ui),
            Command::Build(command) => command.run(ui),
            Command::Synth(command) => command.run(ui),
            Command::Diff(command) => command.run(ui),
            Command::Graph(command) => command.run(ui),
            Command::Lint(command) => command.run(ui),
            Command::Cost(command) => command.run(ui),
            Command::Explain(command) => command.run(ui),
            Command::Rule(command) => command.run(ui),
            Command::Deploy(command) => command.run(ui),
            Command::Deployments(command) => command.run(ui),
            Command::Status(command) => command.run(ui),
            Command::Drift(command) => command.run(ui),
            Command::Doctor(command) => command.run(ui),
            Command::Cancel(command) => command.run(ui),
            Command::Destroy(command) => command.run(ui),
            Command::Bootstrap(command) => command.run(ui),
            Command::Policy(command) => command.run(ui),
            Command::Dev(command) => command.run(ui),
            Command::Console(command) => command.run(ui),
            Command::Token(command) => command.run(ui),
            Command::Trigger(command) => command.run(ui),
            Command::Logs(command) => command.run(ui),
            Command::Probe(command) => command.run(ui),
            Command::Replay(command) => command.run(ui),
            Command::Load(command) => command.run(ui),
            Command::Schema(command) => command.run(ui),
            Command::Completions(command) => command.run(program(), ui),
            Command::Man(command) => command.run(program(), ui),
        }
    }
}
