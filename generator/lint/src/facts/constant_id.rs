//! Decides whether a logical ID changes with the content of its resource.

use stackgen_model::{Resolved, Resource};

use super::terraform;

/// Returns true if the ID is only a name, without a digest or a time that changes.
pub(crate) fn is_constant(resource: &Resource) -> bool {
    // Terraform replaces a deployment if its triggers change.
    if terraform::is_terraform(resource) {
        return !terraform::has_triggers(resource);
    }
    let id = resource.logical_id.as_str();
    let metadata = resource.attributes.get("Metadata");
    let path = metadata.and_then(|metadata| metadata.get("aws:cdk:path"));
    // The digits at the end of an ID that CDK derived from the construct's path are a digest of that path.
    let name = path
        .and_then(Resolved::as_literal)
        .and_then(|path| without_path_digest(id, path));
    !may_change(name.unwrap_or(id))
}

/// Returns the part of an ID before CDK's path digest, or `None` for an ID that CDK did not derive from the path.
///
/// CDK joins the names on the construct's path below its stack. With more than one name it appends eight digits of the
/// path's MD5.
fn without_path_digest<'i>(id: &'i str, path: &str) -> Option<&'i str> {
    const DIGITS: usize = 8;
    let names: Vec<_> = path.split('/').filter(|name| *name != "Default").collect();
    let split = id.len().checked_sub(DIGITS);
    let digested = split.and_then(|at| id.split_at_checked(at));
    let digested = digested.filter(|(_, digest)| {
        let is_digit = |c: u8| c.is_ascii_digit() || (b'A'..=b'F').contains(&c);
        digest.bytes().all(is_digit)
    });
    // The path does not show which of the names is the stack's.
    (0..names.len().min(16)).find_map(|from| match &names[from..] {
        [only] => (alphanumeric(only) == id).then_some(id),
        names => digested.and_then(|(name, _)| (human(names) == name).then_some(name)),
    })
}

fn human(names: &[&str]) -> String {
    const LONGEST: usize = 240;
    let mut parts: Vec<&str> = Vec::new();
    for name in names {
        if parts.last().is_none_or(|last| !last.ends_with(name)) {
            parts.push(name);
        }
    }
    let parts = parts.into_iter().filter(|name| *name != "Resource");
    parts
        .flat_map(|name| name.chars().filter(char::is_ascii_alphanumeric))
        .take(LONGEST)
        .collect()
}

fn alphanumeric(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Returns true for an ID that ends in a digest, a random part or a time, and for an ID with a placeholder, which is
/// replaced before deployment.
fn may_change(id: &str) -> bool {
    const SHORTEST: usize = 8;
    let bytes = id.as_bytes();
    let is_digit = |byte: &&u8| byte.is_ascii_hexdigit();
    let digits = bytes.iter().rev().take_while(is_digit).count();
    let hexadecimal = &bytes[bytes.len() - digits..];
    !bytes.iter().all(u8::is_ascii_alphanumeric)
        || (digits >= SHORTEST && hexadecimal.iter().any(u8::is_ascii_digit))
        || is_from_serverless(id)
        || is_mixed(bytes, 10, 4)
        || is_mixed(bytes, 32, 9)
}

/// Recognizes IDs of the Serverless Framework: a fixed name and SHA-256 in base 64.
fn is_from_serverless(id: &str) -> bool {
    const DIGEST: usize = 30;
    let rest = id.strip_prefix("WebsocketsDeployment");
    rest.is_some_and(|rest| rest.len() >= DIGEST)
}

/// Returns true if the last characters of an ID change between digits, capitals and small letters more often than in
/// words.
fn is_mixed(id: &[u8], last: usize, least: usize) -> bool {
    let kind = |byte: &u8| match byte {
        byte if byte.is_ascii_digit() => 0,
        byte if byte.is_ascii_uppercase() => 1,
        _ => 2,
    };
    let tail = &id[id.len().saturating_sub(last)..];
    // Words begin with a capital before a small letter.
    let changes = tail.windows(2).filter(|pair| {
        let (one, next) = (kind(&pair[0]), kind(&pair[1]));
        one != next && (one, next) != (1, 2)
    });
    changes.count() >= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_constant() {
        for id in [
            "Deployment",
            "WebSocketDeployment",
            "ApiDeployment2",
            "DeploymentV12",
            "MyAPIV2Deployment1",
            "MyCompanyWebSocketApiV2Deployment",
            "WebsocketsDeployment",
            "Deployment2026",
        ] {
            assert!(!may_change(id), "{id}");
        }
    }

    #[test]
    fn digests_and_times_change() {
        for id in [
            "WebSocketDeployment2FA999A1D3",
            "WebSocketDeployment8f20f88b427c026499B5761B",
            "WebsocketsDeploymentTWeHJbsiGduf9GOe8lMq08ijLIPI3zcUOFaO9HXZuw",
            "Deployment1521228732278",
            "Deployment20260131",
            "ChatDeploymentTWeHJbsiGduf9GOe8lMq08ijLIPI3zcUOFaO9HXZuw",
            "DeploymentA1b2C3d4",
            "Deployment$TIMESTAMP$",
        ] {
            assert!(may_change(id), "{id}");
        }
    }

    #[test]
    fn the_digest_of_a_path_is_part_of_the_name() {
        let name = |id, path| without_path_digest(id, path);
        assert_eq!(
            name("ApiDeployment4F2A9C01", "Chat/Api/Deployment"),
            Some("ApiDeployment")
        );
        assert_eq!(
            name("ApiDeployment4F2A9C01", "Prod/Chat/Api/Deployment/Resource"),
            Some("ApiDeployment")
        );
        assert_eq!(name("Deployment", "Chat/Deployment"), Some("Deployment"));
        assert_eq!(
            name(
                "ApiDeployment8f20f88b427c026499B5761B",
                "Chat/Api/Deployment8f20f88b427c0264"
            ),
            Some("ApiDeployment8f20f88b427c0264")
        );
        // An overridden ID: its digits are not a digest of the path.
        assert_eq!(name("Live4F2A9C01", "Chat/Api/Deployment"), None);
        assert_eq!(name("é4F2A9C0", "Chat/é/Deployment"), None);
    }
}
