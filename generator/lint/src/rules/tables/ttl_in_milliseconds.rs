use stackgen_model::{Integration, Resolved, Table, Text};

use crate::context::RuleContext;
use crate::facts::mapping_template;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A mapping template writes milliseconds into the attribute with the expiry time.
    ///
    /// ## Why it hurts
    ///
    /// DynamoDB reads the attribute as seconds since 1970, and `$context.requestTimeEpoch` and `$context.connectedAt`
    /// are in milliseconds (row E0). The expiry time is then tens of thousands of years away, and no item ever expires.
    /// Nothing fails: records of closed connections stay, and every broadcast posts to them (row K4).
    ///
    /// ## How to fix it
    ///
    /// Divide by 1000 before you add seconds: `#set($ttl = $context.requestTimeEpoch / 1000 + 7200)`.
    id: "SG518",
    name: "ttl-in-milliseconds",
    severity: Error,
    confidence: Medium,
    rows: ["E0", "K4"],
    fixable: false,
    example: "tables/ttl_in_milliseconds.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let expiring: Vec<(&Table, &str)> = context
        .model
        .tables
        .iter()
        .filter_map(|table| Some((table, table.ttl_attribute.as_ref()?.as_literal()?)))
        .collect();
    let integrations = context.websockets().flat_map(|api| &api.integrations);
    integrations
        .filter(|_| !expiring.is_empty())
        .flat_map(|integration| check_integration(integration, &expiring))
        .collect()
}

fn check_integration(integration: &Integration, expiring: &[(&Table, &str)]) -> Vec<Finding> {
    let templates = integration.resource.properties.get("RequestTemplates");
    let templates = templates.and_then(Resolved::as_map).into_iter().flatten();
    let finding = |(key, template): (&String, &Resolved)| {
        let text = template.to_text()?;
        let code = text.to_string();
        let (table, attribute) = expiring.iter().find(|(table, attribute)| {
            names_table(&text, table) && mapping_template::writes_milliseconds(&code, attribute)
        })?;
        let id = &table.resource.logical_id;
        let message = format!(
            "{} writes milliseconds into `{attribute}` of {id}, which expects seconds: items never expire",
            integration.resource.logical_id
        );
        let location = Location::of(&integration.resource, &["RequestTemplates", key]);
        let path = ["TimeToLiveSpecification", "AttributeName"];
        Some(
            Finding::new(&RULE, location, message)
                .related(Location::of(&table.resource, &path), "the expiry time")
                .hint("divide `$context.requestTimeEpoch` by 1000"),
        )
    };
    templates.filter_map(finding).collect()
}

/// Returns true if a mapping template names a table by reference or by its literal name.
fn names_table(template: &Text, table: &Table) -> bool {
    let id = &table.resource.logical_id;
    let name = table.name.as_ref().and_then(Text::as_literal);
    template.references().any(|it| it.logical_id == *id)
        || name.is_some_and(|name| template.to_string().contains(&format!("\"{name}\"")))
}
