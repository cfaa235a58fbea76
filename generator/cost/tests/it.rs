//! Estimates of loads and stacks.

use insta::assert_snapshot;
use proptest::prelude::*;
use stackgen_cfn::{Sources, parse};
use stackgen_cost::{
    AccountQuotas, Charge, DeclaredLoad, Estimate, Load, LoadTarget, PriceList, appsync_charge,
    charges, quota_uses,
};
use stackgen_model::{Inputs, Model};

const CHAT: &str = "
Metadata:
  Stackgen:
    Load: {Route: send, Listeners: 200, Rate: 2.5, JoinSeconds: 10, Paced: true}
Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: chat, ProtocolType: WEBSOCKET}}
  I:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Chat.Arn}/invocations
  Connect: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: $connect, Target: !Sub 'integrations/${I}'}}
  Disconnect: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: $disconnect, Target: !Sub 'integrations/${I}'}}
  Send: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: send, Target: !Sub 'integrations/${I}'}}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref Api
      StageName: prod
      DefaultRouteSettings: {ThrottlingRateLimit: 1000}
      RouteSettings: {send: {ThrottlingRateLimit: '50'}}
  Chat:
    Type: AWS::Lambda::Function
    Properties: {Handler: index.handler, MemorySize: 256, Timeout: 10, Architectures: [arm64], ReservedConcurrentExecutions: 20}
  Rooms: {Type: AWS::DynamoDB::Table, Properties: {BillingMode: PAY_PER_REQUEST}}
";

fn model(template: &str) -> Model {
    let mut sources = Sources::new();
    let source = sources.add("template.yaml", template);
    let node = parse(source).expect("a template");
    Model::from_template(&node, &Inputs::none())
}

fn stack() -> LoadTarget {
    LoadTarget::new(&model(CHAT), None, Some("send")).expect("facts")
}

fn amount(charges: &[Charge], item: &str) -> f64 {
    let charge = charges.iter().find(|charge| charge.item == item);
    charge.expect("the charge").amount
}

#[test]
fn facts_come_from_the_route_its_function_and_the_stage() {
    let stack = stack();
    let function = stack.function.expect("a function");
    assert_eq!(
        (
            function.memory_mib,
            function.is_arm,
            function.reserved_concurrency
        ),
        (256, true, Some(20))
    );
    assert_eq!(
        (stack.throttle_rate, stack.connect_rate),
        (Some(50.0), Some(1000.0))
    );
    assert_eq!((stack.on_demand_tables, stack.provisioned_tables), (1, 0));
    assert_eq!(stack.handshake_functions.len(), 1);
    assert!(stack.disconnect_function.is_some());
}

#[test]
fn the_declared_load_is_read_from_the_metadata() {
    let declared = DeclaredLoad::read(&model(CHAT).declared_load).expect("a load");
    assert_eq!(declared.route.as_deref(), Some("send"));
    let expected = Load {
        listeners: 200,
        rate: 2.5,
        join_seconds: 10.0,
        paced: true,
        ..Load::default()
    };
    assert_eq!(declared.load, expected);
}

#[test]
fn an_unknown_route_is_an_error_that_names_the_others() {
    let error = LoadTarget::new(&model(CHAT), None, Some("say")).expect_err("no such route");
    assert_snapshot!(error, @"API Api has no route say; it has: $connect, $disconnect, send");
    let error = LoadTarget::new(&model("Resources: {}"), None, None).expect_err("no API");
    assert_snapshot!(error, @"the template has no WebSocket API");
}

/// 5 million answers of 3 KB are 14.3 GB and cost $1.29: the first example on <https://aws.amazon.com/appsync/pricing/>.
#[test]
fn data_transfer_costs_what_an_example_of_aws_says() {
    let load = Load {
        listeners: 1,
        rate: 5e6 / 3600.0,
        size: 3 * 1024,
        hours: 1.0,
        ..Load::default()
    };
    let charges = charges(&load, &stack(), &PriceList::embedded());
    assert_eq!(
        format!("{:.2}", amount(&charges, "to the internet")),
        "1.29"
    );
}

/// 2,500 clients that are connected for 1,500 minutes cost $0.30: the second example on the same page.
#[test]
fn connection_time_of_appsync_costs_what_an_example_of_aws_says() {
    let load = Load {
        senders: 2500,
        hours: 25.0,
        rate: 1e-9,
        connection_minutes: 120.0,
        ..Load::default()
    };
    let prices = PriceList {
        appsync_operations_per_million: 0.0,
        ..PriceList::embedded()
    };
    assert_eq!(format!("{:.2}", appsync_charge(&load, &prices)), "0.30");
}

#[test]
fn a_message_over_32_kib_counts_twice() {
    let charge = |size| {
        let load = Load {
            size,
            ..Load::default()
        };
        amount(
            &charges(&load, &stack(), &PriceList::embedded()),
            "messages",
        )
    };
    assert_eq!(charge(32 * 1024) * 2.0, charge(32 * 1024 + 1));
    assert_eq!(charge(0), charge(1));
}

#[test]
fn messages_beyond_a_billion_cost_the_price_of_the_next_tier() {
    // 1,000 a second for 300 hours are 1.08 billion.
    let load = Load {
        rate: 1000.0,
        hours: 300.0,
        ..Load::default()
    };
    let charges = charges(&load, &stack(), &PriceList::embedded());
    assert_eq!(format!("{:.2}", amount(&charges, "messages")), "1064.00");
}

#[test]
fn smaller_regions_have_a_quarter_of_the_quota() {
    assert_eq!(
        AccountQuotas::of_region("eu-south-1").requests_per_second,
        2500.0
    );
    assert_eq!(AccountQuotas::of_region("eu-south-1").burst, 1250.0);
    assert_eq!(
        AccountQuotas::of_region("eu-west-1").requests_per_second,
        10_000.0
    );
}

#[test]
fn posts_that_are_paced_are_no_burst() {
    let load = Load {
        listeners: 6000,
        rate: 0.1,
        ..Load::default()
    };
    let ids = |load: &Load| -> Vec<&str> {
        let uses = quota_uses(load, &stack(), &AccountQuotas::largest());
        let exceeded = uses.iter().filter(|quota| quota.is_exceeded());
        exceeded.map(|quota| quota.id).collect()
    };
    assert_eq!(
        ids(&Load {
            join_seconds: 600.0,
            ..load
        }),
        ["burst"]
    );
    assert!(
        ids(&Load {
            join_seconds: 600.0,
            paced: true,
            ..load
        })
        .is_empty()
    );
}

/// Returns the most messages a second, and the quota that the next one exceeds.
fn most_messages(load: Load) -> (f64, &'static str) {
    let quotas = AccountQuotas::largest();
    let estimate = Estimate::new(load, stack(), &quotas, &PriceList::embedded());
    let limit = estimate.more_messages.expect("a limit");
    (limit.up_to, limit.quota)
}

#[test]
fn handshakes_leave_the_rest_of_a_functions_concurrency_to_messages() {
    // 200 handshakes a second of 50 ms take 10 of the 20 that are reserved, and a message of a second takes one.
    let load = Load {
        listeners: 199,
        join_seconds: 1.0,
        invocation_millis: 1000.0,
        ..Load::default()
    };
    for rate in [0.01, 9.0, 1000.0] {
        assert_eq!(most_messages(Load { rate, ..load }), (10.0, "concurrency"));
    }
    let more = Load {
        listeners: 399,
        ..load
    };
    assert_eq!(most_messages(more), (0.0, "concurrency"));
}

#[test]
fn a_quota_that_is_exceeded_without_a_message_leaves_none() {
    let load = Load {
        listeners: 6000,
        join_seconds: 600.0,
        ..Load::default()
    };
    assert_eq!(most_messages(load), (0.0, "burst"));
}

#[test]
fn the_end_of_connections_is_charged_and_takes_no_concurrency_while_clients_join() {
    let with = stack();
    let without = LoadTarget {
        disconnect_function: None,
        ..with.clone()
    };
    let (load, quotas) = (Load::default(), AccountQuotas::largest());
    let uses = |stack| quota_uses(&load, stack, &quotas);
    assert_eq!(uses(&with), uses(&without));
    let charged = |stack, item| amount(&charges(&load, stack, &PriceList::embedded()), item);
    for item in ["invocations", "duration", "ingestion"] {
        assert!(charged(&with, item) > charged(&without, item), "{item}");
    }
}

#[test]
fn impossible_loads_are_refused_with_the_key() {
    let error = |load: Load| load.check().expect_err("impossible").to_string();
    assert_snapshot!(error(Load { rate: f64::NAN, ..Load::default() }), @"rate is NaN, and must be above 0");
    assert_snapshot!(error(Load { size: 200_000, ..Load::default() }), @"size is 200000, and must be at most 131072 (row M11)");
    assert_snapshot!(error(Load { hours: 800.0, ..Load::default() }), @"hours is 800, and must be above 0 and at most 744");
    assert_snapshot!(error(Load { write_units: -1.0, ..Load::default() }), @"writeUnits is -1, and must be 0 or more");
}

#[test]
fn a_price_list_is_refused_if_its_tiers_or_prices_make_no_sense() {
    let text = serde_json::to_string(&PriceList::embedded()).expect("JSON");
    assert_eq!(
        PriceList::parse(&text).expect("a list"),
        PriceList::embedded()
    );
    let error = |text: &str| PriceList::parse(text).expect_err("refused").to_string();
    let falling = text.replace("51200.0", "5.0");
    assert_snapshot!(error(&falling), @"the tiers of `transferPerGib` must have rising bounds, and the last tier none");
    let negative = text.replace("\"logsPerGib\":0.5", "\"logsPerGib\":-0.5");
    assert_snapshot!(error(&negative), @"the price list has a price below 0");
    let empty = text.replace("\"transferPerGib\":[", "\"transferPerGib\":[],\"x\":[");
    assert!(PriceList::parse(&empty).is_err());
}

#[test]
fn a_message_above_32_kib_takes_several_frames_and_is_within_the_limit() {
    let load = |size| Load {
        size,
        ..Load::default()
    };
    let frames = |size| load(size).frames_per_message();
    assert_eq!([0, 32_768, 32_769, 131_072].map(frames), [1, 1, 2, 4]);
    let uses = quota_uses(
        &load(131_072),
        &stack(),
        &AccountQuotas::of_region("us-east-1"),
    );
    assert!(uses.iter().all(|usage| !usage.is_exceeded()), "{uses:?}");
}

fn loads() -> impl Strategy<Value = Load> {
    let rates = (1_u32..50, 0_u32..20_000, 0.01_f64..100.0, 0_u32..131_072);
    let times = (
        0.1_f64..744.0,
        1.0_f64..3600.0,
        1.0_f64..120.0,
        1.0_f64..30_000.0,
    );
    (rates, times, any::<bool>()).prop_map(|(rates, times, paced)| Load {
        senders: rates.0,
        listeners: rates.1,
        rate: rates.2,
        size: rates.3,
        hours: times.0,
        join_seconds: times.1,
        connection_minutes: times.2,
        invocation_millis: times.3,
        paced,
        ..Load::default()
    })
}

proptest! {
    #[test]
    fn the_most_listeners_fit_and_one_more_does_not(load in loads()) {
        let quotas = AccountQuotas::of_region("eu-south-1");
        let estimate = Estimate::new(load, stack(), &quotas, &PriceList::embedded());
        let exceeded = |listeners: u32| {
            let load = Load { listeners, ..load };
            quota_uses(&load, &stack(), &quotas).iter().any(|quota| quota.is_exceeded())
        };
        let Some(limit) = estimate.more_listeners else {
            return Err(TestCaseError::fail("a quota limits every number of listeners"));
        };
        let most = limit.up_to as u32;
        prop_assert!(exceeded(most + 1));
        // No listeners at all may be too much, too.
        prop_assert!(most == 0 || !exceeded(most));
    }

    #[test]
    fn the_most_messages_fit_and_more_do_not(load in loads()) {
        let quotas = AccountQuotas::of_region("eu-south-1");
        let estimate = Estimate::new(load, stack(), &quotas, &PriceList::embedded());
        let exceeded = |rate: f64| {
            let load = Load { rate, ..load };
            quota_uses(&load, &stack(), &quotas).iter().any(|quota| quota.is_exceeded())
        };
        let Some(limit) = estimate.more_messages else {
            return Err(TestCaseError::fail("a quota limits every rate"));
        };
        prop_assert!(exceeded(limit.up_to * 1.001 + 0.001), "{limit:?}");
        // Handshakes alone may be too much, too.
        prop_assert!(limit.up_to == 0.0 || !exceeded(limit.up_to), "{limit:?}");
    }

    #[test]
    fn charges_are_never_negative_and_rise_with_the_hours(load in loads()) {
        let total = |load: &Load| {
            let charges = charges(load, &stack(), &PriceList::embedded());
            charges.iter().map(|charge| charge.amount).sum::<f64>()
        };
        let longer = Load { hours: load.hours * 2.0, ..load };
        prop_assert!(total(&load) > 0.0);
        prop_assert!(total(&longer) > total(&load));
    }
}
