//! Conditions that must hold after every run, with any fault.

use std::collections::BTreeSet;
use std::fmt::Write;

use stackgen_gateway::DeploymentId;

use crate::case::{Case, Health, Point, Setup, Verb};
use crate::fault::{Event, Fault, Kill, StopSignal};
use crate::journal::{Move, proven};
use crate::proxy::{Action, Rule};
use crate::run::{Ending, Run};
use crate::subject::{KillInVerification, Mode, Report, Subject};
use crate::world::{Label, World};

/// Result of a case.
pub(crate) struct Outcome {
    /// End of the run with the fault.
    pub(crate) ending: Ending,
    /// False if the run ended before the point of the case.
    pub(crate) is_reached: bool,
    pub(crate) violations: Vec<String>,
    /// Observations, as text.
    pub(crate) story: String,
}

impl Setup {
    fn line(self) -> &'static str {
        match self.verb {
            Verb::Redeploy => "deploy --redeploy-stage",
            Verb::Rollback => "deployments rollback",
        }
    }

    /// Deployment that the stage moves to.
    pub(crate) fn target(self) -> Label {
        match self.verb {
            Verb::Redeploy => Label::New,
            Verb::Rollback => Label::Old,
        }
    }

    /// An API for which the command has something to do.
    pub(crate) fn prepare(self, world: &World) -> Subject<'_> {
        let subject = Subject::of_mode(world, self.mode);
        if self.mode == Mode::Live {
            subject.must("deploy --redeploy-stage");
        }
        subject.change();
        if self.verb == Verb::Rollback {
            subject.must("deploy --redeploy-stage");
        }
        if self.health == Health::Broken {
            subject.break_connect(self.target());
        }
        subject
    }

    /// The run without any fault.
    pub(crate) fn record(self, world: &World) -> Report {
        let subject = self.prepare(world);
        let report = subject.run_with(self.line(), Vec::new());
        let is_expected = report.run.is_green() || self.health == Health::Broken;
        assert!(is_expected, "{self}: {}", report.run);
        report
    }
}

/// Runs a case, runs the command again without a fault, and checks everything.
pub(crate) fn examine(world: &World, case: &Case) -> Outcome {
    let setup = case.setup;
    let subject = setup.prepare(world);
    let mut exam = Exam {
        case,
        first: subject.deployment_ids()[0].clone(),
        before: subject.deployment_ids().into_iter().collect(),
        started: subject.served(),
        moves: subject.moves().len(),
        subject: &subject,
        violations: Vec::new(),
        story: String::new(),
    };
    let report = exam.faulted();
    exam.note("with the fault", &report.run);
    exam.check_ending(&report.run);
    exam.check(&report, "");
    exam.check_leftovers(&report.run);
    let line = match setup.verb {
        Verb::Redeploy => setup.line().to_owned(),
        Verb::Rollback => format!("{} --to {}", setup.line(), exam.first),
    };
    let again = subject.run_with(&line, Vec::new());
    exam.note("again", &again.run);
    exam.check(&again, "the rerun: ");
    exam.check_rerun(&again.run);
    let status = subject.run("status");
    exam.note("status", &status);
    exam.check_status(&status);
    Outcome {
        ending: report.run.ending,
        is_reached: report.rules_met > 0,
        violations: exam.violations,
        story: exam.story,
    }
}

struct Exam<'a> {
    case: &'a Case,
    subject: &'a Subject<'a>,
    /// The deployment that the stage served first of all.
    first: DeploymentId,
    before: BTreeSet<DeploymentId>,
    /// Deployment that the stage served before the run.
    started: Option<DeploymentId>,
    /// Number of moves before the run.
    moves: usize,
    violations: Vec<String>,
    story: String,
}

impl Exam<'_> {
    fn faulted(&self) -> Report {
        let line = self.case.setup.line();
        match (&self.case.point, self.case.event) {
            (Point::Call(operation, count), event) => {
                let (to, action) = match event {
                    Event::Once(fault) => (*count, Action::Fault(fault)),
                    Event::Always(fault) => (usize::MAX, Action::Fault(fault)),
                    Event::Kill(kill) => (*count, Action::Kill(kill)),
                };
                let rule = Rule::new(operation.as_str(), *count..=to, action);
                self.subject.run_with(line, vec![rule])
            }
            (Point::Verification, Event::Kill(kill)) => {
                let label = self.case.setup.target();
                self.subject
                    .run_killed(line, KillInVerification { kill, label })
            }
            (Point::Verification, _) => unreachable!("a verification is no call"),
        }
    }

    fn fail(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    fn note(&mut self, title: &str, run: &Run) {
        let served = self.subject.served();
        let served = served.map_or("nothing".to_owned(), |id| id.to_string());
        let moves = self.subject.moves();
        writeln!(self.story, "  {title}: {run}\n    stage serves {served}").unwrap();
        for deployment in self.subject.deployments() {
            let description = deployment.description.as_deref().unwrap_or_default();
            writeln!(self.story, "    {} {description}", deployment.deployment_id).unwrap();
        }
        writeln!(self.story, "    {moves:?}").unwrap();
    }

    fn kill(&self) -> Option<Kill> {
        match self.case.event {
            Event::Kill(kill) => Some(kill),
            Event::Once(_) | Event::Always(_) => None,
        }
    }

    fn check_ending(&mut self, run: &Run) {
        let number = |signal: StopSignal| signal.raw().as_raw();
        let signal = self.kill().map(|kill| number(kill.signal));
        let is_allowed = match run.ending {
            Ending::Exit(0..=3) => true,
            Ending::Exit(code) => signal.is_some_and(|signal| code == 128 + signal),
            // Before stackgen listens, a signal ends it as it ends any process.
            Ending::Signal(by) => signal == Some(by),
            Ending::Hung => false,
        };
        if !is_allowed {
            self.fail(format!("it ended with {}", run.ending));
        }
    }

    /// Checks that apply after each run of the command.
    fn check(&mut self, report: &Report, which: &str) {
        let run = &report.run;
        let served = self.subject.served();
        if !self
            .subject
            .deployment_ids()
            .iter()
            .any(|id| Some(id) == served.as_ref())
        {
            self.fail(format!(
                "{which}the stage serves a deployment that is not there"
            ));
        }
        for id in &report.moved_blindly {
            self.fail(format!(
                "{which}the stage was moved to {id} before that was DEPLOYED"
            ));
        }
        if run.is_green() {
            if !self.subject.is_proven() {
                self.fail(format!(
                    "{which}false green: no handshake succeeded after the last move"
                ));
            }
            let is_there = match self.case.setup.verb {
                Verb::Redeploy => served != self.started && self.subject.is_current(),
                Verb::Rollback => served.as_ref() == Some(&self.first),
            };
            if !is_there {
                self.fail(format!("{which}false green: the stage was not moved"));
            }
        }
        if run.stderr.contains("panicked") {
            self.fail(format!("{which}panicked"));
        }
        let says_nothing = !run.stderr.lines().any(|line| line.starts_with("error:"));
        if matches!(run.ending, Ending::Exit(1..=3)) && says_nothing {
            self.fail(format!("{which}it failed without an error"));
        }
        if let Some(id) = contradiction(&run.stderr) {
            self.fail(format!(
                "{which}it says that the stage serves {id}, not {id}"
            ));
        }
    }

    /// A run that knows that the stage did not move leaves no deployment behind.
    fn check_leftovers(&mut self, run: &Run) {
        let moves = self.subject.moves();
        let has_moved = moves[self.moves..]
            .iter()
            .any(|one| matches!(one, Move::Activated(_)));
        // What was ended at once could not clean up.
        let is_known = matches!(run.ending, Ending::Exit(1..=3));
        if has_moved || !is_known || self.excuses_leftovers() {
            return;
        }
        let mut now = self.subject.deployment_ids();
        now.retain(|id| !self.before.contains(id));
        for id in now {
            self.fail(format!("deployment {id} is left behind"));
        }
    }

    /// Returns true if the fault prevents stackgen from deleting or finding the deployment that it created.
    fn excuses_leftovers(&self) -> bool {
        let Point::Call(operation, _) = &self.case.point else {
            return false;
        };
        let refused = |fault| matches!(fault, Fault::Refused(400..=409));
        match (operation.as_str(), self.case.event) {
            ("DeleteDeployment", Event::Once(fault)) => refused(fault),
            ("DeleteDeployment" | "CreateDeployment" | "GetDeployments", Event::Always(_)) => true,
            _ => false,
        }
    }

    fn check_rerun(&mut self, run: &Run) {
        match (self.case.setup.health, run.is_green()) {
            (Health::Healthy, false) => self.fail("the rerun fails although $connect works"),
            (Health::Broken, true) => self.fail("the rerun is green although $connect fails"),
            (Health::Broken, false) if run.code() != Some(1) => {
                self.fail(format!("the rerun ended with {}", run.ending));
            }
            _ => {}
        }
        let goes_back =
            self.case.setup.verb == Verb::Redeploy && self.case.setup.health == Health::Broken;
        if goes_back && self.subject.served().as_ref() != Some(&self.first) {
            self.fail("the rerun leaves the stage on a deployment that failed");
        }
    }

    fn check_status(&mut self, status: &Run) {
        let Setup { verb, health, .. } = self.case.setup;
        let served = self.subject.served();
        let has_served_well = proven(&self.subject.moves())
            .into_iter()
            .any(|id| Some(id) == served);
        let is_good = self.subject.is_current() && has_served_well;
        match status.code() {
            Some(0) if !is_good => self.fail("status is green without a reason"),
            Some(3) if (verb, health) == (Verb::Redeploy, Health::Healthy) => {
                self.fail("status is not green although the rerun was");
            }
            Some(0 | 3) => {}
            _ => self.fail(format!("status ended with {}", status.ending)),
        }
    }
}

/// The deployment of `it serves X, not X`.
pub(crate) fn contradiction(text: &str) -> Option<&str> {
    text.split("it serves ").skip(1).find_map(|rest| {
        let (serves, rest) = rest.split_once(", not ")?;
        let not = rest.split(|c: char| !c.is_ascii_alphanumeric()).next();
        (Some(serves) == not).then_some(serves)
    })
}

#[test]
fn a_message_that_contradicts_itself_is_found() {
    let text = "error: stage prod was moved by somebody else: it serves abc123, not ";
    assert_eq!(contradiction(&format!("{text}abc123\n")), Some("abc123"));
    assert_eq!(contradiction(&format!("{text}def456\n")), None);
}
