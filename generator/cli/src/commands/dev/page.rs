//! The stack's web page: its server, and the browser that shows it.

use std::future::pending;

use stackgen_cfn::terminal::escape;
use tokio::task::JoinHandle;

use super::session::DevSession;
use crate::browser;
use crate::error::{CliError, reason};

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

    /// Starts to open the page in a browser, if the user wants that.
    pub(super) async fn open_page(&self) -> OpeningPage {
        let page = match self.command.open {
            true => self.gateway.state().await.page,
            false => return OpeningPage(None),
        };
        if page.is_none() {
            let hint = "name the folder of the page in stackgen.yaml, such as `page: web`";
            self.ui
                .note("this stack has no web page to open", Some(hint));
        }
        OpeningPage(page.map(|url| tokio::spawn(open(url))))
    }
}

/// A browser that is being started.
pub(super) struct OpeningPage(Option<JoinHandle<Result<(), String>>>);

impl OpeningPage {
    /// Waits until it is known that no browser was opened. Returns what to do.
    pub(super) async fn failed(&mut self) -> String {
        if let Some(opening) = &mut self.0 {
            let opened = opening.await;
            self.0 = None;
            if let Ok(Err(note)) = opened {
                return note;
            }
        }
        pending().await
    }
}

async fn open(url: String) -> Result<(), String> {
    let opened = browser::open(url.clone()).await;
    opened.map_err(|problem| {
        let note = format!("no browser was opened, because {problem}; open {url}");
        escape(&note).into_owned()
    })
}
