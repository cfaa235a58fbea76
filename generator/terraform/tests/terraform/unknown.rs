//! Values that are unknown, because they depend on others that are.

use serde_json::json;

use crate::convert::{configuration, properties};

#[test]
fn a_policy_is_unknown_if_a_document_that_it_contains_is() {
    let policy = |attribute: &str| {
        let read = configuration(&[(
            "main.tf",
            &r#"
data "aws_ssm_parameter" "far" { name = "far" }
data "aws_iam_policy_document" "other" {
  statement { actions = ["sqs:*"] }
}
data "aws_iam_policy_document" "all" {
  ATTRIBUTE
  statement { actions = ["s3:*"] }
}
resource "aws_iam_role" "r" { assume_role_policy = data.aws_iam_policy_document.all.json }
"#
            .replace("ATTRIBUTE", attribute),
        )]);
        properties(&read, "aws_iam_role.r")["AssumeRolePolicyDocument"].clone()
    };
    let unknown = json!({ "Ref": "data.aws_iam_policy_document.all.json" });
    for attribute in [
        "source_policy_documents = [data.aws_ssm_parameter.far.value]",
        "override_policy_documents = [data.aws_ssm_parameter.far.value]",
        "source_policy_documents = data.aws_ssm_parameter.far.list",
        "source_json = data.aws_ssm_parameter.far.value",
    ] {
        assert_eq!(policy(attribute), unknown, "{attribute}");
    }
    let known = "source_policy_documents = [data.aws_iam_policy_document.other.json, null]";
    assert_eq!(policy(known)["Statement"][0]["Action"], "sqs:*");
    assert_eq!(policy(known)["Statement"][1]["Action"], "s3:*");
}
