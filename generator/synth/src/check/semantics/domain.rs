//! Custom domain names.

use stackgen_cfn::Node;

use super::SpecChecker;
use crate::LocatedError;
use crate::spec::DomainSpec;

impl SpecChecker<'_> {
    pub(super) fn domain(&mut self, api: &str, domain: &DomainSpec) {
        if let Some(name) = domain.name.0.as_str()
            && !is_domain_name(name)
        {
            let span = self.spans.value(&[api, "domain", "name"]);
            let error = LocatedError::new(span, format!("`{name}` is not a valid domain name"));
            self.report(error.hint(
                "use lower-case letters, digits and `-`, separated by dots, such as `ws.example.com`",
            ));
        }
        self.arn(
            &[api, "domain", "certificateArn"],
            &domain.certificate_arn.0,
        );
        if let Some(key) = &domain.mapping_key
            && !is_mapping_key(key)
        {
            let span = self.spans.value(&[api, "domain", "mappingKey"]);
            let error = LocatedError::new(span, format!("`{key}` is not a valid mapping key"));
            self.report(error.hint(
                "write the path under the domain without a leading `/`, with letters, digits and `$-_.+!*'()/`, such \
                 as `v1`",
            ));
        }
    }

    /// Checks that a literal value is an ARN.
    pub(super) fn arn(&mut self, path: &[&str], value: &Node) {
        let fits = match value.as_str() {
            Some(text) => text.starts_with("arn:"),
            None => value.as_call().is_some(),
        };
        if !fits {
            let name = path.last().copied().unwrap_or_default();
            let error =
                LocatedError::new(self.spans.value(path), format!("`{name}` is not an ARN"));
            self.report(
                error.hint(
                    "begin with `arn:`, or use an intrinsic function such as `!GetAtt Key.Arn`",
                ),
            );
        }
    }
}

fn is_domain_name(name: &str) -> bool {
    let own = name.strip_prefix("*.").unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    name.len() <= 253 && own.contains('.') && own.split('.').all(is_label)
}

fn is_mapping_key(key: &str) -> bool {
    !key.is_empty()
        && !key.starts_with('/')
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "$-_.+!*'()/".contains(c))
}
