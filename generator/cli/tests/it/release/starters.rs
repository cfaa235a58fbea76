//! Whole lives of the starters `live-session` and `chat`, in both release modes.
//!
//! Their functions are replaced by a small program, because ministack cannot run what the real ones do when they are verified: it
//! answers 403 to every handshake that `$connect` refuses, and the flagship expects its 400; it has no issuer of tokens; and it
//! serves @connections under another address than the `MANAGEMENT_ENDPOINT` of templates. The tests of the local gateway run the
//! real functions. Its deployments are no snapshots, so that a rollback is checked by the stage's deployment alone (row D1).

use super::emulator::Emulator;
use super::project::Project;
use super::{assert_done, assert_says};

/// Starter, its binaries, and the changes that make it verifiable here.
struct Starter {
    name: &'static str,
    binaries: &'static [&'static str],
    verify: Replacement,
    route: Replacement,
}

/// Change of stackgen.yaml.
struct Replacement {
    from: &'static str,
    to: &'static str,
}

const LIVE_SESSION: Starter = Starter {
    name: "live-session",
    binaries: &[
        "session-authorizer",
        "session-connection-handler",
        "session-disconnect-handler",
        "session-audio-handler",
        "session-http-handler",
        "session-reconciler",
    ],
    verify: Replacement {
        from: "anonymous: { status: 400 }",
        to: "anonymous: {}",
    },
    route: Replacement {
        from: "    joinSession: session-connection-handler\n",
        to: "    joinSession: session-connection-handler\n    raiseHand: session-connection-handler\n",
    },
};

const CHAT: Starter = Starter {
    name: "chat",
    binaries: &["chat-authorizer", "chat-handler"],
    verify: Replacement {
        from: "\nenvironments:\n",
        to: "\nverify:\n  guest: { query: { token: text:guest } }\n\nenvironments:\n",
    },
    route: Replacement {
        from: "    $disconnect: chat-handler\n",
        to: "    $disconnect: chat-handler\n    leaveAll: chat-handler\n",
    },
};

/// Creates, changes, rolls back and deletes the stack of a starter. Redeploys with new code and full deploys alternate (row D17).
fn lives(starter: &Starter, environment: &'static str) {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    emulator.stacks(&["set-log-role"]);
    let project = Project::starter(starter.name, starter.binaries, &emulator, environment);
    project.edit(starter.verify.from, starter.verify.to);
    assert_done(&project.run_as("bootstrap"));
    let created = project.deploy("");
    assert_done(&created);
    assert_says(&created, "create stack");
    assert_says(&created, "verified");

    project.edit(starter.route.from, starter.route.to);
    let updated = project.deploy("");
    assert_done(&updated);
    assert_says(&updated, "update stack");
    for label in ["second", "third"] {
        project.set_code(label, true);
        assert_done(&project.run("deploy --redeploy-stage"));
        assert_done(&project.deploy(""));
    }
    let again = project.deploy("");
    assert_done(&again);
    assert_says(&again, "is up to date");
    let current = project.run("status --allow-unverified");
    assert_done(&current);

    let rolled_back = project.run("deployments rollback --yes");
    assert_done(&rolled_back);
    assert_says(&rolled_back, "verified");
    let released = project.deploy("");
    assert_done(&released);
    assert_done(&project.run("status --allow-unverified"));
    let destroyed = project.run("destroy --yes");
    assert_done(&destroyed);
    assert_says(&destroyed, "deleted stack");
}

#[test]
fn the_flagship_lives_through_live_releases() {
    lives(&LIVE_SESSION, "dev");
}

#[test]
fn the_flagship_lives_through_pinned_releases() {
    lives(&LIVE_SESSION, "prod");
}

#[test]
fn chat_lives_through_live_releases() {
    lives(&CHAT, "dev");
}

#[test]
fn chat_lives_through_pinned_releases() {
    lives(&CHAT, "prod");
}
