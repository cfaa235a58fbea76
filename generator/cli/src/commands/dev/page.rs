//! The stack's web page: its server, and the browser that shows it.

use super::args::OpenPage;
use super::open::OpeningBrowser;
use super::session::DevSession;
use crate::browser::BrowserLink;
use crate::error::{CliError, reason};
use crate::local::LocalGateway;

impl DevSession<'_> {
    /// Serves the page that the project names now.
    pub(super) fn serve_page(&self) -> Result<(), CliError> {
        let served = self.gateway.serve_page(self.prepared.page.clone());
        served.map_err(|error| {
            let reason = reason(&error);
            CliError::failed(format!("cannot serve the web page: {reason}"))
        })
    }

    /// Returns a note if the folder of the page does not exist. A page may be built later.
    pub(super) fn missing_page(&self) -> Option<String> {
        let page = self.prepared.page.as_ref()?;
        (!page.is_dir()).then(|| {
            let page = page.display();
            format!("{page}, the folder of the web page, does not exist; it is served once it does")
        })
    }

    /// Starts to open a page in the browser, if the user wants that. The link of the console is not the printed one, which
    /// works once.
    pub(super) async fn open_browser(&self) -> Result<OpeningBrowser, CliError> {
        let link = match self.command.open {
            Some(OpenPage::Console) => {
                let page = LocalGateway::console_page(self.command.source.path());
                Some(BrowserLink::secret(self.console_link()?, page))
            }
            Some(OpenPage::Page) => self.page_url().await.map(BrowserLink::new),
            None => None,
        };
        Ok(OpeningBrowser::new(link))
    }

    /// Returns the URL of the stack's page, or notes that there is none.
    async fn page_url(&self) -> Option<String> {
        let page = self.gateway.state().await.page;
        if page.is_none() {
            let hint = "name the folder of the page in stackgen.yaml, such as `page: web`";
            self.ui
                .note("this stack has no web page to open", Some(hint));
        }
        page
    }
}
