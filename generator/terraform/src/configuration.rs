//! Reads a configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use hcl_edit::expr::Expression;
use stackgen_cfn::{Node, Sources};

use crate::convert::TemplateConverter;
use crate::document::ConfigBlock;
use crate::error::ConfigurationProblem;
use crate::evaluate::{Evaluator, GivenVariable, ModuleInstance, Repetition, ResourceInstance};
use crate::files::ConfigurationFiles;
use crate::functions::json_text;
use crate::large_stack::on_large_stack;
use crate::module::{TerraformModule, read_variables};
use crate::token::TokenMeaning;
use crate::value::HclValue;

/// A configuration as a template.
#[derive(Clone, Debug)]
pub struct TerraformConfiguration {
    /// The template. Its spans are in the files of the configuration.
    pub template: Node,
    /// The files.
    pub sources: Sources,
    /// Remarks: what is unknown or left out, and what to do.
    pub notes: Vec<ConfigurationProblem>,
    /// Values that are missing. Such a configuration can be linted, and not applied.
    pub missing: Vec<ConfigurationProblem>,
    /// Region of the AWS provider, if it is a literal or follows from variables.
    pub region: Option<String>,
}

/// Values that are not in the files.
#[derive(Clone, Debug, Default)]
pub struct ConfigurationInputs {
    /// Values of variables of the root module from the environment. Those in files replace them.
    pub environment: BTreeMap<String, String>,
    /// Values of variables of the root module, as texts of the command line.
    pub variables: BTreeMap<String, String>,
}

/// Errors of a configuration that cannot be read.
#[derive(Clone, Debug)]
pub struct UnreadableConfiguration {
    /// The files.
    pub sources: Sources,
    /// The errors, at least one.
    pub errors: Vec<ConfigurationProblem>,
}

/// Reads the configuration whose root module is in the files' root folder. Its files are added to the sources.
///
/// # Errors
///
/// If a file cannot be read or parsed.
pub fn read(
    files: &dyn ConfigurationFiles,
    inputs: &ConfigurationInputs,
    sources: Sources,
) -> Result<TerraformConfiguration, UnreadableConfiguration> {
    on_large_stack(&|| read_here(files, inputs, sources.clone()))
}

fn read_here(
    files: &dyn ConfigurationFiles,
    inputs: &ConfigurationInputs,
    sources: Sources,
) -> Result<TerraformConfiguration, UnreadableConfiguration> {
    let (evaluator, root) = read_root(files, inputs, sources)?;
    // Terraform asks for the values of all variables, also of those that nothing uses.
    root.module.variables.keys().for_each(|name| {
        let _ = evaluator.variable(&root, name);
    });
    let region = region(&evaluator, &root);
    evaluator
        .tokens
        .token(TokenMeaning::Pseudo("AWS::Region"), region.clone());
    let template = template(&evaluator, &root);
    let errors = evaluator.errors.take();
    let sources = evaluator.sources.take();
    if !errors.is_empty() {
        return Err(UnreadableConfiguration { sources, errors });
    }
    Ok(TerraformConfiguration {
        template,
        sources,
        notes: evaluator.notes.take(),
        missing: evaluator.missing.take(),
        region,
    })
}

/// Reads the root module and the values of its variables.
fn read_root<'f>(
    files: &'f dyn ConfigurationFiles,
    inputs: &ConfigurationInputs,
    mut sources: Sources,
) -> Result<(Evaluator<'f>, Rc<ModuleInstance>), UnreadableConfiguration> {
    let module = TerraformModule::read(Path::new(""), files, &mut sources);
    let given = given_variables(files, inputs, &mut sources);
    let (module, given) = match (module, given) {
        (Ok(module), Ok(given)) => (module, given),
        (module, given) => {
            let errors = module
                .err()
                .into_iter()
                .chain(given.err())
                .flatten()
                .collect();
            return Err(UnreadableConfiguration { sources, errors });
        }
    };
    let mut evaluator = Evaluator::new(files, sources);
    evaluator.given = given;
    let root = Rc::new(ModuleInstance {
        prefix: String::new(),
        module: Rc::new(module),
        caller: None,
    });
    Ok((evaluator, root))
}

/// Returns the folders of the modules that a root module calls, relative to it, as far as they are on this machine without
/// `terraform init`. A configuration that cannot be read calls none.
pub fn local_modules(files: &dyn ConfigurationFiles) -> Vec<PathBuf> {
    on_large_stack(&|| local_modules_here(files))
}

fn local_modules_here(files: &dyn ConfigurationFiles) -> Vec<PathBuf> {
    let module = TerraformModule::read(Path::new(""), files, &mut Sources::new());
    let calls = module
        .into_iter()
        .flat_map(|module| module.calls.into_values());
    let sources = calls.filter_map(|call| {
        let source = call
            .attributes
            .get("source")?
            .expression
            .as_str()?
            .to_owned();
        (source.starts_with("./") || source.starts_with("../")).then(|| PathBuf::from(source))
    });
    sources.collect()
}

/// Evaluates an expression with the names of the root module, as `terraform console` does. Returns JSON. A value that the
/// configuration does not determine is a text such as `${data.aws_vpc.main.id}`.
///
/// # Errors
///
/// If the configuration cannot be read, or the expression cannot be evaluated.
pub fn evaluate(
    files: &dyn ConfigurationFiles,
    inputs: &ConfigurationInputs,
    expression: &str,
) -> Result<String, String> {
    on_large_stack(&|| evaluate_here(files, inputs, expression))
}

fn evaluate_here(
    files: &dyn ConfigurationFiles,
    inputs: &ConfigurationInputs,
    expression: &str,
) -> Result<String, String> {
    let (evaluator, root) = read_root(files, inputs, Sources::new()).map_err(|unreadable| {
        let first = unreadable.errors.into_iter().next();
        first.map_or_else(String::new, |error| error.message)
    })?;
    let expression =
        hcl_edit::parser::parse_expr(expression).map_err(|error| error.message().to_owned())?;
    let value = evaluator
        .expression(&root, &expression, &[])
        .map_err(|error| error.message)?;
    Ok(evaluator.tokens.describe(&json_text(&value)))
}

/// Returns the values of the root module's variables: later ones replace earlier ones.
fn given_variables(
    files: &dyn ConfigurationFiles,
    inputs: &ConfigurationInputs,
    sources: &mut Sources,
) -> Result<BTreeMap<String, GivenVariable>, Vec<ConfigurationProblem>> {
    let names = files.file_names(Path::new("")).unwrap_or_default();
    let fixed = ["terraform.tfvars", "terraform.tfvars.json"];
    let fixed = fixed
        .into_iter()
        .filter(|name| names.iter().any(|own| own == name))
        .map(str::to_owned);
    let is_auto =
        |name: &&String| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json");
    let files_of_variables = fixed.chain(names.iter().filter(is_auto).cloned());
    let texts = |texts: &BTreeMap<String, String>| {
        let texts = texts.iter();
        let given = texts.map(|(name, text)| (name.clone(), GivenVariable::Text(text.clone())));
        given.collect::<Vec<_>>()
    };
    let mut given = BTreeMap::from_iter(texts(&inputs.environment));
    let mut errors = Vec::new();
    for name in files_of_variables {
        match read_variables(Path::new(&name), files, sources) {
            Ok(values) => given.extend(
                values
                    .into_iter()
                    .map(|(name, value)| (name, GivenVariable::File(value))),
            ),
            Err(found) => errors.extend(found),
        }
    }
    given.extend(texts(&inputs.variables));
    match errors.is_empty() {
        true => Ok(given),
        false => Err(errors),
    }
}

/// Returns the region of the AWS provider without an alias.
fn region(evaluator: &Evaluator<'_>, root: &Rc<ModuleInstance>) -> Option<String> {
    let is_default = |provider: &&ConfigBlock| {
        provider.labels.first().is_some_and(|name| name == "aws")
            && !provider.attributes.contains_key("alias")
    };
    let provider = root.module.providers.iter().find(is_default)?;
    let region = evaluator.expression(root, &provider.attributes.get("region")?.expression, &[]);
    let region = region.ok()?.as_text()?.to_owned();
    let is_region = !region.is_empty()
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    is_region.then_some(region)
}

fn template(evaluator: &Evaluator<'_>, root: &Rc<ModuleInstance>) -> Node {
    let mut modules = vec![root.clone()];
    let mut next = 0;
    while let Some(module) = modules.get(next).cloned() {
        modules.extend(evaluator.child_modules(&module));
        next += 1;
    }
    // Data sources first: archives are files that need not exist.
    let data: Vec<_> = modules
        .iter()
        .flat_map(|module| objects(evaluator, module, &module.module.data))
        .collect();
    for archive in data.iter().filter(|one| one.kind == "archive_file") {
        if let Some(path) = archive.attributes.get("output_path") {
            evaluator.make_file(path);
        }
    }
    note_data(evaluator, &data);
    let resources: Vec<_> = modules
        .iter()
        .flat_map(|module| objects(evaluator, module, &module.module.resources))
        .collect();
    modules
        .iter()
        .for_each(|module| note_commands(evaluator, module));
    let outputs = root.module.outputs.iter().filter_map(|(name, block)| {
        let value = block.attributes.get("value")?;
        Some((
            name.clone(),
            evaluator.attribute(root, value, &[], &format!("output.{name}")),
        ))
    });
    let outputs: BTreeMap<String, HclValue> = outputs.collect();
    TemplateConverter::new(evaluator, &resources, &data).template(&outputs)
}

/// Returns the instances of blocks in their order.
fn objects(
    evaluator: &Evaluator<'_>,
    module: &Rc<ModuleInstance>,
    blocks: &[ConfigBlock],
) -> Vec<Rc<ResourceInstance>> {
    let instances = blocks
        .iter()
        .flat_map(|block| match evaluator.instances_of(module, block) {
            Ok(repetition) => Repetition::instances(&repetition),
            Err(error) => {
                evaluator.note(ConfigurationProblem::of(block.span, error));
                Vec::new()
            }
        });
    instances.collect()
}

/// Notes the data sources whose values are unknown.
fn note_data(evaluator: &Evaluator<'_>, data: &[Rc<ResourceInstance>]) {
    for one in data.iter().filter(|one| Evaluator::asks_elsewhere(one)) {
        let message = format!(
            "the values of {} are unknown: stackgen asks no account for them",
            one.address
        );
        let hint = format!(
            "`stackgen dev` takes one that matters with `--parameter {}.ATTRIBUTE=VALUE`",
            one.address
        );
        evaluator.note(ConfigurationProblem::new(one.span, message).hint(hint));
    }
}

/// Notes the commands that Terraform would run, as the configuration writes them: their values can be secret.
fn note_commands(evaluator: &Evaluator<'_>, module: &Rc<ModuleInstance>) {
    for block in &module.module.resources {
        for provisioner in block.blocks_of("provisioner") {
            if provisioner
                .labels
                .first()
                .is_none_or(|kind| kind != "local-exec")
            {
                continue;
            }
            let command = provisioner.attributes.get("command");
            let command = command.map(|it| source_text(&it.expression));
            let message = format!(
                "{}{} runs a command when Terraform applies it, and not here",
                module.prefix,
                block.labels.join(".")
            );
            let hint = match command {
                Some(command) => format!("run it yourself if the code needs it: `{command}`"),
                None => "run it yourself if the code needs it".to_owned(),
            };
            evaluator.note(ConfigurationProblem::new(provisioner.span, message).hint(hint));
        }
    }
}

/// Returns an expression as it is written, and a text without its quotes.
fn source_text(expression: &Expression) -> String {
    let text = match expression {
        Expression::String(text) => text.value().clone(),
        Expression::HeredocTemplate(heredoc) => heredoc.template.to_string(),
        other => other.to_string(),
    };
    let text = text.trim();
    let inner = match expression {
        Expression::StringTemplate(_) => text.strip_prefix('"').and_then(|it| it.strip_suffix('"')),
        _ => None,
    };
    inner.unwrap_or(text).to_owned()
}
