//! Progress of a load on terminals.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use stackgen_probe::{LoadProgress, LoadTestPlan};

use super::human::millis;
use crate::text::grouped;
use crate::ui::Ui;

/// Line that shows how a load goes.
pub(super) struct LiveLoad {
    bar: ProgressBar,
    connections: usize,
}

impl LiveLoad {
    /// Starts the line. It is drawn on terminals only.
    pub(super) fn new(plan: &LoadTestPlan, ui: &Ui) -> Self {
        let seconds = (plan.ramp_time() + plan.duration).as_secs().max(1);
        let bar = match ui.shows_progress() {
            true => ProgressBar::new(seconds),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {elapsed} {msg}") {
            bar.set_style(style);
        }
        LiveLoad {
            bar,
            connections: plan.connections(),
        }
    }

    /// Shows progress.
    pub(super) fn show(&self, progress: &LoadProgress) {
        self.bar.set_position(progress.elapsed.as_secs());
        self.bar.set_message(line(progress, self.connections));
    }

    /// Removes the line.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn line(progress: &LoadProgress, connections: usize) -> String {
    let mut line = format!(
        "{} of {} open, {} sent, {} answered",
        grouped(progress.open),
        grouped(connections as u64),
        grouped(progress.sent),
        grouped(progress.answered),
    );
    for (count, what) in [
        (progress.not_opened, "not opened"),
        (progress.ended, "closed"),
        (progress.not_answered, "not answered"),
    ] {
        if count > 0 {
            line.push_str(&format!(", {} {what}", grouped(count)));
        }
    }
    let shown = |name: &str, time: Option<Duration>| {
        time.map(|time| format!(", {name} {}", millis(time)))
            .unwrap_or_default()
    };
    line.push_str(&shown("p50", progress.p50));
    line.push_str(&shown("p99", progress.p99));
    line
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_line_shows_problems_only_if_there_are_some() {
        let progress = LoadProgress {
            open: 1200,
            sent: 30_000,
            answered: 29_990,
            p50: Some(Duration::from_micros(1500)),
            p99: Some(Duration::from_millis(20)),
            ..LoadProgress::default()
        };
        assert_snapshot!(line(&progress, 10_000), @"1,200 of 10,000 open, 30,000 sent, 29,990 answered, p50 1.50 ms, p99 20 ms");
        let worse = LoadProgress {
            not_opened: 3,
            not_answered: 10,
            ..progress
        };
        assert_snapshot!(line(&worse, 10_000), @"1,200 of 10,000 open, 30,000 sent, 29,990 answered, 3 not opened, 10 not answered, p50 1.50 ms, p99 20 ms");
    }
}
