//! Every fault at every call, and a selection of that.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::case::{Case, Point, Setup};
use crate::fault::{Event, Kill, Moment};
use crate::operation::Operation;
use crate::oracle::{Outcome, examine};
use crate::pairwise::{self, Candidate};
use crate::world::World;

/// Number of cases in the selection.
const SELECTED: usize = 150;

/// Number of cases that run at a time, each with its own gateway, unless `STACKGEN_FAULT_JOBS` is set.
const JOBS: usize = 4;

/// A line of progress comes after so many cases.
const PROGRESS: usize = 100;

#[test]
fn no_fault_of_a_fixed_selection_breaks_a_promise() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let all = candidates();
    if let Ok(wanted) = std::env::var("STACKGEN_FAULT_CASE") {
        let matches = |case: &Case| case.to_string().contains(&wanted);
        let cases = all.into_iter().map(|one| one.case).filter(matches);
        return judge(&cases.collect::<Vec<_>>(), true);
    }
    let (selected, coverage) = pairwise::select(&all, SELECTED);
    println!("{} of {} cases, {coverage}", selected.len(), all.len());
    judge(&selected, false);
}

#[test]
#[ignore = "takes long: `make faults` runs it"]
fn no_fault_at_any_call_breaks_a_promise() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let all = candidates();
    let cases: Vec<_> = all.into_iter().map(|one| one.case).collect();
    judge(&cases, false);
}

/// Every case, from runs without faults that tell which calls there are.
fn candidates() -> Vec<Candidate> {
    let recorded = in_parallel(&Setup::all(), |world, setup| setup.record(world).calls);
    let mut all = Vec::new();
    for (setup, calls) in Setup::all().into_iter().zip(recorded) {
        let mut counts: HashMap<Operation, usize> = HashMap::new();
        let mut phase = "look";
        for operation in calls {
            let count = counts.entry(operation.clone()).or_default();
            *count += 1;
            let here = phase_of(&operation, *count, &mut phase);
            let point = Point::Call(operation, *count);
            all.extend(Event::all().into_iter().map(|event| Candidate {
                case: Case {
                    setup,
                    point: point.clone(),
                    event,
                },
                phase: here,
            }));
        }
        let in_verification = Event::signals().into_iter().filter(
            |event| matches!(event, Event::Kill(Kill { moment, .. }) if *moment == Moment::Before),
        );
        all.extend(in_verification.map(|event| Candidate {
            case: Case {
                setup,
                point: Point::Verification,
                event,
            },
            phase: "verification",
        }));
    }
    all
}

/// The phase that a call belongs to; `phase` is that of the reads that follow.
fn phase_of(operation: &Operation, count: usize, phase: &mut &'static str) -> &'static str {
    let (own, then) = match (operation.as_str(), count) {
        ("CreateDeployment", _) => ("create", "wait"),
        ("UpdateStage", 1) => ("move", "confirm"),
        ("UpdateStage", _) => ("move-back", "confirm-back"),
        ("UpdateDeployment", _) => ("mark", "end"),
        ("DeleteDeployment", _) => ("delete", "end"),
        _ if operation.is_read() => (*phase, *phase),
        _ => ("code", "look"),
    };
    *phase = then;
    own
}

/// Runs cases, prints counts, and fails with all violations.
fn judge(cases: &[Case], tells: bool) {
    let done = AtomicUsize::new(0);
    let outcomes = in_parallel(cases, |world, case| {
        let outcome = examine(world, case);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(PROGRESS) {
            println!("{done} of {} cases", cases.len());
        }
        if tells {
            println!("{case}\n{}", outcome.story);
        }
        // At once, since all cases together take long.
        for violation in &outcome.violations {
            println!("STACKGEN_FAULT_CASE='{case}': {violation}");
        }
        outcome
    });
    let mut endings: BTreeMap<String, usize> = BTreeMap::new();
    for outcome in &outcomes {
        let not_reached = if outcome.is_reached {
            ""
        } else {
            ", before the fault"
        };
        *endings
            .entry(format!("{}{not_reached}", outcome.ending))
            .or_default() += 1;
    }
    println!("{} cases, {} at a time", cases.len(), jobs());
    for (ending, count) in endings {
        println!("  {count:>5} {ending}");
    }
    let violations = violations(cases, &outcomes);
    assert!(violations.is_empty(), "violations:\n{violations}");
}

fn violations(cases: &[Case], outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for (case, outcome) in cases.iter().zip(outcomes) {
        for violation in &outcome.violations {
            writeln!(text, "STACKGEN_FAULT_CASE='{case}': {violation}").unwrap();
        }
    }
    text
}

fn jobs() -> usize {
    let jobs = std::env::var("STACKGEN_FAULT_JOBS");
    jobs.map_or(JOBS, |jobs| jobs.parse().unwrap())
}

/// Does something with each, in gateways of their own.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    all: &[T],
    work: impl Fn(&World, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..jobs().min(all.len()) {
            scope.spawn(|| {
                let world = World::start();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = all.get(index) else { return };
                    let result = work(&world, one);
                    done.lock().unwrap().push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
