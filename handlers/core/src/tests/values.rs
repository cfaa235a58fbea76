use std::time::Duration;

use proptest::prelude::*;

use super::{language, minutes, owner, session_id};
use crate::testing::TestClock;
use crate::values::parse_connection_id;
use crate::{
    Clock, ConnectionId, InvalidValue, Language, QualityTier, Role, Session, SessionId,
    SessionIdGenerator, SessionStatus, UserId, Volume,
};

const SECRET: &str = "k7dq2m9x4hw3t";

#[test]
fn a_session_id_is_adjective_noun_number_and_secret() {
    for good in ["merciful-truth-455", "a-b-000", "abc-def-999"] {
        let good = format!("{good}-{SECRET}");
        assert_eq!(SessionId::try_from(good.as_str()).unwrap().as_str(), good);
    }
    let long = format!("{}-b-100", "a".repeat(33));
    let bad = [
        "",
        "-",
        "--",
        "a-b",
        "a-b-12",
        "a-b-1234",
        "A-b-123",
        "a-B-123",
        "a-b-12a",
        "a--123",
        "-b-123",
        "a1-b-123",
        "a-b-123\n",
        "ä-b-123",
        "a-b-１２３",
        &long,
    ];
    for text in bad {
        let text = format!("{text}-{SECRET}");
        assert!(SessionId::try_from(text.as_str()).is_err(), "{text}");
    }
    let longest = format!("{}-b-100-{SECRET}", "a".repeat(32));
    assert!(SessionId::try_from(longest).is_ok());
}

#[test]
fn the_secret_of_a_session_id_has_13_characters_of_base32() {
    for bad in [
        "merciful-truth-455",
        "merciful-truth-455-",
        "merciful-truth-455-k7dq2m9x4hw3",
        "merciful-truth-455-k7dq2m9x4hw3tt",
        "merciful-truth-455-k7dq2m9x4hw3i",
        "merciful-truth-455-k7dq2m9x4hw3l",
        "merciful-truth-455-k7dq2m9x4hw3o",
        "merciful-truth-455-k7dq2m9x4hw3u",
        "merciful-truth-455-K7DQ2M9X4HW3T",
        "merciful-truth-455-k7dq2m9x4hw3t-",
    ] {
        assert!(SessionId::try_from(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_language_is_a_tag() {
    for good in ["de", "yue", "pt-BR", "zh-Hans-CN", "es-419", "de-abcdefgh"] {
        assert!(Language::try_from(good).is_ok(), "{good}");
    }
    let long = format!("de{}", "-abcdefgh".repeat(4));
    for bad in [
        "",
        "d",
        "DE",
        "deut",
        "de-",
        "de-a",
        "de-abcdefghi",
        "de_DE",
        "de-ä1",
        "1e",
        &long,
    ] {
        assert!(Language::try_from(bad).is_err(), "{bad}");
    }
    assert!(Language::try_from(&long[..29]).is_ok());
}

#[test]
fn a_user_id_is_never_empty_and_never_long() {
    assert!(UserId::try_from("").is_err());
    assert!(UserId::try_from("x").is_ok());
    assert!(UserId::try_from("x".repeat(256)).is_ok());
    assert!(UserId::try_from("x".repeat(257)).is_err());
}

#[test]
fn a_volume_is_from_0_to_1() {
    for good in [0.0, 0.5, 1.0] {
        assert_eq!(Volume::try_from(good).unwrap().get(), good);
        assert_eq!(f64::from(Volume::try_from(good).unwrap()), good);
    }
    for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(Volume::try_from(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_invalid_value_describes_a_valid_one() {
    let wrong = SessionId::try_from("x").unwrap_err();
    assert_eq!(
        wrong,
        InvalidValue {
            field: "sessionId",
            expected: "an id such as merciful-truth-455-k7dq2m9x4hw3t"
        }
    );
    assert_eq!(
        wrong.to_string(),
        "sessionId must be an id such as merciful-truth-455-k7dq2m9x4hw3t"
    );
}

#[test]
fn generated_ids_are_repeatable_with_a_seed_and_random_otherwise() {
    let ids = |mut names: SessionIdGenerator| -> Vec<_> {
        (0..20).map(|_| names.next_id().unwrap()).collect()
    };
    let seeded = |seed| ids(SessionIdGenerator::seeded(seed));
    assert_eq!(seeded(7), seeded(7));
    assert_ne!(seeded(7), seeded(8));
    let random = || ids(SessionIdGenerator::default());
    assert_ne!(random(), random());
}

#[test]
fn every_character_of_the_secret_is_random() {
    let mut names = SessionIdGenerator::default();
    let mut seen = vec![std::collections::BTreeSet::new(); SECRET.len()];
    for _ in 0..2_000 {
        let id = names.next_id().unwrap();
        let secret = id.as_str().rsplit('-').next().unwrap();
        assert_eq!(secret.len(), SECRET.len());
        for (place, character) in secret.chars().enumerate() {
            seen[place].insert(character);
        }
    }
    // A character is missing from one place in 2,000 IDs with a probability of 13 * 32 * (31/32)^2000, below 1e-24.
    assert!(seen.iter().all(|characters| characters.len() == 32));
}

#[test]
fn a_session_is_over_a_day_after_it_began_and_stays_in_the_table_for_a_week_more() {
    let start = TestClock::default().now();
    let session = Session::new(
        session_id(),
        owner(),
        language("en"),
        QualityTier::Premium,
        start,
    );
    let day = minutes(24 * 60);
    assert_eq!(session.ends_at(), start.after(day));
    assert_eq!(
        session.status_at(start.after(day - Duration::from_millis(1))),
        SessionStatus::Active
    );
    assert_eq!(session.status_at(start.after(day)), SessionStatus::Ended);
    assert_eq!(session.expires_at, start.after(8 * day).as_seconds());
}

#[test]
fn clients_see_three_statuses() {
    let expected = |status: SessionStatus| (status.public(), status.is_over());
    assert_eq!(expected(SessionStatus::Active), ("active", false));
    assert_eq!(expected(SessionStatus::Paused), ("paused", false));
    assert_eq!(expected(SessionStatus::Ending), ("ended", true));
    assert_eq!(expected(SessionStatus::Ended), ("ended", true));
}

#[test]
fn a_role_is_named_as_in_messages() {
    for role in [Role::Speaker, Role::Listener] {
        assert_eq!(serde_json::to_value(role).unwrap(), role.name());
    }
}

#[test]
fn an_empty_connection_id_is_none() {
    let parsed = |text: &str| parse_connection_id(Some(text.to_owned()));
    assert_eq!(parse_connection_id(None), Ok(None));
    assert_eq!(parsed(""), Ok(None), "a table refuses an empty key");
    assert_eq!(parsed("old"), Ok(Some(ConnectionId::new("old"))));
    assert!(parsed(&"x".repeat(128)).is_ok());
    assert!(parsed(&"x".repeat(129)).is_err());
}

proptest! {
    #[test]
    fn any_text_is_a_session_id_or_not_as_the_pattern_says(
        text in "[a-zA-Z0-9-]{0,12}|[a-z]{1,4}-[a-z]{1,4}-[0-9]{2,4}-[0-9a-z]{12,14}"
    ) {
        let mut parts = text.split('-');
        let word = |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase()));
        let first = word(parts.next());
        let second = word(parts.next());
        let third = parts.next().is_some_and(|part| part.len() == 3 && part.parse::<u16>().is_ok());
        let fourth = parts.next().is_some_and(|part| {
            part.len() == 13 && part.chars().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase() && !"ilou".contains(c))
        });
        let expected = first && second && third && fourth && parts.next().is_none();
        prop_assert_eq!(SessionId::try_from(text.as_str()).is_ok(), expected);
    }
}
