//! Acts of the demo.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::callers::{DemoCaller, chunk, connect_as};
use crate::http;
use crate::print::{DemoError, act, aside, step};
use crate::project::DemoProject;
use crate::stackgen::{self, DevProcess};

/// Chunks of audio that the speaker sends: three seconds of it.
const CHUNKS: u64 = 12;

/// Length of a chunk. The audio handler accepts four a second.
const CHUNK_LENGTH: Duration = Duration::from_millis(250);

/// Time without messages for which connections must stay open.
const HOLD: Duration = Duration::from_secs(2);

/// Runs all acts.
pub(crate) async fn all() -> Result<(), DemoError> {
    let project = DemoProject::new()?;
    project.code("version one")?;
    act("A live session, on this machine");
    let mut dev = DevProcess::start(&project.folder, "dev").await?;
    let mut speaker = session(&project, &dev).await?;
    stale(&project, &mut dev, &mut speaker).await?;
    live(&project, &mut dev, &mut speaker).await?;
    let code = speaker.close().await;
    step("Ada leaves", format!("closed with {code}"), code == 1000)?;
    step("Ctrl-C", "dev ended clean", dev.end().await?)?;
    pinned(&project).await?;
    act("Every step had the expected result.");
    Ok(())
}

/// Creates a session as Ada. Returns her token, the status, and the ID of the session.
async fn make_session(
    project: &DemoProject,
    dev: &DevProcess,
) -> Result<(String, u16, String), DemoError> {
    let token = stackgen::result(&project.folder, "token --sub ada").await?;
    let settings = json!({ "sourceLanguage": "en", "qualityTier": "standard" });
    let (status, session) = http::post(&dev.http, "/sessions", &token, &settings).await?;
    let session = session["sessionId"].as_str().unwrap_or_default().to_owned();
    Ok((token, status, session))
}

/// Connects a speaker and two listeners, and streams audio.
async fn session(project: &DemoProject, dev: &DevProcess) -> Result<DemoCaller, DemoError> {
    let (token, status, session) = make_session(project, dev).await?;
    let done = "POST /sessions with Ada's token";
    step(done, format!("{status}  {session}"), status == 201)?;

    let url = dev.websocket.as_str();
    let ada = connect_as(url, &[("sessionId", &session)], Some(&token)).await?;
    let came = format!("{} in {:.1?}", ada.status, ada.took);
    step("Ada connects with it", came, ada.status == 101)?;
    let mut listeners = Vec::new();
    for language in ["de", "fr"] {
        let query = [
            ("sessionId", session.as_str()),
            ("targetLanguage", language),
        ];
        let listener = connect_as(url, &query, None).await?;
        let came = format!("{} in {:.1?}", listener.status, listener.took);
        let done = format!("a listener connects without one ({language})");
        step(&done, came, listener.status == 101)?;
        listeners.extend(listener.caller);
    }
    let forged = format!("{token}x");
    let refused = connect_as(url, &[("sessionId", &session)], Some(&forged)).await?;
    let came = format!("{}  by the authorizer (row A6)", refused.status);
    step("a forged token", came, refused.status == 401)?;

    let mut ada = ada.caller.ok_or(DemoError::new("Ada is not connected"))?;
    let heard = stream(&mut ada, &mut listeners, &session).await?;
    let expected = CHUNKS * 2;
    let came = format!("{heard} of {expected} heard, in order");
    let done = format!("Ada streams {CHUNKS} chunks of audio");
    step(&done, came, heard == expected)?;
    let mut held = ada.stays_open(HOLD).await;
    for listener in &mut listeners {
        held &= listener.stays_open(Duration::ZERO).await;
    }
    step(&format!("all three are held for {HOLD:.0?}"), "open", held)?;
    for listener in listeners {
        listener.close().await;
    }
    Ok(ada)
}

/// Sends audio in real time. Returns the number of chunks that arrived in order.
async fn stream(
    ada: &mut DemoCaller,
    listeners: &mut [DemoCaller],
    session: &str,
) -> Result<u64, DemoError> {
    let begun = Instant::now();
    for index in 0..CHUNKS {
        ada.send(&chunk(session, index)).await?;
        let next = begun + CHUNK_LENGTH * u32::try_from(index + 1).unwrap_or_default();
        tokio::time::sleep_until(next).await;
    }
    let mut heard = 0;
    for listener in listeners {
        for index in 0..CHUNKS {
            let audio = listener.receive_type("audio").await?;
            heard += u64::from(audio["chunkIndex"] == index);
        }
    }
    Ok(heard)
}

/// Shows that a stage does not serve a route before it is deployed.
async fn stale(
    project: &DemoProject,
    dev: &mut DevProcess,
    ada: &mut DemoCaller,
) -> Result<(), DemoError> {
    act("The stale deployment");
    project.add_ping()?;
    let applied = dev.event("applied").await?;
    let waits = applied["undeployed"]
        .as_array()
        .is_some_and(|all| !all.is_empty());
    step(
        "route `ping` is saved in stackgen.yaml",
        "dev: needs a deployment",
        waits,
    )?;
    let answer = ping(ada).await?;
    let forbidden = answer["message"] == "Forbidden";
    step(
        "{\"action\":\"ping\"}",
        format!("{}  (row M3)", shown(&answer)),
        forbidden,
    )?;
    aside("The account has the route; the stage serves a deployment from before it (row D1).");
    stackgen::run(&project.folder, "deploy --redeploy-stage --local --env dev").await?;
    answered(ada, "version one").await?;
    aside("A second redeploy has nothing to do:");
    stackgen::run(&project.folder, "deploy --redeploy-stage --local --env dev").await
}

/// Shows `release: live`: code is live at once, and a rollback changes the wiring only.
async fn live(
    project: &DemoProject,
    dev: &mut DevProcess,
    ada: &mut DemoCaller,
) -> Result<(), DemoError> {
    act("New code, release: live");
    project.code("version two")?;
    dev.event("applied").await?;
    answered(ada, "version two").await?;
    aside("No deployment needed: the integration names the function, not a version (row D2).");
    stackgen::run(&project.folder, "deployments rollback --local --env dev").await?;
    let answer = ping(ada).await?;
    let forbidden = answer["message"] == "Forbidden";
    step(
        "{\"action\":\"ping\"}",
        format!("{}  the earlier wiring", shown(&answer)),
        forbidden,
    )
}

/// Shows `release: pinned`: code is deployed and rolled back with the wiring.
async fn pinned(project: &DemoProject) -> Result<(), DemoError> {
    act("New code, release: pinned");
    let mut dev = DevProcess::start(&project.folder, "prod").await?;
    let (token, _, session) = make_session(project, &dev).await?;
    let ada = connect_as(&dev.websocket, &[("sessionId", &session)], Some(&token)).await?;
    let mut ada = ada.caller.ok_or(DemoError::new("Ada is not connected"))?;
    answered(&mut ada, "version two").await?;
    project.code("version three")?;
    dev.event("applied").await?;
    answered(&mut ada, "version two").await?;
    aside("A new version is published; the deployment calls the version that it was created with.");
    stackgen::run(
        &project.folder,
        "deploy --redeploy-stage --local --env prod",
    )
    .await?;
    answered(&mut ada, "version three").await?;
    aside("One rollback restores code and wiring:");
    stackgen::run(&project.folder, "deployments rollback --local --env prod").await?;
    answered(&mut ada, "version two").await?;
    let code = ada.close().await;
    step("Ada leaves", format!("closed with {code}"), code == 1000)?;
    step("Ctrl-C", "dev ended clean", dev.end().await?)
}

/// Returns the answer to `ping`.
async fn ping(ada: &mut DemoCaller) -> Result<Value, DemoError> {
    ada.send(&json!({"action": "ping"})).await?;
    ada.receive().await
}

async fn answered(ada: &mut DemoCaller, expected: &str) -> Result<(), DemoError> {
    let answer = ping(ada).await?;
    step("{\"action\":\"ping\"}", shown(&answer), answer == expected)
}

/// Returns a text as it is, and the message of an error frame.
fn shown(answer: &Value) -> String {
    let text = answer.as_str().or(answer["message"].as_str());
    text.map_or_else(|| answer.to_string(), str::to_owned)
}
