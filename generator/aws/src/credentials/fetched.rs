//! Credentials that were fetched once, their expiry, and their renewal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
/// Credentials that were fetched, and their provider for when they expire. Some providers ask a question or run a program, so
/// credentials are not fetched twice.
#[derive(Debug)]
struct Prefetched {
    /// The next credentials to provide.
    next: Mutex<Option<Credentials>>,
    /// Source and expiry of the last credentials.
    last: Mutex<FetchedLifetime>,
    provider: SharedCredentialsProvider,
}

/// Source and expiry of credentials that were fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FetchedLifetime {
    pub(crate) source: &'static str,
    pub(crate) expiry: Option<SystemTime>,
}

/// Credentials of the caller.
#[derive(Clone, Debug)]
pub(crate) struct FetchedCredentials(Arc<Prefetched>);

impl ProvideCredentials for FetchedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match locked(&self.0.next).take() {
            Some(credentials) => future::ProvideCredentials::ready(Ok(credentials)),
            None => self.0.provider.provide_credentials(),
        }
    }
}

impl FetchedCredentials {
    /// Fetches the first credentials of a provider.
    pub(super) async fn fetch(
        provider: SharedCredentialsProvider,
    ) -> Result<Self, CredentialsError> {
        let first = provider.provide_credentials().await?;
        Ok(FetchedCredentials(Arc::new(Prefetched {
            last: Mutex::new(FetchedLifetime::of(&first)),
            next: Mutex::new(Some(first)),
            provider,
        })))
    }

    pub(crate) fn shared(&self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(self.clone())
    }

    /// Returns the source of the last credentials and, if they have one, their expiry.
    pub(crate) fn lifetime(&self) -> FetchedLifetime {
        *locked(&self.0.last)
    }

    /// Fetches credentials again if they expire within a time, for when they are expired. A source that has no others changes
    /// nothing, nor does one that fails: the credentials are valid yet.
    pub(crate) async fn renew(&self, needed: Duration) {
        let last = *locked(&self.0.last);
        let is_short = |expiry: SystemTime| expiry < SystemTime::now() + needed;
        if !last.expiry.is_some_and(is_short) {
            return;
        }
        let Ok(fetched) = self.0.provider.provide_credentials().await else {
            return;
        };
        if fetched
            .expiry()
            .is_none_or(|expiry| Some(expiry) > last.expiry)
        {
            *locked(&self.0.last) = FetchedLifetime::of(&fetched);
            *locked(&self.0.next) = Some(fetched);
        }
    }
}

impl FetchedLifetime {
    fn of(credentials: &Credentials) -> Self {
        FetchedLifetime {
            source: source(credentials),
            expiry: credentials.expiry(),
        }
    }
}

/// Returns where credentials came from, in words. Providers record it for the user agent.
fn source(credentials: &Credentials) -> &'static str {
    use AwsCredentialFeature as Feature;
    let features = credentials.get_property::<Vec<Feature>>();
    let words = |feature: &Feature| {
        Some(match feature {
            Feature::CredentialsSso | Feature::CredentialsProfileSso => "IAM Identity Center",
            Feature::CredentialsLogin | Feature::CredentialsProfileLogin => "`aws login`",
            Feature::CredentialsStsAssumeRole => "an assumed role",
            Feature::CredentialsStsAssumeRoleWebId
            | Feature::CredentialsEnvVarsStsWebIdToken
            | Feature::CredentialsProfileStsWebIdToken => "a web identity",
            Feature::CredentialsProcess | Feature::CredentialsProfileProcess => {
                "`credential_process`"
            }
            Feature::CredentialsHttp => "the container",
            Feature::CredentialsImds => "the instance",
            _ => return None,
        })
    };
    // A profile with a role has the source of its base, too, which comes first.
    let mut features = features.into_iter().flatten().rev();
    features.find_map(words).unwrap_or("the session")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Provider of credentials that expire after these minutes, in turn; `None` fails.
    #[derive(Debug)]
    struct Script {
        start: SystemTime,
        minutes: Mutex<Vec<Option<u64>>>,
    }

    impl ProvideCredentials for Script {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let minutes = locked(&self.minutes).remove(0);
            future::ProvideCredentials::ready(match minutes {
                Some(minutes) => Ok(credentials(self.start, minutes, &[])),
                None => Err(CredentialsError::not_loaded_no_source()),
            })
        }
    }

    fn credentials(
        start: SystemTime,
        minutes: u64,
        features: &[AwsCredentialFeature],
    ) -> Credentials {
        let expiry = start + Duration::from_secs(60 * minutes);
        let mut credentials = Credentials::new("id", "secret", None, Some(expiry), "test");
        let all = credentials.get_property_mut_or_default::<Vec<AwsCredentialFeature>>();
        all.extend_from_slice(features);
        credentials
    }

    /// Fetches credentials, and renews them if they last less than ten minutes. Returns the minutes after which the ones that are
    /// known expire, and those that are provided at last.
    async fn renewed(minutes: &[Option<u64>]) -> [u64; 2] {
        let start = SystemTime::now();
        let script = Script {
            start,
            minutes: Mutex::new(minutes.to_vec()),
        };
        let provider = SharedCredentialsProvider::new(script);
        let fetched = FetchedCredentials::fetch(provider).await.unwrap();
        fetched.provide_credentials().await.unwrap();
        fetched.renew(Duration::from_secs(600)).await;
        let known = locked(&fetched.0.last).expiry;
        let provided = fetched.provide_credentials().await.unwrap().expiry();
        [known, provided].map(|expiry| {
            let left = expiry.unwrap().duration_since(start).unwrap();
            left.as_secs() / 60
        })
    }

    #[tokio::test]
    async fn credentials_that_expire_soon_are_renewed_and_the_new_ones_are_provided_next() {
        assert_eq!(renewed(&[Some(5), Some(60)]).await, [60, 60]);
    }

    #[tokio::test]
    async fn credentials_that_last_are_fetched_once_more_only_when_they_are_needed() {
        assert_eq!(renewed(&[Some(11), Some(70)]).await, [11, 70]);
    }

    #[tokio::test]
    async fn a_source_without_later_credentials_or_that_fails_changes_nothing() {
        assert_eq!(renewed(&[Some(5), Some(5), Some(5)]).await, [5, 5]);
        assert_eq!(renewed(&[Some(5), None, Some(6)]).await, [5, 6]);
    }

    #[test]
    fn sources_are_named_by_what_the_providers_record() {
        use AwsCredentialFeature as Feature;
        let of = |features: &[Feature]| source(&credentials(SystemTime::now(), 1, features));
        for (features, words) in [
            (
                &[Feature::CredentialsSso, Feature::CredentialsProfile][..],
                "IAM Identity Center",
            ),
            (
                &[Feature::CredentialsSso, Feature::CredentialsStsAssumeRole],
                "an assumed role",
            ),
            (&[Feature::CredentialsProfileLogin], "`aws login`"),
            (
                &[Feature::CredentialsEnvVarsStsWebIdToken],
                "a web identity",
            ),
            (&[Feature::CredentialsHttp], "the container"),
            (&[Feature::CredentialsImds], "the instance"),
            (&[Feature::CredentialsProcess], "`credential_process`"),
            (&[], "the session"),
        ] {
            assert_eq!(of(features), words, "{features:?}");
        }
    }
}
