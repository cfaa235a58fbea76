//! Functions of `stackgen dev` on a machine that reaches the internet through a proxy.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use serde_json::json;
use stackgen_test_tools::on_path;

use crate::common::Sandbox;
use crate::foreign_code::invoke;
use crate::running::Dev;

const TEMPLATE: &str = r#"
Resources:
  Fetch:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: fetch
      Runtime: python3.13
      Handler: index.handler
      Role: arn:aws:iam::123456789012:role/fetch
      Code:
        ZipFile: |
          import os, urllib.request

          def handler(event, context):
              page = urllib.request.urlopen("http://page.example/article").read().decode()
              return {"page": page, "excepted": os.environ["no_proxy"].split(",")}
"#;

/// Answers every request with its first line, as a proxy that caches would answer with a page.
fn proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap());
        }
    });
    url
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    lines.find(|line| line.as_ref().unwrap().is_empty());
    let length = first.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{first}"
    )
    .unwrap();
}

#[test]
fn functions_reach_the_internet_through_the_proxy_of_the_machine() {
    if on_path("python3").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("template.yaml", TEMPLATE);
    let proxy = proxy();
    let variables = [
        ("HTTP_PROXY", Path::new(&proxy)),
        ("NO_PROXY", Path::new("intranet.example")),
    ];
    let mut dev = Dev::spawn(
        sandbox,
        &["template.yaml", "--json", "--no-watch"],
        &variables,
    );
    dev.ready = dev.event("ready");
    assert_eq!(
        invoke(&dev, "fetch"),
        json!({
            "page": "GET http://page.example/article HTTP/1.1",
            "excepted": ["intranet.example", "localhost", "127.0.0.1", "::1", ".amazonaws.com", ".amazonaws.com.cn"],
        })
    );
}
