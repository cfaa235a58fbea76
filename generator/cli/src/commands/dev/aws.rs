//! `stackgen dev --aws`: access to the user's account, after asking.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Request;
use stackgen_aws::Aws;
use stackgen_deploy::{Account as _, DeployError};
use stackgen_gateway::outbound::AccountAccess;
use stackgen_gateway::{ArnScope, SignError, SignRequest};

use super::args::DevCommand;
use crate::account::AccountArgs;
use crate::error::CliError;
use crate::ui::Ui;

/// Signs requests with the user's credentials.
#[derive(Debug)]
struct AwsSigner(Aws);

impl SignRequest for AwsSigner {
    fn sign<'a>(
        &'a self,
        service: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Result<Request<Bytes>, SignError>> {
        Box::pin(async move {
            let signed = self.0.sign(service, request).await;
            signed.map_err(|error| SignError(error.to_string()))
        })
    }
}

impl DevCommand {
    /// Connects to the account of `--aws`, shows it, and asks.
    ///
    /// # Errors
    ///
    /// If the account cannot be reached, is not the one that the project declares, or is not confirmed.
    pub(super) async fn connect_account(&self, ui: &Ui) -> Result<Option<AccountAccess>, CliError> {
        let flags = &self.gateway.aws;
        if !flags.aws {
            return Ok(None);
        }
        if !flags.yes && !ui.can_prompt() {
            return Err(CliError::input(
                "`--aws` lends your credentials to the functions of this stack and must be confirmed, and there is no terminal to ask on",
            )
            .hint("add `--yes`, or run it in a terminal"));
        }
        let declared = self.source.declared_region(ui)?;
        let args = AccountArgs::of_account(
            flags.profile.clone(),
            flags.region.clone(),
            flags.endpoint_url.clone(),
        );
        let client = args.connect_in(declared.region.as_deref(), ui).await?;
        let failed = |error| CliError::from(DeployError::from(error));
        let place = client.aws.account_region().await.map_err(failed)?;
        let identity = client.aws.identity().await.map_err(failed)?;
        declared.require_place(&place)?;
        let endpoint = client.aws.endpoint_url().map(str::parse).transpose();
        let endpoint = endpoint.map_err(|error| {
            CliError::input(format!("the endpoint cannot stand in for AWS: {error}"))
        })?;
        ui.stderr(&format!(
            "Calls of services that do not run here will go to your account:\n\n  account   {}\n  region    {}\n  identity  {}\n\nFunctions of this stack can do there what this identity may do. Other programs of this machine cannot use it.\n",
            place.account, place.region, identity.arn
        ));
        if !flags.yes && !confirmed(ui).await {
            return Err(CliError::failed(
                "`--aws` was not confirmed: nothing was started",
            ));
        }
        Ok(Some(AccountAccess {
            scope: ArnScope {
                partition: place.partition,
                region: place.region,
                account: place.account,
            },
            signer: Arc::new(AwsSigner(client.aws)),
            endpoint,
        }))
    }
}

async fn confirmed(ui: &Ui) -> bool {
    let answer = ui.ask_async("Continue? [y/N] ").await;
    matches!(answer.as_deref().map(str::trim), Some("y" | "Y" | "yes"))
}
