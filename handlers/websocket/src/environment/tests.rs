use proptest::prelude::*;

use super::*;

fn environment(variables: &'static [(&'static str, &'static str)]) -> Environment<impl Lookup> {
    Environment::new(|name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

/// Returns the error for the variable `X`.
fn problem<T>(value: &'static str, read: impl FnOnce(&mut EnvironmentOf) -> T) -> Option<String> {
    let mut environment = one(value);
    let value = read(&mut environment);
    let error = environment.finish(value).err()?;
    let [problem] = error.problems.as_slice() else {
        panic!("one problem, not {:?}", error.problems);
    };
    Some(problem.message.clone())
}

type EnvironmentOf = Environment<Box<dyn Fn(&str) -> Option<String>>>;

fn one(value: &'static str) -> EnvironmentOf {
    Environment::new(Box::new(move |name: &str| {
        (name == "X").then(|| value.to_owned())
    }))
}

#[test]
fn set_variables_are_read() {
    let mut environment = environment(&[
        ("TEXT", " as it is "),
        ("NUMBER", "7"),
        ("WORD", "closed"),
        ("URL", "https://example.com/prod"),
    ]);
    let settings = (
        environment.text("TEXT"),
        environment.integer("NUMBER", 1..=9),
        environment.choice_or("WORD", &[("open", true), ("closed", false)], true),
        environment.url("URL"),
    );
    assert_eq!(
        environment.finish(settings),
        Ok((
            " as it is ".to_owned(),
            7,
            false,
            "https://example.com/prod".to_owned()
        ))
    );
}

#[test]
fn missing_variables_have_defaults() {
    let mut environment = environment(&[]);
    let settings = (
        environment.text_or("TEXT", "none"),
        environment.optional_text("OTHER"),
        environment.integer_or("NUMBER", 1..=9, 5),
        environment.choice_or("WORD", &[("open", true)], false),
        environment.optional_url("URL"),
    );
    assert_eq!(
        environment.finish(settings),
        Ok(("none".to_owned(), None, 5, false, None))
    );
}

#[test]
fn set_variables_override_defaults() {
    let mut environment = environment(&[("TEXT", "this"), ("NUMBER", "2"), ("URL", "https://a")]);
    let settings = (
        environment.text_or("TEXT", "none"),
        environment.integer_or("NUMBER", 1..=9, 5),
        environment.optional_url("URL"),
    );
    assert_eq!(
        environment.finish(settings),
        Ok(("this".to_owned(), 2, Some("https://a".to_owned())))
    );
}

#[test]
fn all_problems_are_reported_at_once_with_their_variables() {
    let mut environment = environment(&[("NUMBER", "many"), ("WORD", "ajar"), ("EMPTY", "")]);
    environment.text("TEXT");
    environment.integer("NUMBER", 1..=9);
    environment.integer::<u32>("EMPTY", 2..=3);
    environment.choice_or("WORD", &[("open", true), ("closed", false)], true);
    environment.url("URL");
    let error = environment.finish(()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the function's environment variables are invalid: TEXT is not set (a text); \
         NUMBER is \"many\" (an integer from 1 to 9); \
         EMPTY is not set (an integer from 2 to 3); \
         WORD is \"ajar\" (one of open, closed); \
         URL is not set (a URL such as https://example.com; http:// only on loopback)"
    );
}

#[test]
fn empty_and_blank_count_as_missing() {
    for value in ["", "  ", "\n"] {
        assert_eq!(
            problem(value, |e| e.text("X")).as_deref(),
            Some("is not set")
        );
        assert_eq!(one(value).optional_text("X"), None);
    }
}

#[test]
fn a_number_is_whole_and_in_its_range() {
    for right in ["1", "9", "+3", "007"] {
        assert_eq!(problem(right, |e| e.integer("X", 1_u8..=9)), None);
    }
    for wrong in ["0", "10", "-1", "1.5", "1e3", " 5", "5 ", "300", "five"] {
        let expected = Some(format!("is {wrong:?}"));
        assert_eq!(problem(wrong, |e| e.integer("X", 1_u8..=9)), expected);
        assert_eq!(problem(wrong, |e| e.integer_or("X", 1_u8..=9, 1)), expected);
    }
}

#[test]
fn a_choice_ignores_case() {
    for right in ["open", "OPEN", "Open"] {
        let what = problem(right, |e| e.choice_or("X", &[("open", 1)], 0));
        assert_eq!(what, None);
        assert_eq!(one(right).choice_or("X", &[("open", 1)], 0), 1);
    }
}

#[test]
fn a_long_value_is_shortened() {
    let exact = "12345678901234567890123456789012";
    let long = "123456789012345678901234567890123";
    assert_eq!(
        problem(exact, |e| e.integer("X", 1_u8..=9)),
        Some(format!("is {exact:?}"))
    );
    assert_eq!(
        problem(long, |e| e.integer("X", 1_u8..=9)),
        Some(format!("is \"{exact}…\""))
    );
}

#[test]
fn a_url_is_https_or_on_loopback() {
    for right in [
        "https://abc.execute-api.us-east-1.amazonaws.com/prod",
        "https://10.0.0.1",
        "http://localhost:3001/prod",
        "http://127.0.0.1:3001",
        "http://127.3.2.1/x",
        "http://[::1]:3001/x",
    ] {
        assert_eq!(problem(right, |e| e.url("X")), None, "{right}");
        assert_eq!(one(right).optional_url("X").as_deref(), Some(right));
    }
    for (wrong, what) in [
        ("http://example.com", "is a http:// URL"),
        ("http://10.0.0.1", "is a http:// URL"),
        ("http://localhost.example.com", "is a http:// URL"),
        ("ftp://localhost", "is a ftp:// URL"),
        ("example.com/prod", "is not a URL"),
        ("/prod", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://two words", "is not a URL"),
        (
            "https://user:secret@example.com",
            "contains a user name or a password",
        ),
    ] {
        assert_eq!(
            problem(wrong, |e| e.url("X")).as_deref(),
            Some(what),
            "{wrong}"
        );
    }
}

#[test]
fn a_wss_url_is_refused_with_a_hint() {
    for (wrong, scheme) in [
        ("wss://a.execute-api.us-east-1.amazonaws.com/prod", "wss"),
        ("ws://localhost:1", "ws"),
    ] {
        let what = problem(wrong, |e| e.url("X")).unwrap();
        assert_eq!(
            what,
            format!(
                "is a {scheme}:// URL, which is for clients: functions call the same address with https://"
            )
        );
    }
}

#[test]
fn read_names_are_recorded_once_each() {
    let mut environment = environment(&[("A", "1")]);
    environment.url("D");
    environment.text("A");
    environment.optional_text("B");
    environment.integer_or("C", 1..=2, 1);
    environment.text("A");
    assert_eq!(
        environment.names().collect::<Vec<_>>(),
        ["A", "B", "C", "D"]
    );
}

proptest! {
    #[test]
    fn no_value_panics_and_returned_values_are_valid(value in any::<String>()) {
        let lookup = |_: &str| Some(value.clone());
        let mut environment = Environment::new(lookup);
        let read = (environment.integer("N", 3..=5), environment.url("U"));
        if let Ok((number, url)) = environment.finish(read) {
            prop_assert!((3..=5).contains(&number));
            prop_assert!(url.starts_with("http"));
        }
    }

    #[test]
    fn a_number_in_its_range_is_that_number(number in 10_i64..=20) {
        let mut environment = Environment::new(|_: &str| Some(number.to_string()));
        let read = environment.integer("N", 10..=20);
        prop_assert_eq!(environment.finish(read), Ok(number));
    }
}
