//! A browser that `--open` starts.

use std::future::pending;

use stackgen_cfn::terminal::escape;
use tokio::task::JoinHandle;

use crate::browser::BrowserLink;

/// A browser that is being started, or none.
pub(super) struct OpeningBrowser(Option<JoinHandle<Result<(), String>>>);

impl OpeningBrowser {
    /// Starts a browser with a link.
    pub(super) fn new(link: Option<BrowserLink>) -> Self {
        OpeningBrowser(link.map(|link| tokio::spawn(open(link))))
    }

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

async fn open(link: BrowserLink) -> Result<(), String> {
    let opened = link.open().await;
    opened.map_err(|problem| {
        let url = link.url();
        let note = format!("no browser was opened, because {problem}; open {url}");
        escape(&note).into_owned()
    })
}
