use stackgen_cfn::Node;
use stackgen_model::{LogicalId, Resource};

use super::Edit;

/// Returns edits that add IDs to the `DependsOn` of a resource, or `None` if the resource is not in the file.
pub(crate) fn depend_on(resource: &Resource, ids: &[&LogicalId]) -> Option<Vec<Edit>> {
    let nodes = || ids.iter().map(|id| Node::from(id.as_str()));
    let document = resource.document.as_map()?;
    let Some(entry) = document.entry("DependsOn") else {
        let (_, last) = document.entries().next_back()?;
        last.key_span.file?;
        return Some(vec![Edit::Insert {
            beside: last.key_span,
            key: "DependsOn".to_owned(),
            value: nodes().collect::<Vec<_>>().into(),
        }]);
    };
    let value = entry.node.span;
    value.file?;
    match (entry.node.as_list(), entry.node.as_str()) {
        (Some([.., last]), _) => {
            let beside = last.span;
            let append = |value| Edit::Append { beside, value };
            Some(nodes().map(append).collect())
        }
        (Some([]), _) => {
            let with = nodes().collect::<Vec<_>>().into();
            Some(vec![Edit::Replace { value, with }])
        }
        (None, Some(first)) => {
            let all = std::iter::once(Node::from(first)).chain(nodes());
            let with = all.collect::<Vec<_>>().into();
            Some(vec![Edit::Replace { value, with }])
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use stackgen_model::{Inputs, Model};

    use super::*;

    fn edits(depends_on: &str) -> Option<Vec<Edit>> {
        let text = format!("Resources:\n  One:\n    Type: A\n{depends_on}");
        let mut sources = stackgen_cfn::Sources::new();
        let template = stackgen_cfn::parse(sources.add("t", text)).unwrap();
        let model = Model::from_template(&template, &Inputs::none());
        depend_on(&model.resources["One"], &[&LogicalId::new("Two")])
    }

    fn names(names: &[&str]) -> Node {
        stackgen_cfn::list(names.iter().copied())
    }

    #[test]
    fn depends_on_becomes_a_list_or_grows() {
        let absent = edits("").unwrap();
        assert!(matches!(&absent[..], [Edit::Insert { key, value, .. }]
            if key == "DependsOn" && *value == names(&["Two"])));
        let one = edits("    DependsOn: Three\n").unwrap();
        assert!(
            matches!(&one[..], [Edit::Replace { with, .. }] if *with == names(&["Three", "Two"]))
        );
        let empty = edits("    DependsOn: []\n").unwrap();
        assert!(matches!(&empty[..], [Edit::Replace { with, .. }] if *with == names(&["Two"])));
        let list = edits("    DependsOn: [Three]\n").unwrap();
        assert!(matches!(&list[..], [Edit::Append { value, .. }] if *value == Node::from("Two")));
        assert_eq!(edits("    DependsOn: {}\n"), None);
    }
}
