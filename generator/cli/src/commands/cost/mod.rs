//! `stackgen cost`

mod args;
mod human;

use std::path::{Path, PathBuf};

use serde::Serialize;
use stackgen_cost::{
    AccountQuotas, DeclaredLoad, Estimate, Load, LoadError, LoadTarget, PriceList,
};
use stackgen_model::{Inputs, Model};
use stackgen_synth::Dialect;

use self::args::LoadArgs;
use crate::error::{CliError, reason};
use crate::outcome::CommandOutcome;
use crate::project::{Project, ProjectArgs};
use crate::template::TemplateSource;
use crate::ui::Ui;

/// Region whose prices and quotas are used if none is known.
const DEFAULT_REGION: &str = "us-east-1";

/// Estimate what a load costs, and which quota it exceeds first
///
/// Computes the messages and posts of a WebSocket API from `load` in stackgen.yaml and from flags, compares them with the
/// quotas of the Region and the throttles of the template, and adds up what API Gateway, Lambda, DynamoDB, CloudWatch Logs
/// and data transfer charge a month. Exit code 3 if the load exceeds a quota.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CostCommand {
    /// Template, or `REV:PATH` as for `git show`; `-` is standard input (default: the template rendered from
    /// stackgen.yaml)
    #[arg(value_name = "TEMPLATE", conflicts_with_all = ["file", "unbuilt", "environment"])]
    template: Option<String>,

    #[command(flatten)]
    project: ProjectArgs,

    /// Environment (default: the only one, or the last)
    #[arg(long = "env", short, value_name = "ENV", help_heading = "Input")]
    environment: Option<String>,

    /// Logical ID of the WebSocket API (default: the only one)
    #[arg(long, value_name = "API", help_heading = "Input")]
    api: Option<String>,

    #[command(flatten)]
    load: LoadArgs,

    /// Region of the quotas (default: that of stackgen.yaml, else us-east-1)
    #[arg(long, value_name = "REGION", help_heading = "Quotas and prices")]
    region: Option<String>,

    /// Requests per second of the account, if its quota was changed (default: that of the Region)
    #[arg(long, value_name = "REQUESTS", value_parser = args::positive, help_heading = "Quotas and prices")]
    quota: Option<f64>,

    /// File with the prices of your Region, in the form that `--json` prints (default: prices of us-east-1)
    #[arg(long, value_name = "FILE", help_heading = "Quotas and prices")]
    prices: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  stackgen cost --env prod
  stackgen cost template.yaml --listeners 500 --rate 4 --size 24000 --hours 100
  stackgen cost --listeners 2000 --region eu-south-1";

/// The result for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CostReport<'a> {
    #[serde(flatten)]
    estimate: &'a Estimate,
    region: &'a str,
    prices: &'a PriceList,
}

impl CostCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let prices = self.price_list()?;
        let input = match &self.template {
            Some(source) => CostInput {
                template: TemplateSource::parse(source).read()?,
                region: None,
            },
            None => self.rendered(ui)?,
        };
        let model = Model::from_template(&input.template, &Inputs::none());
        let declared = DeclaredLoad::read(&model.declared_load);
        if declared.is_none() && self.load.is_empty() {
            return Err(no_load(self.template.is_some()));
        }
        let (declared, declared_route) = match declared {
            Some(declared) => (declared.load, declared.route),
            None => (Load::default(), None),
        };
        let load = self.load.over(declared);
        load.check().map_err(|error| bad_load(&error))?;
        let route = self.load.route.as_deref().or(declared_route.as_deref());
        let stack = LoadTarget::new(&model, self.api.as_deref(), route)
            .map_err(|error| CliError::input(error.to_string()))?;
        let region = self.region.as_deref().or(input.region.as_deref());
        let region = region.unwrap_or(DEFAULT_REGION);
        let quotas = AccountQuotas::of_region(region);
        let quotas = self
            .quota
            .map_or(quotas, |quota| quotas.with_requests_per_second(quota));
        let estimate = Estimate::new(load, stack, &quotas, &prices);
        if ui.wants_json() {
            ui.json_result(&CostReport {
                estimate: &estimate,
                region,
                prices: &prices,
            })?;
        } else {
            ui.print(&human::report(&estimate, region, &prices))?;
        }
        Ok(match estimate.exceeded().next() {
            Some(_) => CommandOutcome::Found,
            None => CommandOutcome::Done,
        })
    }

    fn price_list(&self) -> Result<PriceList, CliError> {
        let Some(path) = &self.prices else {
            return Ok(PriceList::embedded());
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            CliError::input(format!(
                "cannot read {}: {}",
                path.display(),
                reason(&error)
            ))
        })?;
        PriceList::parse(&text).map_err(|error| {
            CliError::input(format!("{}: {error}", path.display()))
                .hint("`stackgen cost --json` prints a complete list as `prices`")
        })
    }

    fn rendered(&self, ui: &Ui) -> Result<CostInput, CliError> {
        let project = Project::load(&self.project, ui)?;
        let environments = project.environments(self.environment.as_slice())?;
        let Some(environment) = environments.last() else {
            return Err(CliError::input("the stack has no environment"));
        };
        if environments.len() > 1 {
            ui.aside(&format!(
                "estimating {environment}; select another environment with `--env`: {}",
                environments.join(", ")
            ));
        }
        let rendered = project.render(environment, Dialect::CloudFormation, Path::new("."), ui)?;
        Ok(CostInput {
            template: rendered.template,
            region: project.region(environment).map(str::to_owned),
        })
    }
}

/// What the estimate is made from.
struct CostInput {
    template: stackgen_cfn::Node,
    region: Option<String>,
}

fn no_load(is_template: bool) -> CliError {
    let flags =
        "give at least `--listeners` and `--rate`, and see `stackgen cost --help` for the rest";
    let hint = match is_template {
        true => flags.to_owned(),
        false => format!("add `load` to stackgen.yaml, or {flags}"),
    };
    CliError::input("the load is unknown").hint(hint)
}

fn bad_load(error: &LoadError) -> CliError {
    CliError::input(format!("the load is impossible: {error}"))
}
