//! Decides which resources CloudFormation creates before others.

use stackgen_model::{LogicalId, Model, Piece, Resolved, Resource, Text, Unknown};

/// Direct dependencies of every resource: its `DependsOn` and its references.
pub(crate) struct CreationOrder<'m> {
    model: &'m Model,
    /// Indexes of the resources in the model.
    edges: Vec<Vec<usize>>,
}

/// Direct and indirect dependencies of some resources.
pub(crate) struct CreationDependencies<'m> {
    model: &'m Model,
    seen: Vec<bool>,
}

impl<'m> CreationOrder<'m> {
    pub(crate) fn of(model: &'m Model) -> Self {
        let edges = model.resources.values().map(|resource| {
            let mut edges = Vec::new();
            let mut refers = |id: &str| edges.extend(model.resources.get_index_of(id));
            resource
                .depends_on
                .iter()
                .for_each(|id| refers(id.as_str()));
            visit_references(&resource.properties, &mut refers);
            edges
        });
        CreationOrder {
            model,
            edges: edges.collect(),
        }
    }

    /// Returns the dependencies of some resources.
    pub(crate) fn dependencies<'r>(
        &self,
        from: impl IntoIterator<Item = &'r Resource>,
    ) -> CreationDependencies<'m> {
        let mut seen = vec![false; self.edges.len()];
        let from = from.into_iter().map(|resource| &resource.logical_id);
        let mut open: Vec<usize> = from
            .filter_map(|id| self.model.resources.get_index_of(id))
            .collect();
        while let Some(index) = open.pop() {
            for &next in &self.edges[index] {
                if !std::mem::replace(&mut seen[next], true) {
                    open.push(next);
                }
            }
        }
        CreationDependencies {
            model: self.model,
            seen,
        }
    }
}

impl CreationDependencies<'_> {
    /// Returns true if a resource is one of the dependencies.
    pub(crate) fn has(&self, id: &LogicalId) -> bool {
        let index = self.model.resources.get_index_of(id);
        index.is_some_and(|index| self.seen[index])
    }
}

/// Calls a function for every name that a value refers to, and for every word of an unknown value, because a condition
/// may make it a reference.
pub(crate) fn visit_references(value: &Resolved, refers: &mut impl FnMut(&str)) {
    match value {
        Resolved::Text(text) => of_text(text, refers),
        Resolved::List(items) => items.iter().for_each(|item| visit_references(item, refers)),
        Resolved::Map(map) => map.values().for_each(|item| visit_references(item, refers)),
        Resolved::Unknown(unknown) => of_unknown(unknown, refers),
        Resolved::Null | Resolved::Bool(_) | Resolved::Int(_) | Resolved::Float(_) => {}
    }
}

fn of_text(text: &Text, refers: &mut impl FnMut(&str)) {
    for piece in text.pieces() {
        match piece {
            Piece::Reference(reference) => refers(reference.logical_id.as_str()),
            Piece::Unknown(unknown) => of_unknown(unknown, refers),
            Piece::Literal(_) | Piece::Pseudo(_) => {}
        }
    }
}

fn of_unknown(unknown: &Unknown, refers: &mut impl FnMut(&str)) {
    let words = unknown
        .expression
        .split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).for_each(refers);
}

#[cfg(test)]
mod tests {
    use stackgen_model::Inputs;

    use super::*;

    fn awaits(template: &str, from: &str, to: &str) -> bool {
        let mut sources = stackgen_cfn::Sources::new();
        let template = stackgen_cfn::parse(sources.add("t", template)).unwrap();
        let model = Model::from_template(&template, &Inputs::none());
        let order = CreationOrder::of(&model);
        let from = &model.resources[from];
        order.dependencies([&**from]).has(&LogicalId::new(to))
    }

    const TEMPLATE: &str = "
Conditions: {Big: !Equals [!Ref AWS::Region, eu-west-1]}
Resources:
  First: {Type: A}
  Second: {Type: A, DependsOn: First}
  Third: {Type: A, DependsOn: [Second]}
  Fourth: {Type: A, Properties: {Name: !Sub 'x-${Third}'}}
  Fifth: {Type: A, Properties: {Name: !If [Big, !GetAtt Fourth.Arn, none]}}
  Circle: {Type: A, DependsOn: Round}
  Round: {Type: A, DependsOn: Circle}
";

    #[test]
    fn dependencies_are_transitive() {
        assert!(awaits(TEMPLATE, "Third", "First"));
        assert!(awaits(TEMPLATE, "Fourth", "First"));
        assert!(awaits(TEMPLATE, "Fifth", "First"));
        assert!(!awaits(TEMPLATE, "First", "Third"));
        assert!(!awaits(TEMPLATE, "First", "First"));
        assert!(!awaits(TEMPLATE, "First", "Nothing"));
    }

    #[test]
    fn a_circular_dependency_terminates() {
        assert!(awaits(TEMPLATE, "Circle", "Circle"));
    }
}
