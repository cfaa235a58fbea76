//! Settings of a profile that the SDK does not apply: `ca_bundle` and `mfa_serial`.

use std::path::Path;

use aws_config::profile::{Profile, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use stackgen_deploy::{AccountError, AccountErrorKind as Kind, AccountResult};

use crate::operation::causes;

/// Profiles of `~/.aws/config` and `~/.aws/credentials`, and the selected one.
#[derive(Clone, Debug)]
pub struct ProfileSettings {
    profiles: ProfileSet,
    /// True if the credentials are those of the profile. Variables such as AWS_ACCESS_KEY_ID come first unless the profile is
    /// named explicitly, as for the `aws` command.
    provides_credentials: bool,
}

/// Device that displays codes for multi-factor authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MfaDevice {
    /// ARN or serial number.
    pub serial: String,
    /// Role that takes a code.
    pub role: String,
    /// Profile that declares both.
    pub profile: String,
}

/// Roles that are assumed one after the other. One of them takes a code.
#[derive(Clone, Debug)]
pub(crate) struct RoleChain {
    pub(crate) base: RoleBase,
    /// Roles, the first one to assume first.
    pub(crate) roles: Vec<ProfileRole>,
}

/// Credentials that assume the first role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RoleBase {
    /// Credentials of this profile.
    Profile(String),
    /// Access key of this profile, which also names a role.
    Keys(String),
    /// Environment variables.
    Environment,
    /// Credentials of the machine, or none.
    Machine,
}

/// Role that a profile names.
#[derive(Clone, Debug)]
pub(crate) struct ProfileRole {
    pub(crate) profile: String,
    pub(crate) arn: String,
    pub(crate) external_id: Option<String>,
    pub(crate) session_name: Option<String>,
    pub(crate) duration_seconds: Option<i32>,
    pub(crate) mfa_serial: Option<String>,
}

impl ProfileSettings {
    /// Reads the profiles. `profile` selects one (default: AWS_PROFILE).
    ///
    /// # Errors
    ///
    /// If a file has a syntax error, or the selected profile does not exist.
    pub async fn load(profile: Option<&str>) -> AccountResult<Self> {
        Self::read(&Fs::real(), &Env::real(), profile).await
    }

    async fn read(fs: &Fs, env: &Env, profile: Option<&str>) -> AccountResult<Self> {
        let name = profile.map(|name| name.to_owned().into());
        let files = EnvConfigFiles::default();
        let profiles = aws_config::profile::load(fs, env, &files, name).await;
        let profiles = profiles.map_err(|error| bad(causes(&error)))?;
        let selected = profiles.selected_profile();
        if !["", "default"].contains(&selected) && profiles.get_profile(selected).is_none() {
            return Err(bad(format!("there is no profile named {selected}")));
        }
        let has = |name| env.get(name).is_ok_and(|value| !value.is_empty());
        let has_keys = has("AWS_ACCESS_KEY_ID") && has("AWS_SECRET_ACCESS_KEY");
        Ok(ProfileSettings {
            provides_credentials: profile.is_some() || !has_keys,
            profiles,
        })
    }

    /// Returns the file with root certificates that the profile names as `ca_bundle`.
    pub fn ca_bundle(&self) -> Option<&Path> {
        let path = self.profiles.get("ca_bundle")?;
        (!path.is_empty()).then(|| Path::new(path))
    }

    /// Returns the device whose code a role of the profile takes; `None` if credentials come without a code.
    ///
    /// # Errors
    ///
    /// If the roles of the profile are not declared completely, or several take a code.
    pub fn mfa_device(&self) -> AccountResult<Option<MfaDevice>> {
        let chain = self.mfa_chain()?;
        Ok(chain.and_then(|chain| chain.roles.iter().find_map(ProfileRole::mfa_device)))
    }

    /// Returns the roles of the profile if one of them takes a code. The SDK assumes all others.
    pub(crate) fn mfa_chain(&self) -> AccountResult<Option<RoleChain>> {
        if !self.provides_credentials {
            return Ok(None);
        }
        let chain = self.role_chain()?;
        let with_code = chain.roles.iter().filter(|role| role.mfa_serial.is_some());
        let names: Vec<_> = with_code.map(|role| role.profile.as_str()).collect();
        match names.as_slice() {
            [] => Ok(None),
            [name] if chain.base == RoleBase::Machine => Err(bad(format!(
                "profile {name} has `mfa_serial`, but no `source_profile`: only IAM users have MFA devices"
            ))),
            [_] => Ok(Some(chain)),
            names => Err(bad(format!(
                "profiles {} have `mfa_serial`, but a command can use only one code",
                names.join(" and ")
            ))),
        }
    }

    /// Returns a property of a profile.
    pub(crate) fn get(&self, profile: &str, property: &str) -> Option<&str> {
        self.profiles.get_profile(profile)?.get(property)
    }

    /// Returns the roles of the selected profile and of its source profiles, as the SDK resolves them.
    fn role_chain(&self) -> AccountResult<RoleChain> {
        let mut roles: Vec<ProfileRole> = Vec::new();
        let mut name = self.profiles.selected_profile();
        let base = loop {
            let Some(profile) = self.profiles.get_profile(name) else {
                // Without roles, the default profile need not exist.
                match roles.is_empty() {
                    true => break RoleBase::Profile(name.to_owned()),
                    false => return Err(bad(format!("there is no profile named {name}"))),
                }
            };
            let has_keys = profile.get("aws_access_key_id").is_some();
            if !roles.is_empty() && has_keys {
                break RoleBase::Keys(name.to_owned());
            }
            let Some(role) = ProfileRole::of(profile) else {
                break RoleBase::Profile(name.to_owned());
            };
            if roles.iter().any(|earlier| earlier.profile == name) {
                return Err(bad(format!("profile {name} is its own source_profile")));
            }
            roles.push(role);
            match (
                profile.get("source_profile"),
                profile.get("credential_source"),
            ) {
                (Some(source), None) if source == name => break RoleBase::Keys(name.to_owned()),
                (Some(source), None) => name = source,
                (None, Some(source)) if source.eq_ignore_ascii_case("Environment") => {
                    break RoleBase::Environment;
                }
                _ => break RoleBase::Machine,
            }
        };
        roles.reverse();
        Ok(RoleChain { base, roles })
    }
}

impl ProfileRole {
    /// Returns the role that a profile names. Roles for web identities take no credentials, so they are no part of a chain.
    fn of(profile: &Profile) -> Option<Self> {
        if profile.get("web_identity_token_file").is_some() {
            return None;
        }
        let text = |property| profile.get(property).map(str::to_owned);
        Some(ProfileRole {
            profile: profile.name().to_owned(),
            arn: text("role_arn")?,
            external_id: text("external_id"),
            session_name: text("role_session_name"),
            duration_seconds: profile
                .get("duration_seconds")
                .and_then(|seconds| seconds.parse().ok()),
            mfa_serial: text("mfa_serial").filter(|serial| !serial.is_empty()),
        })
    }

    pub(crate) fn mfa_device(&self) -> Option<MfaDevice> {
        Some(MfaDevice {
            serial: self.mfa_serial.clone()?,
            role: self.arn.clone(),
            profile: self.profile.clone(),
        })
    }
}

fn bad(message: String) -> AccountError {
    AccountError::before_calls(Kind::BadConfiguration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MFA: &str = "
[default]
ca_bundle = /etc/corp.pem
[profile user]
aws_access_key_id = AKID
aws_secret_access_key = secret
[profile admin]
role_arn = arn:aws:iam::1:role/admin
mfa_serial = arn:aws:iam::1:mfa/alice
source_profile = user
duration_seconds = 7200
[profile auditor]
role_arn = arn:aws:iam::2:role/auditor
source_profile = admin
external_id = x
[profile plain]
role_arn = arn:aws:iam::1:role/plain
source_profile = user
[profile self]
role_arn = arn:aws:iam::1:role/self
mfa_serial = 123
source_profile = self
aws_access_key_id = AKID
[profile variables]
role_arn = arn:aws:iam::1:role/variables
mfa_serial = 123
credential_source = Environment
[profile machine]
role_arn = arn:aws:iam::1:role/machine
mfa_serial = 123
credential_source = Ec2InstanceMetadata
[profile twice]
role_arn = arn:aws:iam::1:role/twice
mfa_serial = 123
source_profile = admin
[profile circle]
role_arn = arn:aws:iam::1:role/circle
mfa_serial = 123
source_profile = other
[profile other]
role_arn = arn:aws:iam::1:role/other
source_profile = circle
[profile lost]
role_arn = arn:aws:iam::1:role/lost
mfa_serial = 123
source_profile = none
";

    async fn read(
        profile: Option<&str>,
        variables: &[(&str, &str)],
    ) -> AccountResult<ProfileSettings> {
        let fs = Fs::from_slice(&[("config", MFA)]);
        let files = [
            ("AWS_CONFIG_FILE", "config"),
            ("AWS_SHARED_CREDENTIALS_FILE", "none"),
        ];
        let variables: Vec<_> = files.iter().chain(variables).copied().collect();
        ProfileSettings::read(&fs, &Env::from_slice(&variables), profile).await
    }

    async fn chain(profile: &str) -> AccountResult<Option<RoleChain>> {
        read(Some(profile), &[]).await?.mfa_chain()
    }

    #[tokio::test]
    async fn a_role_with_mfa_is_assumed_with_the_credentials_of_its_source() {
        let found = chain("admin").await.unwrap().unwrap();
        assert_eq!(found.base, RoleBase::Keys("user".to_owned()));
        assert_eq!(found.roles[0].duration_seconds, Some(7200));
        let device = read(Some("admin"), &[])
            .await
            .unwrap()
            .mfa_device()
            .unwrap();
        let expected = MfaDevice {
            serial: "arn:aws:iam::1:mfa/alice".to_owned(),
            role: "arn:aws:iam::1:role/admin".to_owned(),
            profile: "admin".to_owned(),
        };
        assert_eq!(device, Some(expected));
        let own = chain("self").await.unwrap().unwrap();
        assert_eq!(own.base, RoleBase::Keys("self".to_owned()));
        let variables = chain("variables").await.unwrap().unwrap();
        assert_eq!(variables.base, RoleBase::Environment);
    }

    #[tokio::test]
    async fn roles_of_a_chain_come_in_the_order_in_which_they_are_assumed() {
        let found = chain("auditor").await.unwrap().unwrap();
        let arns: Vec<_> = found.roles.iter().map(|role| role.arn.as_str()).collect();
        assert_eq!(
            arns,
            ["arn:aws:iam::1:role/admin", "arn:aws:iam::2:role/auditor"]
        );
        assert_eq!(found.roles[1].external_id.as_deref(), Some("x"));
    }

    #[tokio::test]
    async fn profiles_without_mfa_are_left_to_the_sdk() {
        for profile in ["default", "user", "plain"] {
            assert!(chain(profile).await.unwrap().is_none(), "{profile}");
        }
    }

    #[tokio::test]
    async fn variables_with_an_access_key_count_more_than_aws_profile_and_less_than_a_named_profile()
     {
        let keys = [
            ("AWS_PROFILE", "admin"),
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        let from_variables = read(None, &keys).await.unwrap();
        assert_eq!(from_variables.mfa_device().unwrap(), None);
        let named = read(Some("admin"), &keys).await.unwrap();
        assert!(named.mfa_device().unwrap().is_some());
        let selected = read(None, &keys[..1]).await.unwrap();
        assert!(selected.mfa_device().unwrap().is_some());
    }

    #[tokio::test]
    async fn the_selected_profile_names_the_bundle() {
        let settings = read(None, &[]).await.unwrap();
        assert_eq!(settings.ca_bundle(), Some(Path::new("/etc/corp.pem")));
        assert_eq!(read(Some("user"), &[]).await.unwrap().ca_bundle(), None);
    }

    #[tokio::test]
    async fn profiles_that_cannot_work_are_refused() {
        let message = async |profile| chain(profile).await.unwrap_err().message;
        insta::assert_snapshot!(message("machine").await, @"profile machine has `mfa_serial`, but no `source_profile`: only IAM users have MFA devices");
        insta::assert_snapshot!(message("twice").await, @"profiles admin and twice have `mfa_serial`, but a command can use only one code");
        insta::assert_snapshot!(message("circle").await, @"profile circle is its own source_profile");
        insta::assert_snapshot!(message("lost").await, @"there is no profile named none");
        insta::assert_snapshot!(message("missing").await, @"there is no profile named missing");
    }
}
