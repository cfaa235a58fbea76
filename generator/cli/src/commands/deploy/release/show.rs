//! Plans and results for people.

use stackgen_cfn::terminal::escape;
use stackgen_deploy::stack::{
    PlannedChange, PropertyChange, Replacement, ResourceAction, StackName,
};

use super::plan_file::PlanFile;
use crate::model_changes::colored;
use crate::style::{BOLD, DIM, GREEN, RED};

/// Largest number of properties that are listed for a resource.
const SHOWN_PROPERTIES: usize = 6;

/// Returns the plan of an operation: the changes of the API, then one line for each resource, replacements and removals first.
pub(super) fn plan(stack: &StackName, plan: &PlanFile, changes: &[PlannedChange]) -> String {
    let verb = if plan.creates { "create" } else { "update" };
    let mut text = format!("{BOLD}{verb} stack {}{BOLD:#}\n", escape(stack.as_str()));
    // A plan file may have been edited.
    text += &colored(&escape_lines(&plan.api_changes), "  ");
    text += &format!("{BOLD}actions of CloudFormation{BOLD:#}\n");
    let mut changes: Vec<&PlannedChange> = changes.iter().collect();
    changes.sort_by_key(|change| (rank(change), change.logical_id.clone()));
    for change in &changes {
        text += &line(change);
    }
    text += &format!("{DIM}{}{DIM:#}\n", counts(&changes));
    text
}

fn escape_lines(text: &str) -> String {
    let lines = text.lines().map(|line| format!("{}\n", escape(line)));
    lines.collect()
}

/// True if the change deletes data or a resource that callers know by its ID.
pub(super) fn loses(change: &PlannedChange) -> bool {
    let goes = change.action == ResourceAction::Remove || change.replacement == Replacement::Always;
    goes && !change.retained && !is_rebuilt(&change.kind)
}

/// True for resources without data, which CloudFormation can replace without loss.
fn is_rebuilt(kind: &str) -> bool {
    let without_data = [
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Deployment",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::IntegrationResponse",
        "AWS::ApiGatewayV2::Model",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::RouteResponse",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
    ];
    without_data.contains(&kind)
}

fn rank(change: &PlannedChange) -> u8 {
    match change.action {
        _ if loses(change) => 0,
        ResourceAction::Remove => 1,
        _ if change.replacement == Replacement::Always => 2,
        ResourceAction::Modify | ResourceAction::Dynamic => 3,
        ResourceAction::Add | ResourceAction::Import => 4,
    }
}

fn line(change: &PlannedChange) -> String {
    let word = match (change.action, change.replacement) {
        (ResourceAction::Add, _) => "add",
        (ResourceAction::Remove, _) if change.retained => "release",
        (ResourceAction::Remove, _) => "remove",
        (ResourceAction::Import, _) => "import",
        (_, Replacement::Always) => "replace",
        (_, Replacement::Conditional) => "replace?",
        _ => "modify",
    };
    let style = match word {
        _ if loses(change) => RED,
        "add" => GREEN,
        _ => DIM,
    };
    let kind = change.kind.trim_start_matches("AWS::");
    let mut text = format!(
        "  {style}{word:<9}{style:#} {} {DIM}{}{DIM:#}",
        escape(&change.logical_id),
        escape(kind)
    );
    if change.action == ResourceAction::Modify && !change.properties.is_empty() {
        text += &format!(": {}", properties(&change.properties));
    }
    match change.action {
        ResourceAction::Remove if change.retained => text += " (stays in the account)",
        _ if loses(change) => text += &format!(" {RED}(its data or its ID is lost){RED:#}"),
        _ => {}
    }
    text.push('\n');
    text
}

fn properties(changes: &[PropertyChange]) -> String {
    let names: Vec<_> = changes
        .iter()
        .take(SHOWN_PROPERTIES)
        .map(|change| {
            let mark = if change.replaces { " (replaces)" } else { "" };
            format!("{}{mark}", escape(&change.path))
        })
        .collect();
    match changes.len().checked_sub(SHOWN_PROPERTIES) {
        Some(more) if more > 0 => format!("{} and {more} more", names.join(", ")),
        _ => names.join(", "),
    }
}

fn counts(changes: &[&PlannedChange]) -> String {
    let count = |kind: ResourceAction| changes.iter().filter(|one| one.action == kind).count();
    let replaced = changes
        .iter()
        .filter(|one| one.replacement == Replacement::Always);
    let (add, modify, remove, replace) = (
        count(ResourceAction::Add),
        count(ResourceAction::Modify),
        count(ResourceAction::Remove),
        replaced.count(),
    );
    format!("{add} to add, {modify} to modify ({replace} of them replaced), {remove} to remove")
}
