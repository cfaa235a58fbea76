//! `stackgen console`

use std::path::PathBuf;

use serde_json::json;

use crate::browser::BrowserLink;
use crate::error::CliError;
use crate::local::LocalGateway;
use crate::outcome::CommandOutcome;
use crate::runtime::block_on;
use crate::ui::Ui;

/// Print a link to the console of the running local gateway
///
/// The console is a web page with the connections, frames and deployments of `stackgen dev`. The link opens it once: the
/// browser gets a cookie, and the link becomes invalid.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConsoleCommand {
    /// Open the link in the browser
    #[arg(long, help_heading = "Browser")]
    open: bool,

    /// Project file or template that the gateway runs
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "stackgen.yaml",
        help_heading = "Target"
    )]
    file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  stackgen console --open
  stackgen console --file template.yaml";

impl ConsoleCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        block_on(self.link(ui))
    }

    async fn link(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let remote = LocalGateway::find(&self.file).await?.remote();
        let link = remote.console_link().await?;
        match ui.wants_json() {
            true => ui.json_result(&json!({ "link": link }))?,
            false => ui.result(&format!("{link}\n"))?,
        }
        if self.open {
            let page = LocalGateway::console_page(&self.file);
            let link = BrowserLink::secret(link, page);
            link.open().await.map_err(|problem| {
                CliError::failed(format!("no browser was opened, because {problem}"))
                    .hint("open the link yourself")
            })?;
        }
        Ok(CommandOutcome::Done)
    }
}
