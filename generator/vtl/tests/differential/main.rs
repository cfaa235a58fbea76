//! Templates that Apache Velocity 1.7 and this crate render.
//!
//! `STACKGEN_VTL_CASES=100000` renders more random templates, and `STACKGEN_VTL_SEED` others. `STACKGEN_UPDATE_VELOCITY=1` records
//! the outputs of Velocity again.

mod generate;
mod ours;
mod recorded;
mod values;
mod velocity;

use std::env;
use std::path::Path;

use velocity::{Case, Outcome, Velocity};

/// Random templates of a run.
const CASES: u64 = 1_000;

fn setting(name: &str, default: u64) -> u64 {
    let value = env::var(name).ok();
    value.map_or(default, |value| value.parse().expect("it is a number"))
}

/// Removes the address of an array, which Java writes.
fn without_addresses(output: &str) -> String {
    let mut parts = output.split("[Ljava.lang.String;@");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "[Ljava.lang.String;" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit())
    })
}

/// Returns a description of the difference, if there is one. The texts of errors differ.
fn difference(case: &Case, ours: &Outcome, velocity: &Outcome) -> Option<String> {
    let same = match (ours, velocity) {
        (Ok(ours), Ok(velocity)) => without_addresses(ours) == without_addresses(velocity),
        (Err(_), Err(_)) => true,
        _ => false,
    };
    (!same).then(|| {
        format!(
            "template {:?} ({:?})\n      ours {ours:?}\n  velocity {velocity:?}\n",
            case.template, case.unresolved
        )
    })
}

#[test]
fn random_templates_render_as_with_velocity() {
    let Some(mut velocity) = Velocity::start() else {
        return;
    };
    let first = setting("STACKGEN_VTL_SEED", 1);
    let count = setting("STACKGEN_VTL_CASES", CASES);
    let mut differences = Vec::new();
    let mut compared = 0;
    for seed in first..first + count {
        let case = generate::case(seed);
        let Some(ours) = ours::render(&case) else {
            continue;
        };
        compared += 1;
        let found = difference(&case, &ours, &velocity.render(&case));
        differences.extend(found.map(|found| format!("seed {seed}: {found}")));
    }
    println!("{compared} templates compared");
    assert!(
        compared > count * 9 / 10,
        "only {compared} of {count} templates were compared"
    );
    let shown = &differences[..differences.len().min(40)];
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        shown.join("\n")
    );
}

#[test]
fn recorded_random_templates_render_as_velocity_rendered_them() {
    let cases = recorded::random();
    assert!(cases.len() > 1_000);
    let differences: Vec<_> = cases
        .into_iter()
        .filter_map(|case| {
            let ours = ours::render(&case.case)?;
            let expected = case.expected.ok_or_else(|| "an error".to_owned());
            difference(&case.case, &ours, &expected)
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn recorded_templates_render_as_velocity_rendered_them() {
    let mut count = 0;
    let mut differences = Vec::new();
    for file in recorded::files() {
        for case in recorded::read(&file) {
            count += 1;
            let ours = ours::render(&case.case).unwrap_or_else(|| Err("it is refused".to_owned()));
            let expected = case.expected.ok_or_else(|| "an error".to_owned());
            let found = difference(&case.case, &ours, &expected);
            differences
                .extend(found.map(|found| format!("{} in {}: {found}", case.name, file.display())));
        }
    }
    assert!(count > 0);
    assert!(
        differences.is_empty(),
        "{} of {count} cases\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn recorded_outputs_are_those_of_velocity() {
    let Some(mut velocity) = Velocity::start() else {
        return;
    };
    let update = env::var_os("STACKGEN_UPDATE_VELOCITY").is_some();
    if update {
        recorded::write_random(|case| velocity.render(case));
    }
    for file in recorded::files() {
        let cases: Vec<_> = recorded::read(&file)
            .into_iter()
            .map(|case| {
                let outcome = velocity.render(&case.case);
                (case, outcome)
            })
            .collect();
        if update {
            recorded::write(&file, &cases);
            continue;
        }
        check_recorded(&file, &cases);
    }
}

fn check_recorded(file: &Path, cases: &[(recorded::RecordedCase, Outcome)]) {
    for (case, outcome) in cases {
        let expected = case.expected.clone().ok_or_else(String::new);
        let found = difference(&case.case, &expected, outcome);
        assert!(
            found.is_none(),
            "{} in {}: {found:?}",
            case.name,
            file.display()
        );
    }
}
