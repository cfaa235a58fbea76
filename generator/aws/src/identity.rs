//! Identity of the caller.

use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use stackgen_deploy::AccountResult;
use stackgen_deploy::account::AccountRegion;

use crate::connect::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;

/// Identity of the caller of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// ARN.
    pub arn: String,
    /// Role that was assumed, and the identity that assumed it.
    pub assumed: Option<AssumedRole>,
}

/// Role that was assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumedRole {
    /// ARN of the role.
    pub role: String,
    /// ARN of the identity that assumed the role.
    pub by: String,
}

impl Aws {
    /// Returns the caller's identity. Calls STS once, and once more if a role was assumed.
    ///
    /// # Errors
    ///
    /// If STS cannot be called.
    pub async fn identity(&self) -> AccountResult<CallerIdentity> {
        let assumed = match &self.assumed {
            Some(assumed) => Some(AssumedRole {
                role: assumed.role.clone(),
                by: arn(&caller(&assumed.sts).await?),
            }),
            None => None,
        };
        let identity = caller(&self.sts).await?;
        Ok(CallerIdentity {
            arn: arn(&identity),
            assumed,
        })
    }

    /// Returns account and region of the credentials. Calls STS once.
    pub(crate) async fn caller_region(&self) -> AccountResult<AccountRegion> {
        let call = || async {
            let identity = caller(&self.sts).await?;
            let arn = arn(&identity);
            Ok(AccountRegion {
                partition: arn.split(':').nth(1).unwrap_or("aws").to_owned(),
                region: self.region.clone(),
                account: identity.account().unwrap_or_default().to_owned(),
            })
        };
        self.account_region.get_or_try_init(call).await.cloned()
    }
}

async fn caller(sts: &aws_sdk_sts::Client) -> AccountResult<GetCallerIdentityOutput> {
    let operation = AwsOperation::unlimited(AwsCall::GetCallerIdentity);
    operation.result(sts.get_caller_identity().send().await)
}

fn arn(identity: &GetCallerIdentityOutput) -> String {
    identity.arn().unwrap_or_default().to_owned()
}
