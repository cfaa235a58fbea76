use std::collections::HashMap;

use super::*;
use crate::EnvironmentError;

fn read(more: &[(&'static str, &'static str)]) -> Result<AwsSettings, EnvironmentError> {
    let set = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
        ("AWS_SESSION_TOKEN", "token"),
    ];
    let variables: HashMap<_, _> = set.into_iter().chain(more.iter().copied()).collect();
    let lookup = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let mut environment = Environment::new(lookup);
    let settings = AwsSettings::read(&mut environment);
    environment.finish(settings)
}

/// Returns `AWS_ENDPOINT_URL`, as a service's client reads it.
fn endpoint(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url");
    let own = config.service_config()?.load_config(key.build().unwrap());
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

#[test]
fn region_and_credentials_come_from_lambda() {
    let settings = read(&[]).unwrap();
    let config = settings.sdk_config();
    assert_eq!(config.region(), Some(&Region::new("eu-central-1")));
    assert_eq!(settings.credentials.access_key_id(), "AKIAIOSFODNN7EXAMPLE");
    assert_eq!(settings.credentials.session_token(), Some("token"));
    assert_eq!(endpoint(&config, "DynamoDB"), None);
}

#[test]
fn endpoints_can_be_set_for_all_services_or_for_one() {
    let all = read(&[("AWS_ENDPOINT_URL", "http://localhost:1")]).unwrap();
    let config = all.sdk_config();
    for service in ["DynamoDB", "Lambda"] {
        let url = endpoint(&config, service);
        assert_eq!(url.as_deref(), Some("http://localhost:1"));
    }
    let each = read(&[
        ("AWS_ENDPOINT_URL", "http://localhost:1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:2"),
        ("AWS_ENDPOINT_URL_LAMBDA", "http://localhost:3"),
    ]);
    let config = each.unwrap().sdk_config();
    for (service, url) in [
        ("DynamoDB", "http://localhost:2"),
        ("Lambda", "http://localhost:3"),
        ("S3", "http://localhost:1"),
    ] {
        assert_eq!(endpoint(&config, service).as_deref(), Some(url));
    }
}

#[test]
fn secrets_are_in_no_debug_output() {
    let settings = read(&[]).unwrap();
    let text = format!("{settings:?} {:?}", settings.sdk_config());
    assert!(!text.contains("wJalrXUtnFEMI"), "{text}");
}
