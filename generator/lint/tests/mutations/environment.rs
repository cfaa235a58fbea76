//! Mistakes in environment variables.

use serde_json::json;

use crate::{Mistake, mistake};

pub const MISTAKES: &[Mistake] = &[
    mistake(
        "AWS_REGION",
        "reserved-environment-name",
        &[|it| {
            let function = it.connect_function()?;
            it.set_variable(&function, "AWS_REGION", json!({ "Ref": "AWS::Region" }));
            Some(())
        }],
    ),
    mistake(
        "a secret",
        "plain-secret-in-environment",
        &[|it| {
            let function = it.connect_function()?;
            it.set_variable(&function, "JWT_SECRET", json!("hunter2-but-longer-8f3a"));
            Some(())
        }],
    ),
    mistake(
        "a parameter without echo",
        "no-echo-parameter-in-environment",
        &[|it| {
            let function = it.connect_function()?;
            it.0["Parameters"]["Secret"] = json!({ "Type": "String", "NoEcho": true });
            it.set_variable(&function, "JWT_SECRET", json!({ "Ref": "Secret" }));
            Some(())
        }],
    ),
];
