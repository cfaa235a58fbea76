//! Terminal styles. They are stripped from streams that are not terminals.

use anstyle::{AnsiColor, Style};

/// Emphasis.
pub(crate) const BOLD: Style = Style::new().bold();
/// Good or new.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// Wrong or removed.
pub(crate) const RED: Style = AnsiColor::Red.on_default();
/// Noteworthy.
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();
/// Secondary.
pub(crate) const DIM: Style = Style::new().dimmed();
