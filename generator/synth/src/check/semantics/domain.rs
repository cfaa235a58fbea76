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
        self.domain_owner(api, domain);
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

    /// Checks the keys that belong to a domain name which the stack creates.
    fn domain_owner(&mut self, api: &str, domain: &DomainSpec) {
        let path = [api, "domain", "certificateArn"];
        match &domain.certificate_arn {
            Some(arn) if !domain.existing => self.arn(&path, &arn.0),
            None if !domain.existing => {
                let span = self.spans.key(&[api, "domain"]);
                let error = LocatedError::new(span, "`domain` has no `certificateArn`");
                self.report(error.hint(
                    "add the ARN of an ACM certificate in this region, or `existing: true` if the domain name exists \
                     already",
                ));
            }
            _ => {}
        }
        let given = [
            ("certificateArn", domain.certificate_arn.is_some()),
            ("hostedZoneId", domain.hosted_zone_id.is_some()),
        ];
        for (key, is_given) in given {
            if domain.existing && is_given {
                let span = self.spans.key(&[api, "domain", key]);
                let message = format!("`{key}` cannot be used with `existing: true`");
                self.report(LocatedError::new(span, message).hint(
                    "remove the key: whoever created the domain name has its certificate and DNS record",
                ));
            }
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
