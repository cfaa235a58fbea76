//! Identities and credentials that identity pools issued.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use stackgen_gateway_common::{EpochMillis, FederatedCaller, uuid};

/// Prefix of access keys. A key that is no longer known is recognized by it.
const KEY_PREFIX: &str = "ASIAIDENTITY";

/// Maximum number of identities, and of credentials. Then the oldest one is removed.
const MAX_ENTRIES: usize = 10_000;

/// Lifetime of credentials, as in Cognito.
pub(super) const LIFETIME: Duration = Duration::from_secs(3600);

/// Entries by ID. Only the newest ones stay.
#[derive(Debug)]
pub(super) struct NewestEntries<T> {
    entries: HashMap<String, T>,
    /// IDs, the oldest one first.
    order: VecDeque<String>,
}

impl<T> Default for NewestEntries<T> {
    fn default() -> Self {
        NewestEntries {
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T> NewestEntries<T> {
    /// Adds or replaces an entry.
    pub(super) fn insert(&mut self, id: String, entry: T) {
        if self.entries.insert(id.clone(), entry).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > MAX_ENTRIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.entries.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.entries.get_mut(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.entries.iter()
    }
}

/// Credentials of an identity.
#[derive(Debug)]
pub(super) struct IssuedCredentials {
    pub(super) caller: FederatedCaller,
    pub(super) role: String,
    pub(super) expires: EpochMillis,
}

/// Permissions of an access key that an identity pool issued.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IdentityGrant {
    /// The role with this ARN.
    Role(String),
    /// None: the credentials have expired, or they are not known any more.
    Expired,
}

/// Returns a new access key of an identity.
pub(super) fn new_access_key() -> String {
    let random = uuid().replace('-', "").to_uppercase();
    format!("{KEY_PREFIX}{}", &random[..16])
}

impl NewestEntries<IssuedCredentials> {
    /// Returns the caller whose credentials have this access key, unless they have expired.
    pub(super) fn caller(&self, access_key: &str, now: EpochMillis) -> Option<FederatedCaller> {
        let credentials = self.get(access_key)?;
        (now < credentials.expires).then(|| credentials.caller.clone())
    }

    /// Returns the permissions of an access key; `None` if no identity pool issued it.
    pub(super) fn grant(&self, access_key: &str, now: EpochMillis) -> Option<IdentityGrant> {
        if !access_key.starts_with(KEY_PREFIX) {
            return None;
        }
        let valid = self.get(access_key).filter(|it| now < it.expires);
        Some(valid.map_or(IdentityGrant::Expired, |it| {
            IdentityGrant::Role(it.role.clone())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_entry_beyond_the_maximum_removes_only_the_oldest_one() {
        let mut entries = NewestEntries::default();
        for number in 0..=MAX_ENTRIES {
            entries.insert(number.to_string(), number);
        }
        entries.insert("1".to_owned(), 0);
        assert_eq!(entries.get("0"), None);
        assert_eq!(entries.get("1"), Some(&0));
        assert_eq!(entries.get(&MAX_ENTRIES.to_string()), Some(&MAX_ENTRIES));
        assert_eq!(entries.iter().count(), MAX_ENTRIES);
    }

    #[test]
    fn an_access_key_of_an_identity_that_is_not_known_has_expired() {
        let credentials = NewestEntries::<IssuedCredentials>::default();
        let now = EpochMillis::now();
        let grant = |key: &str| credentials.grant(key, now);
        assert_eq!(grant(&new_access_key()), Some(IdentityGrant::Expired));
        assert_eq!(grant("AKIAIOSFODNN7EXAMPLE"), None);
    }
}
