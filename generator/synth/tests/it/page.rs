//! `page`: the folder of the web page. It renders nothing.

use insta::assert_snapshot;
use stackgen_cfn::emit;

use super::{errors, load, render};

const STACK: &str = "name: s
functions: { f: { binary: f } }
websocket: { name: api, routes: { $default: f } }
environments: { dev: {}, prod: { page: site/dist } }
";

fn with_page(page: &str) -> String {
    format!("{STACK}page: {page}\n")
}

#[test]
fn an_environment_can_have_a_page_of_its_own() {
    let stack = load(&with_page("web"));
    assert_eq!(stack.page("dev"), Some("web"));
    assert_eq!(stack.page("prod"), Some("site/dist"));
    assert_eq!(load(STACK).page("dev"), None);
}

#[test]
fn a_page_renders_nothing() {
    for environment in ["dev", "prod"] {
        let rendered = |text: &str| emit::yaml(&render(text, environment));
        assert_eq!(rendered(&with_page("web")), rendered(STACK));
    }
}

#[test]
fn a_page_is_the_path_of_a_folder_relative_to_the_file() {
    assert_eq!(errors(&with_page("../site")), "");
    assert_snapshot!(errors(&with_page("/srv/www")), @"
    5:7 `/srv/www` is not a path relative to this file (in `dev`)
        help: separate folders with `/`, and do not begin with one
    ");
    assert_snapshot!(errors(&with_page("https://example.com")), @"
    5:7 `https://example.com` is not a path relative to this file (in `dev`)
        help: separate folders with `/`, and do not begin with one
    ");
}

#[test]
fn other_names_of_the_key_lead_to_it() {
    assert_snapshot!(errors(&format!("{STACK}frontend: web\n")), @"
    5:1 unknown key `frontend` at the top of the file
        help: write `page: web` for the folder of the web page that `stackgen dev` serves
    ");
}
