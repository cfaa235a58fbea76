use super::*;

#[test]
fn an_issuer_is_an_https_url_or_on_loopback() {
    for issuer in [
        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE",
        "https://tenant.auth0.com/",
        "https://localhost:8443",
    ] {
        assert_eq!(is_local(issuer), Ok(false), "{issuer}");
    }
    for issuer in [
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:1/realm",
    ] {
        assert_eq!(is_local(issuer), Ok(true), "{issuer}");
    }
    for (issuer, problem) in [
        ("", "is not a URL"),
        ("not a url", "is not a URL"),
        ("/path", "is not a URL"),
        ("http://issuer.example", "is not an https:// URL"),
        (
            "http://127.0.0.1.attacker.example",
            "is not an https:// URL",
        ),
        ("ftp://127.0.0.1", "is not an https:// URL"),
        ("issuer.example", "is not an https:// URL"),
        (
            "https://user:secret@issuer.example",
            "has parts other than host, port and path",
        ),
        (
            "https://issuer.example/?x",
            "has parts other than host, port and path",
        ),
        (
            "https://issuer.example/#x",
            "has parts other than host, port and path",
        ),
    ] {
        assert_eq!(is_local(issuer), Err(problem), "{issuer}");
        let error = OidcKeys::new(issuer).expect_err(issuer);
        assert_eq!(error.problem, problem);
        assert_eq!(error.issuer, issuer);
    }
}

#[test]
fn keys_are_fetched_over_https_or_on_loopback_with_the_issuer() {
    for issuer_is_local in [true, false] {
        assert!(is_trusted("https://keys.example/jwks", issuer_is_local));
        assert!(!is_trusted("http://keys.example/jwks", issuer_is_local));
        assert!(!is_trusted("", issuer_is_local));
    }
    assert!(is_trusted("http://127.0.0.1/jwks", true));
    assert!(!is_trusted("http://127.0.0.1/jwks", false));
}

#[test]
fn the_client_is_loaded_at_the_start_without_a_fetch() {
    let keys = OidcKeys::new("https://issuer.example").unwrap();
    // Nobody fetches, so only the thread of the start creates the client.
    while keys.client.client.lock().unwrap().is_none() {
        std::thread::yield_now();
    }
    assert_eq!(keys.timeout, Duration::from_secs(3));
}

#[test]
fn an_error_contains_its_causes() {
    #[derive(Debug, Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);
    let error = Outer(io::Error::other("inner"));
    assert_eq!(with_causes(&error), "outer: inner");
}
