//! The order of keys in stackgen.yaml does not change the template.

use proptest::prelude::*;
use stackgen_cfn::{Map, Node, Sources, Value, emit, parse};

use super::generate::spec;
use super::{STARTERS, load, render};

/// Returns the same document with the keys of every mapping in another order.
fn shuffled(node: &Node, random: &mut impl FnMut() -> u64) -> Node {
    match &node.value {
        Value::Map(map) => {
            let mut entries: Vec<(u64, &str, &Node)> = map
                .iter()
                .map(|(key, node)| (random(), key, node))
                .collect();
            entries.sort_by_key(|(rank, _, _)| *rank);
            entries
                .into_iter()
                .map(|(_, key, node)| (key, shuffled(node, random)))
                .collect::<Map>()
                .into()
        }
        Value::List(items) => Node::new(Value::List(
            items.iter().map(|item| shuffled(item, random)).collect(),
        )),
        other => Node::new(other.clone()),
    }
}

fn shuffle(text: &str, seed: u64) -> String {
    let mut sources = Sources::new();
    let document = parse(sources.add("stackgen.yaml", text)).unwrap();
    let mut state = seed | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    emit::yaml(&shuffled(&document, &mut random))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn permuting_the_keys_of_a_generated_file_changes_no_byte(spec in spec(), seed in any::<u64>()) {
        let text = spec.yaml();
        prop_assert_eq!(emit::yaml(&render(&text, "dev")), emit::yaml(&render(&shuffle(&text, seed), "dev")));
    }

    #[test]
    fn permuting_the_keys_of_a_starter_changes_no_byte(seed in any::<u64>()) {
        let everything = ("everything", include_str!("everything.yaml"));
        for (name, text) in STARTERS.into_iter().chain([everything]) {
            let permuted = shuffle(text, seed);
            for environment in load(text).environments() {
                prop_assert_eq!(emit::yaml(&render(text, environment)), emit::yaml(&render(&permuted, environment)), "{}", name);
            }
        }
    }
}
