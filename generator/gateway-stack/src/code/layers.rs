//! Layers of functions.

use stackgen_gateway_lambda::functions::Code;
use stackgen_model::{Model, Resolved, Resource, Text};

use super::NotRun;
use super::local::LocalFiles;

/// Layers that others publish: a part of the name, and what to do on this machine. The first match counts.
const KNOWN: &[(&str, &str)] = &[
    (
        "AWSLambdaPowertoolsPython",
        "`pip install aws-lambda-powertools`",
    ),
    (
        "AWSLambdaPowertoolsTypeScript",
        "`npm install` the packages of @aws-lambda-powertools that the code imports",
    ),
    ("AWSSDKPandas", "`pip install awswrangler`"),
    ("AWSDataWrangler", "`pip install awswrangler`"),
    (
        "LambdaInsightsExtension",
        "it only sends metrics to CloudWatch, so nothing is missing",
    ),
    (
        "AWS-Parameters-and-Secrets",
        "requests to localhost:2773 fail; read parameters and secrets with the SDK",
    ),
    (
        "AWS-AppConfig",
        "requests to localhost:2772 fail; read the configuration with the SDK",
    ),
    (
        "LambdaAdapterLayer",
        "functions that are web servers do not run here",
    ),
    ("aws-otel", "no traces are collected"),
    ("AWSOpenTelemetryDistro", "no traces are collected"),
    ("Datadog", "nothing is sent to Datadog"),
    ("NewRelic", "nothing is sent to New Relic"),
    ("Dynatrace", "nothing is sent to Dynatrace"),
];

/// Returns the content of a function's layers in their order, and the layers that are not on this machine.
pub(super) fn of_function(
    function: &Resource,
    model: &Model,
    files: &mut LocalFiles,
) -> (Vec<Code>, Vec<NotRun>) {
    let (mut layers, mut not_run) = (Vec::new(), Vec::new());
    let list = function.properties.get("Layers");
    for layer in list.map(Resolved::one_or_many).unwrap_or_default() {
        let text = layer.to_text();
        let own = text.as_ref().and_then(Text::as_reference);
        let own = own.and_then(|reference| model.resource(&reference.logical_id));
        if let Some(own) = own.filter(|own| own.kind == "AWS::Lambda::LayerVersion") {
            match content(own, files) {
                Ok(content) => layers.push(content),
                Err(reason) => not_run.push(NotRun {
                    logical_id: own.logical_id.to_string(),
                    kind: own.kind.clone(),
                    reason: format!("this layer is left out: {reason}"),
                }),
            }
            continue;
        }
        let reason = match (text.as_ref().and_then(Text::as_literal), layer) {
            (Some(arn), _) => published(arn),
            (None, Resolved::Unknown(unknown)) => {
                format!("a layer of {} is left out: {unknown}", function.logical_id)
            }
            _ => format!(
                "a layer of {} is left out: its ARN is unknown",
                function.logical_id
            ),
        };
        not_run.push(NotRun {
            logical_id: String::new(),
            kind: "layer".to_owned(),
            reason,
        });
    }
    (layers, not_run)
}

fn content(layer: &Resource, files: &mut LocalFiles) -> Result<Code, String> {
    let path = files.find(layer, "Content")?;
    match files.code(layer, path) {
        // A layer may contain a file named bootstrap, which is not started.
        Code::Bootstrap(path) if path.is_dir() => Ok(Code::Folder(path)),
        Code::Absent(reason) => Err(reason),
        Code::Bootstrap(path) => Err(format!(
            "{} is neither a folder nor a zip file",
            path.display()
        )),
        content => Ok(content),
    }
}

/// Returns the reason for a layer that is only on AWS, with advice.
fn published(arn: &str) -> String {
    let name = arn.split(":layer:").nth(1).unwrap_or(arn);
    let start = format!("the layer {name} is not on this machine");
    if let Some((_, advice)) = KNOWN.iter().find(|(part, _)| name.contains(part)) {
        return format!("{start}: {advice}");
    }
    // Klayers-p312-requests:14
    let package = name
        .strip_prefix("Klayers-")
        .and_then(|rest| rest.split_once('-'));
    if let Some((_, package)) = package {
        let package = package.split(':').next().unwrap_or(package);
        return format!("{start}: `pip install {package}`");
    }
    format!(
        "{start}: install its packages in the project, or unpack it and name the folder in a layer of the template"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_layers_come_with_the_command_that_replaces_them() {
        let arn = |name: &str| {
            published(&format!(
                "arn:aws:lambda:us-east-1:017000801446:layer:{name}"
            ))
        };
        for (name, advice) in [
            (
                "AWSLambdaPowertoolsPythonV3-python312-x86_64:7",
                "`pip install aws-lambda-powertools`",
            ),
            ("Klayers-p312-requests:14", "`pip install requests`"),
            ("LambdaInsightsExtension:53", "nothing is missing"),
            ("mine:1", "install its packages"),
        ] {
            let reason = arn(name);
            assert!(
                reason.starts_with(&format!("the layer {name} is not")),
                "{reason}"
            );
            assert!(reason.contains(advice), "{reason}");
        }
    }
}
