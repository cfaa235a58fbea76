use live_session_core::ports::{ListenerPage, Store};
use live_session_core::{Connection, Recipient};

use crate::support::fixtures::*;

const ID: &str = "merciful-truth-455-k7dq2m9x4hw3t";

/// Returns a session with a speaker, and with listeners to these languages. The first is connection `0=`, and so on.
async fn listening_to(
    store: &impl Store,
    languages: &[&str],
) -> (live_session_core::Session, Vec<Recipient>) {
    let session = created(store, ID).await;
    store
        .admit_speaker(&speaker("s=", &session), NOW)
        .await
        .unwrap();
    let mut listeners = Vec::new();
    for (number, tag) in languages.iter().enumerate() {
        let listener = Connection {
            target_language: Some(language(tag)),
            ..listener(&format!("{number}="), &session)
        };
        admitted(store, &listener).await;
        listeners.push(Recipient::from(&listener));
    }
    // A listener in another session.
    with_listeners(store, "brave-river-123-k7dq2m9x4hw3t", &["x="]).await;
    (session, listeners)
}

fn sorted(pages: &[ListenerPage]) -> Vec<Recipient> {
    let mut all: Vec<_> = pages
        .iter()
        .flat_map(|page| page.listeners.clone())
        .collect();
    all.sort_by(|one, other| one.connection_id.cmp(&other.connection_id));
    all
}

pub(super) async fn an_empty_session_has_one_empty_page(store: &impl Store) {
    let (session, _) = listening_to(store, &[]).await;
    assert_eq!(
        pages(store, &session, None).await,
        [ListenerPage::default()]
    );
    assert_eq!(
        pages(store, &self::session("quiet-field-777-k7dq2m9x4hw3t"), None).await,
        [ListenerPage::default()]
    );
}

pub(super) async fn every_listener_is_on_one_page(store: &impl Store) {
    let (session, listeners) =
        listening_to(store, &["de", "fr", "de", "es", "fr", "de", "de", "pt-BR"]).await;
    let pages = pages(store, &session, None).await;
    assert!(pages.len() >= 3, "{} pages", pages.len());
    assert!(pages.iter().all(|page| page.listeners.len() <= 3));
    assert_eq!(sorted(&pages), listeners);
}

pub(super) async fn listeners_can_be_listed_by_language(store: &impl Store) {
    let languages = ["de", "fr", "de", "es", "fr", "de", "de", "de"];
    let (session, listeners) = listening_to(store, &languages).await;
    let pages = pages(store, &session, Some("de")).await;
    assert!(pages.len() >= 2, "{} pages", pages.len());
    let all = listeners.into_iter().zip(languages);
    let german: Vec<_> = all
        .filter_map(|(listener, language)| (language == "de").then_some(listener))
        .collect();
    assert_eq!(sorted(&pages), german);
    let none = self::pages(store, &session, Some("it")).await;
    assert_eq!(none, [ListenerPage::default()]);
}

pub(super) async fn a_page_continues_after_a_removed_listener(store: &impl Store) {
    let (session, listeners) = listening_to(store, &["de", "fr", "de", "es", "fr", "de"]).await;
    let session_id = &session.session_id;
    let first = store.listeners(session_id, None, None).await.unwrap();
    let ids: Vec<_> = first
        .listeners
        .iter()
        .map(|listener| listener.connection_id.clone())
        .collect();
    assert_eq!(store.remove_listeners(session_id, &ids, NOW).await, Ok(3));
    let second = store
        .listeners(session_id, None, first.next.clone())
        .await
        .unwrap();
    assert_eq!(sorted(&[first, second]), listeners);
}
