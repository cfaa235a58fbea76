//! Lambda functions, versions, aliases and permissions.

use super::{Reader, texts};
use crate::function::{Alias, Function, Permission, Version};
use crate::{FunctionLink, OrderedMap, Resolved, Setting};

impl Reader<'_> {
    pub(super) fn functions(&self) -> Vec<Function> {
        let functions = self.of_type("AWS::Lambda::Function").map(|resource| {
            let properties = &resource.properties;
            Function {
                resource: resource.clone(),
                name: properties.text("FunctionName"),
                runtime: properties.text("Runtime"),
                handler: properties.text("Handler"),
                architecture: texts(properties.get("Architectures")).into_iter().next(),
                code: properties.get("Code").cloned(),
                environment: environment(properties),
                timeout_seconds: properties.int("Timeout"),
                memory_mib: properties.int("MemorySize"),
                role: self.link(properties.text("Role"), "AWS::IAM::Role", Some("Arn")),
            }
        });
        functions.collect()
    }

    pub(super) fn versions(&self) -> Vec<Version> {
        let versions = self
            .of_type("AWS::Lambda::Version")
            .map(|resource| Version {
                resource: resource.clone(),
                function: self.function_property(&resource.properties),
            });
        versions.collect()
    }

    pub(super) fn aliases(&self) -> Vec<Alias> {
        let aliases = self.of_type("AWS::Lambda::Alias").map(|resource| {
            let version = resource.properties.text("FunctionVersion");
            Alias {
                resource: resource.clone(),
                name: resource.properties.text("Name"),
                function: self.function_property(&resource.properties),
                version: self.link(version, "AWS::Lambda::Version", Some("Version")),
            }
        });
        aliases.collect()
    }

    pub(super) fn permissions(&self) -> Vec<Permission> {
        let permissions = self.of_type("AWS::Lambda::Permission").map(|resource| {
            let properties = &resource.properties;
            Permission {
                resource: resource.clone(),
                function: self.function_property(properties),
                action: properties.text("Action"),
                principal: properties.text("Principal"),
                source_arn: properties.text("SourceArn"),
            }
        });
        permissions.collect()
    }

    fn function_property(&self, properties: &Resolved) -> FunctionLink {
        let name = properties.text("FunctionName");
        name.map(|name| self.function(&name)).unwrap_or_default()
    }
}

fn environment(properties: &Resolved) -> Setting<OrderedMap<String, Resolved>> {
    let value = properties
        .get("Environment")
        .map(|value| (value, value.get("Variables")));
    match value {
        Some((_, Some(Resolved::Map(variables)))) => Setting::Set(variables.clone()),
        Some((_, Some(Resolved::Unknown(unknown))) | (Resolved::Unknown(unknown), _)) => {
            Setting::Unknown(unknown.clone())
        }
        _ => Setting::Absent,
    }
}
