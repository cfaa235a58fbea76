//! `stackgen cost`

use insta::assert_snapshot;

use crate::common::Sandbox;

#[test]
fn a_load_is_compared_with_quotas_and_priced() {
    let sandbox = Sandbox::starter("chat");
    assert_snapshot!(sandbox.run("cost --env prod --route sendMessage --listeners 500 --rate 4 --size 24000 --hours 100 --paced"), @"
    exit 0
    --- stdout
    WebSocketApi in us-east-1: 1 sender, 500 listeners each, 4 messages a second of 24,000 bytes, 100 hours a month
    Messages go to route sendMessage, which invokes ChatHandlerFunction (256 MiB, arm64).

    Requests per second
      messages received                           4
      posts to connections                    2,000
      handshakes, while clients join           8.35

    Quotas and limits
       20%  requests of the account (L5): 2,004 of 10,000 per second
       18%  size of a message (M11): 24,000 of 131,072 bytes
        2%  new connections of the account (L6): 8.35 of 500 per second
        2%  reads of one partition: 50 of 3,000 per second
        1%  timeout of ChatHandlerFunction: 0.1 of 10 seconds
       <1%  throttle of $connect (L5): 8.35 of 1,000 per second
       <1%  throttle of route sendMessage (L5): 4 of 1,000 per second
       <1%  writes of one partition: 4 of 1,000 per second
       <1%  concurrent invocations of the account: 1.23 of 1,000 at once

    What fails first
      Up to 2,499 listeners at 4 messages a second; then the first limit is: requests of the account
      Up to 19.96 messages a second with 500 listeners; then the first limit is: requests of the account

    Charges a month, in USD
      API Gateway, messages                   721.44 million messages of up to 32 KiB         721.44
      API Gateway, connection time                               3.01 million minutes           0.75
      Data transfer, to the internet                                       16,093 GiB       1,419.13
      Lambda, invocations                                    1.59 million invocations           0.32
      Lambda, duration                                             37,879 GiB seconds           0.51
      DynamoDB, reads                                           18 million read units           2.25
      DynamoDB, writes                                       1.54 million write units           0.96
      CloudWatch Logs, ingestion                                             1.31 GiB           0.66
      Total                                                                                 2,146.01
      AppSync Events would charge 3,607.49 for the messages and connections, in place of the first two
      lines and of the function that posts.

    Assumptions
      - prices of us-east-1 from 2026-09-20, without free tiers and discounts; `--prices` takes those of
        another Region
      - a message takes 1 invocation of 100 ms and 500 bytes of logs each (`--invocations`,
        `--duration`, `--log-bytes`)
      - a message needs 12.5 read units and 1 write unit of DynamoDB (`--read-units`, `--write-units`)
      - connections last 60 minutes, and all clients connect within 60 seconds (`--connection-time`,
        `--join-within`)
      - other APIs of the account send nothing; they share its quotas
      - storage, KMS keys, alarms and dashboards are not included
    --- stderr
    look up a row: stackgen explain L5
    ");
}

#[test]
fn a_load_above_a_quota_exits_with_3_and_says_what_to_do() {
    let sandbox = Sandbox::starter("chat");
    let output = sandbox.run("cost --env prod --listeners 2000 --rate 4 --region eu-south-1");
    let quotas: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| line.contains('%') || line.starts_with("     "))
        .collect();
    assert_eq!(output.code, Some(3));
    assert_snapshot!(quotas[..4].join("\n"), @"
    320%  requests of the account (L5): 8,004 of 2,500 per second
          send fewer and larger messages, or raise the quota in Service Quotas
    160%  posts of one message against the account's burst (L5): 2,000 of 1,250 at once
          spread the posts of a message over the time until the next one
    ");
}

#[test]
fn a_raised_quota_is_respected() {
    let sandbox = Sandbox::starter("chat");
    let output =
        sandbox.run("cost --env prod --listeners 2000 --rate 9 --paced --quota 20000 --hours 1");
    assert_eq!(output.code, Some(0), "{output}");
}

#[test]
fn a_declared_load_is_used_by_cost_and_by_the_linter() {
    let sandbox = Sandbox::starter("echo");
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write(
        "stackgen.yaml",
        format!("{spec}\nload: {{ listeners: 500, rate: 50, paced: true }}\n"),
    );
    let output = sandbox.run("cost --json");
    assert_eq!(output.code, Some(3), "{output}");
    assert_eq!(output.json()["requests"]["posts"], 25_000.0);
    let output = sandbox.run("cost --rate 1 --json");
    assert_eq!(output.json()["requests"]["posts"], 500.0);
    assert_snapshot!(sandbox.run("synth"), @"
    exit 0
    --- stdout
    wrote     out/dev/template.yaml  10 resources
    --- stderr
    warning[SG606]: the declared load exceeds the requests of the account: 25050 of 10000 per second
      --> out/dev/template.yaml:61:3
       |
    61 |   WebSocketApi:
       |   ^^^^^^^^^^^^
       |
       = note: rule load-above-quota; rows L5, L6, M11 of the API Gateway reference
       = help: send fewer and larger messages, or raise the quota in Service Quotas
    look up a rule: stackgen explain SG606
    ");
}

#[test]
fn a_load_without_its_route_or_api_is_an_error() {
    let sandbox = Sandbox::starter("echo");
    let spec = sandbox.read("stackgen.yaml");
    sandbox.write(
        "stackgen.yaml",
        format!("{spec}\nload: {{ route: say, connectionTime: 3h, rate: 0 }}\n"),
    );
    assert_snapshot!(sandbox.run("synth"), @"
    exit 2
    --- stderr
    error: there is no route `say`
      --> stackgen.yaml:29:16
       |
    29 | load: { route: say, connectionTime: 3h, rate: 0 }
       |                ^^^
       |
       = help: use `$default`

    error: a connection lasts at most two hours
      --> stackgen.yaml:29:37
       |
    29 | load: { route: say, connectionTime: 3h, rate: 0 }
       |                                     ^^
       |
       = note: row M14 of the API Gateway reference
       = help: write `2h` or less

    error: `rate` is 0; it must be more than 0
      --> stackgen.yaml:29:47
       |
    29 | load: { route: say, connectionTime: 3h, rate: 0 }
       |                                               ^

    3 errors in stackgen.yaml
    look up a row: stackgen explain M14
    ");
}

#[test]
fn without_a_load_it_says_how_to_give_one() {
    assert_snapshot!(Sandbox::starter("echo").run("cost"), @"
    exit 2
    --- stderr
    error: the load is unknown
    help: add `load` to stackgen.yaml, or give at least `--listeners` and `--rate`, and see `stackgen cost --help` for the rest
    ");
}

#[test]
fn bad_values_are_refused() {
    let sandbox = Sandbox::starter("echo");
    assert_snapshot!(sandbox.run("cost --rate 0"), @"
    exit 2
    --- stderr
    error: invalid value '0' for '--rate <MESSAGES>': write a number above 0

    For more information, try '--help'.
    ");
    assert_snapshot!(sandbox.run("cost --listeners 5 --size 200000"), @"
    exit 2
    --- stderr
    error: the load is impossible: size is 200000, and must be at most 131072 (row M11)
    look up a row: stackgen explain M11
    ");
    assert_snapshot!(sandbox.run("cost --listeners 5 --route say"), @"
    exit 2
    --- stderr
    error: API WebSocketApi has no route say; it has: $default
    ");
    assert_snapshot!(sandbox.run("cost --listeners 5 --prices missing.json"), @"
    exit 2
    --- stderr
    error: cannot read missing.json: no such file or directory
    ");
    sandbox.write("prices.json", "{}");
    assert_snapshot!(sandbox.run("cost --listeners 5 --prices prices.json"), @"
    exit 2
    --- stderr
    error: prices.json: the price list cannot be read: missing field `region` at line 1 column 2
    help: `stackgen cost --json` prints a complete list as `prices`
    ");
}

#[test]
fn the_prices_that_json_prints_can_be_given_back() {
    let sandbox = Sandbox::starter("echo");
    let output = sandbox.run("cost --listeners 5 --rate 1 --json");
    let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let mut prices = report["prices"].clone();
    prices["region"] = "eu-west-1".into();
    prices["websocketMinutesPerMillion"] = 1000.0.into();
    sandbox.write("prices.json", prices.to_string());
    let output = sandbox.run("cost --listeners 5 --rate 1 --json --prices prices.json");
    let other: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    let total = |report: &serde_json::Value| report["total"].as_f64().expect("a number");
    assert!(total(&other) > total(&report) * 2.0);
    assert_eq!(other["prices"]["region"], "eu-west-1");
}
