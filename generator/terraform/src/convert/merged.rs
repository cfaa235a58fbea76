//! Resources that are part of others in CloudFormation.

use std::rc::Rc;

use super::TemplateConverter;
use super::properties::ResourceProperties;
use crate::evaluate::ResourceInstance;

impl TemplateConverter<'_, '_> {
    /// Adds the value of a secret.
    pub(super) fn secret(
        &self,
        secret: &Rc<ResourceInstance>,
        properties: &mut ResourceProperties<'_, '_>,
    ) {
        let versions = self
            .resources
            .iter()
            .filter(|one| one.kind == "aws_secretsmanager_secret_version");
        let mut versions = versions.filter(|one| {
            one.attributes
                .get("secret_id")
                .is_some_and(|it| self.names(it, secret))
        });
        let value = versions.next().and_then(|version| {
            let span = version
                .spans
                .get("secret_string")
                .copied()
                .unwrap_or(version.span);
            self.node(version.attributes.get("secret_string")?, span)
        });
        if let Some(value) = value {
            properties.set("SecretString", "", value);
        }
    }
}
