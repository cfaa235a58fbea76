use super::*;

const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn request(query: &[&str], authorizations: &[&str], subprotocols: &[&str]) -> ConnectRequest {
    ConnectRequest {
        query_tokens: owned(query),
        authorizations: owned(authorizations),
        subprotocols: owned(subprotocols),
        ..ConnectRequest::default()
    }
}

#[track_caller]
fn found(query: &[&str], authorizations: &[&str], subprotocols: &[&str], token: Option<&str>) {
    let request = request(query, authorizations, subprotocols);
    assert_eq!(find_token(&request), Ok(token));
}

#[track_caller]
fn refused(query: &[&str], authorizations: &[&str], subprotocols: &[&str], error: TokenError) {
    let request = request(query, authorizations, subprotocols);
    assert_eq!(find_token(&request), Err(error));
}

#[test]
fn a_request_without_token_has_none() {
    found(&[], &[], &[], None);
}

#[test]
fn an_empty_token_counts_as_none_everywhere() {
    found(&[""], &[], &[], None);
    found(&["", ""], &[""], &[""], None);
    found(&[], &["Bearer"], &[], None);
    found(&[], &["Bearer "], &[], None);
    found(&[], &["  "], &[], None);
    found(&[], &[], &["bearer"], None);
    found(&[], &[], &["bearer, "], None);
    found(&[], &[], &[" , ,"], None);
}

#[test]
fn the_token_is_found_in_query_header_and_subprotocol() {
    found(&["t"], &[], &[], Some("t"));
    found(&[], &["Bearer t"], &[], Some("t"));
    found(&[], &[], &["bearer, t"], Some("t"));
}

#[test]
fn an_empty_token_does_not_hide_another() {
    found(&["", "t"], &["Bearer"], &["bearer"], Some("t"));
    found(&["t", ""], &[], &[], Some("t"));
}

#[test]
fn bearer_is_parsed_in_any_case_and_with_any_blanks() {
    found(&[], &["bearer t"], &[], Some("t"));
    found(&[], &[" BEARER   t "], &[], Some("t"));
    found(&[], &[], &["Bearer,t"], Some("t"));
    found(&[], &[], &["  bearer ,  t  "], Some("t"));
}

#[test]
fn another_scheme_is_refused() {
    for value in ["Basic YTpi", "t", "Bearert", "Bearer\tt", "Digest"] {
        refused(&[], &[value], &[], TokenError::NotBearer);
        refused(&["t"], &[value], &[], TokenError::NotBearer);
    }
    refused(&[], &["Bearer t", "Basic YTpi"], &[], TokenError::NotBearer);
}

#[test]
fn the_text_after_bearer_is_one_token_with_its_blanks() {
    found(&[], &["Bearer a b"], &[], Some("a b"));
    found(&[], &["Bearer a, Bearer b"], &[], Some("a, Bearer b"));
}

#[test]
fn the_same_token_may_be_sent_several_times() {
    found(
        &["t", "t"],
        &["Bearer t", "Bearer t"],
        &["bearer, t"],
        Some("t"),
    );
}

#[test]
fn different_tokens_are_refused() {
    refused(&["t", "u"], &[], &[], TokenError::Conflicting);
    refused(&[], &["Bearer t", "Bearer u"], &[], TokenError::Conflicting);
    refused(
        &[],
        &[],
        &["bearer, t", "bearer, u"],
        TokenError::Conflicting,
    );
    refused(&["t"], &["Bearer u"], &[], TokenError::Conflicting);
    refused(&["t"], &[], &["bearer, u"], TokenError::Conflicting);
    refused(&[], &["Bearer t"], &["bearer, u"], TokenError::Conflicting);
    refused(&["t", "t", "", "u"], &[], &[], TokenError::Conflicting);
    refused(&["T"], &["Bearer t"], &[], TokenError::Conflicting);
}

#[test]
fn a_subprotocol_that_looks_like_a_jwt_is_never_ignored() {
    found(&[], &[], &[JWT], Some(JWT));
    found(&[], &[], &[&format!("chat.v1, {JWT}")], Some(JWT));
    found(&[], &[], &[&format!("{JWT}, bearer")], Some(JWT));
    refused(
        &[],
        &[],
        &[&format!("bearer, chat.v1, {JWT}")],
        TokenError::Conflicting,
    );
    refused(&["t"], &[], &[JWT], TokenError::Conflicting);
    found(
        &[],
        &[],
        &["eyJhbGciOiJub25lIn0."],
        Some("eyJhbGciOiJub25lIn0."),
    );
}

#[test]
fn other_subprotocols_are_no_tokens() {
    found(&[], &[], &["chat.v1, graphql-ws", "soap.v1.2"], None);
    found(&[], &[], &["eyJhbGciOiJub25lIn0"], None);
    found(&[], &[], &["v1.eyJ.x"], None);
}

#[test]
fn bearer_is_echoed_whenever_it_is_offered() {
    assert_eq!(
        echoed_subprotocol(&format!("bearer, {JWT}")),
        Some("bearer")
    );
    assert_eq!(echoed_subprotocol("chat.v1, bearer, t"), Some("bearer"));
    assert_eq!(
        echoed_subprotocol(&format!("{JWT}, Bearer")),
        Some("Bearer")
    );
}

#[test]
fn without_bearer_the_first_that_is_not_the_token_is_echoed() {
    assert_eq!(
        echoed_subprotocol(&format!("{JWT}, chat.v1, chat.v2")),
        Some("chat.v1")
    );
    assert_eq!(echoed_subprotocol("chat.v1,chat.v2"), Some("chat.v1"));
}

#[test]
fn a_token_is_never_echoed() {
    assert_eq!(echoed_subprotocol(JWT), None);
    assert_eq!(echoed_subprotocol(&format!(" , {JWT} ")), None);
    assert_eq!(echoed_subprotocol(&format!("{JWT}, {JWT}")), None);
}

#[test]
fn nothing_is_echoed_without_an_offer() {
    assert_eq!(echoed_subprotocol(""), None);
    assert_eq!(echoed_subprotocol(" , "), None);
}
