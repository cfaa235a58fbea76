use stackgen_cfn::Node;
use stackgen_model::{LogicalId, Resource};

use super::Edit;

/// More ids in the `DependsOn` of a resource; `None` where it does not stand in the file.
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
