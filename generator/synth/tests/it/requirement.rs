//! The version of stackgen that a file requires, and the account and region that it belongs to.

use insta::assert_snapshot;

use super::{errors, load};

#[test]
fn a_file_for_another_version_has_one_error_whatever_else_it_contains() {
    let file = "\
name: s
requires: '>=99.1'
websockets: { name: api, novelty: true }
";
    let shown = errors(file).replace(env!("CARGO_PKG_VERSION"), "[version]");
    assert_snapshot!(shown, @"
    2:11 the file requires stackgen `>=99.1`, and this is [version]
        help: install a version that matches
    ");
}

#[test]
fn a_file_for_this_version_loads_with_its_account_and_region() {
    let project = load(
        "\
name: s
requires: '>=0.1, <99'
functions: { f: { binary: f } }
region: eu-central-1
environments:
  dev: { account: '123456789012' }
  prod: { account: '210987654321', region: us-gov-east-1 }
",
    );
    assert_eq!(project.account("dev"), Some("123456789012"));
    assert_eq!(project.region("dev"), Some("eu-central-1"));
    assert_eq!(project.account("prod"), Some("210987654321"));
    assert_eq!(project.region("prod"), Some("us-gov-east-1"));
}

#[test]
fn versions_accounts_and_regions_have_formats() {
    assert_snapshot!(errors("\
name: s
requires: soon
account: 123456789012
functions: { f: { binary: f } }
environments:
  dev: { account: '1234-5678-9012', region: frankfurt }
  test: { region: eu-central-1 }
  prod: { requires: '>=0.1', account: '123456789012' }
"), @"
    2:11 `soon` is not a requirement for a version (in `dev` and `test`)
        help: write it as in a Cargo.toml: `'>=0.1'`
    3:10 `account` must be a string, not a number (in `test`)
        help: put it in quotes
    6:19 `1234-5678-9012` is not the ID of an AWS account
        help: write its 12 digits in quotes: `'123456789012'`
    6:45 `frankfurt` is not a region
        help: write its code, such as `eu-central-1`
    8:11 an environment cannot change `requires`
        help: move the key to the top of the file: it is about the whole file
    ");
}
