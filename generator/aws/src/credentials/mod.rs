//! Credentials: the ones that the SDK finds, and roles that are assumed with them.

mod fetched;

use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use stackgen_deploy::{AccountError, AccountErrorKind as Kind, AccountResult};

use crate::operation::{self, AwsOperation};
use crate::options::AccessOptions;
use crate::profile::{ProfileRole, ProfileSettings, RoleBase, RoleChain};

pub(crate) use fetched::FetchedCredentials;

/// Fetches the credentials of the options, without `assume_role`.
///
/// # Errors
///
/// If there are none, if they are expired, or if a profile needs a code that the options do not have.
pub(crate) async fn find(
    options: &AccessOptions,
    config: &SdkConfig,
) -> AccountResult<FetchedCredentials> {
    let provider = match &options.access_key {
        Some(_) => config.credentials_provider(),
        None => provider(options, config).await?,
    };
    let Some(provider) = provider else {
        let message = "there are no credentials".to_owned();
        return Err(AccountError::before_calls(Kind::NoCredentials, message));
    };
    let fetched = FetchedCredentials::fetch(provider).await;
    fetched.map_err(|error| operation::credentials(&error))
}

/// Assumes a role with the credentials of a configuration. The SDK renews the role's credentials before they expire.
///
/// # Errors
///
/// If STS refuses.
pub(crate) async fn assume(role: &str, config: &SdkConfig) -> AccountResult<FetchedCredentials> {
    let provider = AssumeRoleProvider::builder(role)
        .configure(config)
        .session_name(session_name())
        .build()
        .await;
    let fetched = FetchedCredentials::fetch(SharedCredentialsProvider::new(provider)).await;
    fetched.map_err(|error| operation::assume_role(&error, role))
}

/// Returns the provider of credentials, in the order of the `aws` command.
async fn provider(
    options: &AccessOptions,
    config: &SdkConfig,
) -> AccountResult<Option<SharedCredentialsProvider>> {
    let settings = ProfileSettings::load(options.profile.as_deref()).await?;
    if let Some(chain) = settings.mfa_chain()? {
        let credentials = assume_chain(&chain, &settings, options, config).await?;
        return Ok(Some(SharedCredentialsProvider::new(credentials)));
    }
    let Some(profile) = &options.profile else {
        return Ok(config.credentials_provider());
    };
    // The SDK prefers environment variables even to a profile that is named explicitly.
    let provider_config = provider_config(config);
    let imds = ImdsCredentialsProvider::builder().configure(&provider_config);
    let ecs = EcsCredentialsProvider::builder().configure(&provider_config);
    let chain = CredentialsProviderChain::first_try("Profile", of_profile(profile, config))
        .or_else("EcsContainer", ecs.build())
        .or_else("Ec2InstanceMetadata", imds.build());
    Ok(Some(SharedCredentialsProvider::new(chain)))
}

fn of_profile(profile: &str, config: &SdkConfig) -> ProfileFileCredentialsProvider {
    ProfileFileCredentialsProvider::builder()
        .configure(&provider_config(config))
        .profile_name(profile)
        .build()
}

fn provider_config(config: &SdkConfig) -> ProviderConfig {
    let provider_config = ProviderConfig::without_region()
        .with_region(config.region().cloned())
        .with_use_fips(config.use_fips())
        .with_use_dual_stack(config.use_dual_stack())
        .with_behavior_version(Some(BehaviorVersion::latest()));
    let provider_config = match config.timeout_config() {
        Some(timeouts) => provider_config.with_timeout_config(timeouts.clone()),
        None => provider_config,
    };
    match config.http_client() {
        Some(client) => provider_config.with_http_client(client),
        None => provider_config,
    }
}

/// Assumes the roles of a chain, one of them with a code.
async fn assume_chain(
    chain: &RoleChain,
    settings: &ProfileSettings,
    options: &AccessOptions,
    config: &SdkConfig,
) -> AccountResult<Credentials> {
    let base = match &chain.base {
        RoleBase::Keys(profile) => Ok(keys_of(profile, settings)?),
        RoleBase::Profile(profile) => of_profile(profile, config).provide_credentials().await,
        RoleBase::Environment => {
            let variables = EnvironmentVariableCredentialsProvider::new();
            variables.provide_credentials().await
        }
        // `ProfileSettings::mfa_chain` refuses such a chain.
        RoleBase::Machine => Err(CredentialsError::not_loaded_no_source()),
    };
    let mut credentials = base.map_err(|error| operation::credentials(&error))?;
    for role in &chain.roles {
        credentials = assume_profile_role(role, credentials, options, config).await?;
    }
    Ok(credentials)
}

fn keys_of(profile: &str, settings: &ProfileSettings) -> AccountResult<Credentials> {
    let property = |name| settings.get(profile, name).map(str::to_owned);
    let id = property("aws_access_key_id");
    let (Some(id), Some(secret)) = (id, property("aws_secret_access_key")) else {
        let message = format!("profile {profile} has no complete access key");
        return Err(AccountError::before_calls(Kind::NoCredentials, message));
    };
    let token = property("aws_session_token");
    Ok(Credentials::new(id, secret, token, None, "profile"))
}

async fn assume_profile_role(
    role: &ProfileRole,
    credentials: Credentials,
    options: &AccessOptions,
    config: &SdkConfig,
) -> AccountResult<Credentials> {
    let device = role.mfa_device();
    let code = match (&device, &options.mfa_code) {
        (None, _) => None,
        (Some(_), Some(code)) => Some(code.0.clone()),
        (Some(device), None) => {
            let message = format!(
                "profile {} needs a code of the MFA device {}, and nobody can be asked for it",
                device.profile, device.serial
            );
            return Err(AccountError::before_calls(Kind::MfaCode, message));
        }
    };
    let provider = SharedCredentialsProvider::new(credentials);
    let config = config.to_builder().credentials_provider(provider).build();
    let session = role.session_name.clone().unwrap_or_else(session_name);
    let sent = aws_sdk_sts::Client::new(&config)
        .assume_role()
        .role_arn(&role.arn)
        .role_session_name(session)
        .set_external_id(role.external_id.clone())
        .set_duration_seconds(role.duration_seconds)
        .set_serial_number(device.map(|device| device.serial))
        .set_token_code(code)
        .send()
        .await;
    let operation = AwsOperation::assume_role(&role.arn);
    let assumed = operation.result(sent)?.credentials;
    let assumed = assumed.ok_or_else(|| operation.lacks("Credentials"))?;
    let mut credentials = Credentials::new(
        assumed.access_key_id,
        assumed.secret_access_key,
        Some(assumed.session_token),
        SystemTime::try_from(assumed.expiration).ok(),
        "AssumeRole",
    );
    let features = credentials.get_property_mut_or_default::<Vec<AwsCredentialFeature>>();
    features.push(AwsCredentialFeature::CredentialsStsAssumeRole);
    Ok(credentials)
}

/// Returns a name for a session of a role, which CloudTrail shows.
fn session_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    format!("stackgen-{}", now.map_or(0, |now| now.as_secs()))
}
