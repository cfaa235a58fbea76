//! What happens, act by act.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::http;
use crate::people::{Person, arrive, chunk};
use crate::project::Project;
use crate::stackgen::{self, Dev};
use crate::tell::{Failed, act, aside, step};

/// Chunks of audio that the speaker sends: one second of it.
const CHUNKS: u64 = 50;

/// How long everybody stays connected without a word.
const HOLD: Duration = Duration::from_secs(2);

/// The story.
pub(crate) async fn all() -> Result<(), Failed> {
    let project = Project::new()?;
    project.code("version one")?;
    act("A live session, on this machine");
    let mut dev = Dev::start(&project.folder, "dev").await?;
    let mut speaker = session(&project, &dev).await?;
    stale(&project, &mut dev, &mut speaker).await?;
    live(&project, &mut dev, &mut speaker).await?;
    let code = speaker.leave().await;
    step("Ada leaves", format!("closed with {code}"), code == 1000)?;
    step("Ctrl-C", "dev ended clean", dev.end().await?)?;
    pinned(&project).await?;
    act("All of it held.");
    Ok(())
}

/// Ada's token, and the status and the id of the session that she makes with it.
async fn make_session(project: &Project, dev: &Dev) -> Result<(String, u16, String), Failed> {
    let token = stackgen::result(&project.folder, "token --sub ada").await?;
    let wanted = json!({ "sourceLanguage": "en", "qualityTier": "standard" });
    let (status, session) = http::post(&dev.http, "/sessions", &token, &wanted).await?;
    let session = session["sessionId"].as_str().unwrap_or_default().to_owned();
    Ok((token, status, session))
}

/// A speaker, two listeners, audio.
async fn session(project: &Project, dev: &Dev) -> Result<Person, Failed> {
    let (token, status, session) = make_session(project, dev).await?;
    let done = "POST /sessions with Ada's token";
    step(done, format!("{status}  {session}"), status == 201)?;

    let url = dev.websocket.as_str();
    let ada = arrive(url, &[("sessionId", &session)], Some(&token)).await?;
    let came = format!("{} in {:.1?}", ada.status, ada.took);
    step("Ada connects with it", came, ada.status == 101)?;
    let mut listeners = Vec::new();
    for language in ["de", "fr"] {
        let query = [
            ("sessionId", session.as_str()),
            ("targetLanguage", language),
        ];
        let listener = arrive(url, &query, None).await?;
        let came = format!("{} in {:.1?}", listener.status, listener.took);
        let done = format!("a listener connects without one ({language})");
        step(&done, came, listener.status == 101)?;
        listeners.extend(listener.person);
    }
    let forged = format!("{token}x");
    let refused = arrive(url, &[("sessionId", &session)], Some(&forged)).await?;
    let came = format!("{}  by the authorizer (row A6)", refused.status);
    step("a forged token", came, refused.status == 401)?;

    let mut ada = ada.person.ok_or(Failed::new("Ada is not connected"))?;
    let heard = stream(&mut ada, &mut listeners, &session).await?;
    let expected = CHUNKS * 2;
    let came = format!("{heard} of {expected} heard, in order");
    let done = format!("Ada streams {CHUNKS} chunks of audio");
    step(&done, came, heard == expected)?;
    let mut held = ada.stays(HOLD).await;
    for listener in &mut listeners {
        held &= listener.stays(Duration::ZERO).await;
    }
    step(&format!("all three are held for {HOLD:.0?}"), "open", held)?;
    for listener in listeners {
        listener.leave().await;
    }
    Ok(ada)
}

/// Sends audio at the pace of speech; how many chunks arrived where and when they should.
async fn stream(ada: &mut Person, listeners: &mut [Person], session: &str) -> Result<u64, Failed> {
    let begun = Instant::now();
    for index in 0..CHUNKS {
        ada.send(&chunk(session, index)).await?;
        let next = begun + Duration::from_millis(20) * u32::try_from(index + 1).unwrap_or_default();
        tokio::time::sleep_until(next).await;
    }
    let mut heard = 0;
    for listener in listeners {
        for index in 0..CHUNKS {
            let audio = listener.hear_of("audio").await?;
            heard += u64::from(audio["chunkIndex"] == index);
        }
    }
    Ok(heard)
}

/// A route that was not deployed is not there.
async fn stale(project: &Project, dev: &mut Dev, ada: &mut Person) -> Result<(), Failed> {
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
    aside("Once more, and there is nothing to do:");
    stackgen::run(&project.folder, "deploy --redeploy-stage --local --env dev").await
}

/// `release: live`: code is live at once, and wiring goes back alone.
async fn live(project: &Project, dev: &mut Dev, ada: &mut Person) -> Result<(), Failed> {
    act("New code, release: live");
    project.code("version two")?;
    dev.event("applied").await?;
    answered(ada, "version two").await?;
    aside("No deployment: the integration names the function, not a version of it (row D2).");
    stackgen::run(&project.folder, "deployments rollback --local --env dev").await?;
    let answer = ping(ada).await?;
    let forbidden = answer["message"] == "Forbidden";
    step(
        "{\"action\":\"ping\"}",
        format!("{}  the wiring of before", shown(&answer)),
        forbidden,
    )
}

/// `release: pinned`: code is deployed with the wiring, and goes back with it.
async fn pinned(project: &Project) -> Result<(), Failed> {
    act("New code, release: pinned");
    let mut dev = Dev::start(&project.folder, "prod").await?;
    let (token, _, session) = make_session(project, &dev).await?;
    let ada = arrive(&dev.websocket, &[("sessionId", &session)], Some(&token)).await?;
    let mut ada = ada.person.ok_or(Failed::new("Ada is not connected"))?;
    answered(&mut ada, "version two").await?;
    project.code("version three")?;
    dev.event("applied").await?;
    answered(&mut ada, "version two").await?;
    aside("A new version is published; the deployment calls the one that it was made with.");
    stackgen::run(
        &project.folder,
        "deploy --redeploy-stage --local --env prod",
    )
    .await?;
    answered(&mut ada, "version three").await?;
    aside("Code and wiring go back together, by one pointer:");
    stackgen::run(&project.folder, "deployments rollback --local --env prod").await?;
    answered(&mut ada, "version two").await?;
    let code = ada.leave().await;
    step("Ada leaves", format!("closed with {code}"), code == 1000)?;
    step("Ctrl-C", "dev ended clean", dev.end().await?)
}

/// What comes back for `ping`.
async fn ping(ada: &mut Person) -> Result<Value, Failed> {
    ada.send(&json!({"action": "ping"})).await?;
    ada.hear().await
}

async fn answered(ada: &mut Person, expected: &str) -> Result<(), Failed> {
    let answer = ping(ada).await?;
    step("{\"action\":\"ping\"}", shown(&answer), answer == expected)
}

/// A text as it is, an error frame by its message.
fn shown(answer: &Value) -> String {
    let text = answer.as_str().or(answer["message"].as_str());
    text.map_or_else(|| answer.to_string(), str::to_owned)
}
