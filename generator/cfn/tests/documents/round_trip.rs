//! Written documents parse to equal documents.

use proptest::prelude::*;
use stackgen_cfn::emit::Quotes;
use stackgen_cfn::json::{from_json, to_json};
use stackgen_cfn::{Map, Node, emit};

use crate::generate;
use crate::parse;

/// Compares nodes including the order of keys, which equality of nodes ignores.
fn assert_same(read: &Node, written: &Node) -> Result<(), TestCaseError> {
    prop_assert_eq!(read, written);
    prop_assert_eq!(to_json(read).to_string(), to_json(written).to_string());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn yaml_round_trips(node in generate::node()) {
        let text = emit::yaml(&node);
        match parse(&text) {
            Ok(read) => assert_same(&read, &node)?,
            Err(errors) => prop_assert!(false, "{text}\n{errors:?}"),
        }
    }

    #[test]
    fn json_round_trips(node in generate::node()) {
        let root = Node::from(Map::from_iter([("Root", node)]));
        let text = emit::json(&root);
        match parse(&text) {
            Ok(read) => assert_same(&read, &root)?,
            Err(errors) => prop_assert!(false, "{text}\n{errors:?}"),
        }
    }

    #[test]
    fn a_part_round_trips_in_another_document(node in generate::node(), text in generate::text()) {
        let root = Node::from(Map::from_iter([("a", Node::from(vec![node.clone()])), ("b", node.clone())]));
        let dash = emit::after_dash(&node, 4);
        let key = emit::after_key(&node, 5);
        let line = emit::yaml_line(&node);
        let json = emit::json_line(&node);
        for written in [
            format!("a:\n  -{dash}\nb:{key}\n"),
            format!("a: [{line}]\nb: {line} # {line}\n"),
            format!("{{a: [{line}], b: {line}}}"),
            format!("{{\"a\": [{json}], \"b\": {json}}}"),
        ] {
            prop_assert_eq!(parse(&written), Ok(root.clone()), "{}", written);
        }
        for quotes in [Quotes::AsNeeded, Quotes::AsNeededInFlow, Quotes::Single, Quotes::Double] {
            let written = emit::string(&text, quotes);
            prop_assert_eq!(parse(&written), Ok(Node::from(text.as_str())), "{}", written);
        }
    }

    #[test]
    fn json_values_round_trip(node in generate::node()) {
        assert_same(&from_json(&to_json(&node)), &node)?;
    }

    #[test]
    fn a_long_key_round_trips(length in 900..1200usize, end in generate::text()) {
        let node = Node::from(Map::from_iter([("k".repeat(length) + &end, Map::from_iter([("a", true)]))]));
        let list = Node::from(vec![node]);
        prop_assert_eq!(parse(&emit::yaml(&list)), Ok(list));
    }
}
