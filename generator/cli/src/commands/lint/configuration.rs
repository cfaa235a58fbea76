//! Linting of Terraform configurations.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use stackgen_cfn::{FileId, Node, Sources};
use stackgen_lint::output::LintedFile;
use stackgen_lint::{Finding, LintInput, LintReport, Location, lint};
use stackgen_model::LogicalId;
use stackgen_terraform::in_terraform_words;

use super::inputs::InputTemplate;
use super::previous::PreviousRevision;
use super::result::{CheckedConfiguration, CheckedFile, FileResult, LintOptions};
use crate::error::CliError;
use crate::terraform;

/// Lints the configuration of a root module.
pub(super) fn check(
    root: &Path,
    input: &InputTemplate,
    options: LintOptions<'_>,
) -> Result<FileResult, CliError> {
    let mut sources = Sources::new();
    let configuration = match terraform::read(root, &[], &mut sources) {
        Ok(read) => read.configuration,
        // A configuration that was only found, and is about something else, can need what stackgen does not read.
        Err(_)
            if !input.is_required && !mentions_api(&sources) && !terraform::calls_modules(root) =>
        {
            return Ok(FileResult::Skipped);
        }
        Err(error) => return Err(error),
    };
    // Before the files of the previous configuration are added.
    let main = main_file(&sources);
    let lint_with = |previous: Option<&Node>| {
        lint(&LintInput {
            template: &configuration.template,
            source: None,
            previous,
        })
    };
    let previous = match options.previous {
        PreviousRevision::Revision(revision) => {
            return match !input.is_required && lint_with(None).apis == 0 {
                true => Ok(FileResult::Skipped),
                false => Err(no_revision(revision)),
            };
        }
        previous => previous.read(input, &mut sources)?,
    };
    let mut report = lint_with(previous.as_ref());
    if report.apis == 0 && !input.is_required {
        return Ok(FileResult::Skipped);
    }
    let addresses = addresses(&configuration.template);
    let suppressed = report.suppressed.iter_mut().map(|one| &mut one.finding);
    for finding in report.findings.iter_mut().chain(suppressed) {
        translate(finding, &addresses);
    }
    merge_instances(&mut report.findings);
    let files = by_file(report, root, &sources, main, previous.is_some());
    Ok(FileResult::Configuration(CheckedConfiguration {
        files,
        configuration,
    }))
}

/// Returns true if a file of a configuration has resources of API Gateway v2.
fn mentions_api(sources: &Sources) -> bool {
    let mut sources = sources.iter();
    sources.any(|source| source.text().contains("aws_apigatewayv2"))
}

/// Creates the error of a comparison with a Git revision.
fn no_revision(revision: &str) -> CliError {
    let message = format!("a Terraform configuration cannot be compared with revision {revision}");
    CliError::input(message).hint(
        "check the revision out, and name its folder: `git worktree add ../old REVISION`, then `--previous ../old`",
    )
}

/// Returns the logical IDs that are not addresses, with their addresses.
fn addresses(template: &Node) -> BTreeMap<String, String> {
    let resources = template.get("Resources").and_then(Node::as_map);
    let entries = resources.into_iter().flat_map(|all| all.iter());
    let pairs = entries.filter_map(|(id, resource)| {
        let address = resource
            .at_path(&["Metadata", "Terraform", "Address"])?
            .as_str()?;
        (address != id).then(|| (id.to_owned(), address.to_owned()))
    });
    pairs.collect()
}

/// Reports a mistake of a block once: instances of a block have the same findings at the same location.
fn merge_instances(findings: &mut Vec<Finding>) {
    let block = |finding: &Finding| {
        let resource = finding.location.resource.as_ref()?;
        let (block, _) = resource.as_str().rsplit_once('[')?;
        Some((finding.rule.id, finding.location.span, block.to_owned()))
    };
    let mut counts: HashMap<_, usize> = HashMap::new();
    findings.retain(|finding| match block(finding) {
        Some(block) => {
            let count = counts.entry(block).or_default();
            *count += 1;
            *count == 1
        }
        None => true,
    });
    for finding in findings {
        let count = block(finding).and_then(|block| counts.get(&block).copied());
        match count.unwrap_or(1) {
            1 => {}
            2 => finding.message.push_str("; the same for one more instance"),
            count => finding
                .message
                .push_str(&format!("; the same for {} more instances", count - 1)),
        }
    }
}

/// Writes a finding in the words of Terraform. Fixes are left out: they are edits of templates.
fn translate(finding: &mut Finding, addresses: &BTreeMap<String, String>) {
    let words = |text: &str| {
        let text = addresses
            .iter()
            .fold(text.to_owned(), |text, (id, address)| {
                text.replace(id, address)
            });
        in_terraform_words(&text)
    };
    // Addresses stay the same where IDs contain a digest: baselines and SARIF's fingerprints hold them.
    let resource = |location: &mut Location| {
        let id = location.resource.as_ref().map(LogicalId::as_str);
        if let Some(address) = id.and_then(|id| addresses.get(id)) {
            location.resource = Some(LogicalId::new(address.as_str()));
        }
    };
    finding.message = words(&finding.message);
    finding.hint = finding.hint.as_deref().map(words);
    finding.fix = None;
    resource(&mut finding.location);
    for related in &mut finding.related {
        related.label = words(&related.label);
        resource(&mut related.location);
    }
}

/// Divides a report by the files of the findings. Those without a location belong to the main file.
fn by_file(
    report: LintReport,
    root: &Path,
    sources: &Sources,
    main: Option<FileId>,
    has_previous: bool,
) -> Vec<CheckedFile> {
    let mut files: BTreeMap<Option<FileId>, LintReport> = BTreeMap::new();
    for finding in report.findings {
        let file = finding.location.span.file.or(main);
        files.entry(file).or_default().findings.push(finding);
    }
    for suppressed in report.suppressed {
        let file = suppressed.finding.location.span.file.or(main);
        files.entry(file).or_default().suppressed.push(suppressed);
    }
    if files.is_empty() {
        files.insert(main, LintReport::default());
    }
    if let Some(first) = files.values_mut().next() {
        first.apis = report.apis;
    }
    let checked = files.into_iter().map(|(id, report)| {
        let source = id.and_then(|id| sources.get(id));
        let name = source.map_or_else(
            || root.display().to_string(),
            |source| source.name().to_owned(),
        );
        CheckedFile {
            path: PathBuf::from(&name),
            id,
            has_previous,
            hidden: hidden(&report, sources),
            fixed: None,
            linted: LintedFile {
                file: name,
                sources: sources.clone(),
                report,
            },
        }
    });
    checked.collect()
}

/// Returns `main.tf`, or else the first file.
fn main_file(sources: &Sources) -> Option<FileId> {
    let files = sources.iter();
    let main = files
        .clone()
        .find(|source| Path::new(source.name()).file_name() == Some("main.tf".as_ref()));
    main.or_else(|| files.clone().next())
        .map(stackgen_cfn::Source::id)
}

fn hidden(report: &LintReport, sources: &Sources) -> Vec<stackgen_lint::output::Region> {
    let is_hidden = |finding: &&Finding| finding.location.hidden;
    let findings = report.findings.iter().filter(is_hidden);
    let regions = findings
        .filter_map(|finding| stackgen_lint::output::Region::of(finding.location.span, sources));
    regions.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_main_file_is_main_tf_and_not_one_whose_name_ends_so() {
        let mut sources = Sources::new();
        let first = sources.add("infra/domain.tf", "").id();
        assert_eq!(main_file(&sources), Some(first));
        let main = sources.add("infra/main.tf", "").id();
        assert_eq!(main_file(&sources), Some(main));
    }
}
