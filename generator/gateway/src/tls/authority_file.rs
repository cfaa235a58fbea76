//! Folder of a certificate authority: `authority.pem` with its key and its certificate, and `ca.pem` with the certificate.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::NamedTempFile;
use thiserror::Error;

use super::authority::LocalAuthority;

/// File with the key and the certificate. One file, so that both are always of the same authority.
const SECRET: &str = "authority.pem";

/// Certificate, for clients.
const CERTIFICATE: &str = "ca.pem";

/// Keeps the key out of version control, wherever the project is.
const IGNORE: &str = ".gitignore";

/// Reason why a certificate authority cannot be used.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("cannot use the gateway's certificate authority in {}: {error}", path.display())]
    File {
        /// File or folder.
        path: PathBuf,
        /// Cause.
        error: io::Error,
    },
    /// Others than the owner may read the key.
    #[error(
        "others may read the key of the gateway's certificate authority in {}; remove the file to create a new authority",
        .0.display()
    )]
    Exposed(PathBuf),
    /// The file does not contain a usable authority.
    #[error(
        "cannot use the gateway's certificate authority in {}: {reason}; remove the file to create a new authority",
        path.display()
    )]
    Unusable {
        /// File.
        path: PathBuf,
        /// Cause.
        reason: String,
    },
}

/// Returns the path of the certificate for clients.
pub(super) fn certificate_path(folder: &Path) -> PathBuf {
    folder.join(CERTIFICATE)
}

/// Reads the authority of a folder, or creates one.
///
/// # Errors
///
/// If a file cannot be read or written, or does not contain a usable authority.
pub(super) fn open(folder: &Path) -> Result<LocalAuthority, AuthorityError> {
    let path = folder.join(SECRET);
    let authority = match read(&path)? {
        Some(authority) => authority,
        None => create(folder)?,
    };
    let certificate = certificate_path(folder);
    let pem = authority.pem();
    if !fs::read(&certificate).is_ok_and(|text| text == pem.as_bytes()) {
        write(&certificate, &pem)?;
    }
    Ok(authority)
}

fn read(path: &Path) -> Result<Option<LocalAuthority>, AuthorityError> {
    let found = match path.metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error(path, error)),
    };
    if found.permissions().mode() & 0o077 != 0 {
        return Err(AuthorityError::Exposed(path.to_owned()));
    }
    let text = fs::read(path).map_err(|error| file_error(path, error))?;
    let restored =
        parse(&text).and_then(|(key, certificate)| LocalAuthority::restore(key, certificate));
    match restored {
        Ok(authority) => Ok(Some(authority)),
        Err(reason) => Err(AuthorityError::Unusable {
            path: path.to_owned(),
            reason,
        }),
    }
}

fn parse(text: &[u8]) -> Result<(KeyPair, CertificateDer<'static>), String> {
    let key = PrivateKeyDer::from_pem_slice(text).map_err(|_| "it contains no key".to_owned())?;
    let key = KeyPair::try_from(&key).map_err(|_| "its key is of another kind".to_owned())?;
    let certificate = CertificateDer::from_pem_slice(text);
    let certificate = certificate.map_err(|_| "it contains no certificate".to_owned())?;
    Ok((key, certificate))
}

/// Creates an authority, unless another process does so at the same time: then returns that one.
fn create(folder: &Path) -> Result<LocalAuthority, AuthorityError> {
    let path = folder.join(SECRET);
    let made = LocalAuthority::generate().map_err(|error| AuthorityError::Unusable {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    let mut builder = fs::DirBuilder::new();
    let created = builder.recursive(true).mode(0o700).create(folder);
    created.map_err(|error| file_error(folder, error))?;
    write(&folder.join(IGNORE), "*\n")?;
    let text = made.key_pem() + &made.pem();
    let file = temporary(folder, &text).map_err(|error| file_error(&path, error))?;
    match file.persist_noclobber(&path) {
        Ok(_) => Ok(made),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
            let other = read(&path)?;
            other.ok_or_else(|| file_error(&path, io::ErrorKind::NotFound.into()))
        }
        Err(failed) => Err(file_error(&path, failed.error)),
    }
}

/// Replaces a file atomically.
fn write(path: &Path, text: &str) -> Result<(), AuthorityError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = temporary(folder, text).map_err(|error| file_error(path, error))?;
    let persisted = file.persist(path);
    persisted.map_err(|failed| file_error(path, failed.error))?;
    Ok(())
}

/// Writes a temporary file, which only its owner can read.
fn temporary(folder: &Path, text: &str) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

fn file_error(path: &Path, error: io::Error) -> AuthorityError {
    AuthorityError::File {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct AuthorityFolder {
        _parent: tempfile::TempDir,
        path: PathBuf,
    }

    impl AuthorityFolder {
        fn new() -> Self {
            let parent = tempfile::tempdir().expect("a folder");
            let path = parent.path().join("tls");
            AuthorityFolder {
                _parent: parent,
                path,
            }
        }

        fn open(&self) -> Result<LocalAuthority, AuthorityError> {
            open(&self.path)
        }

        fn error(&self) -> String {
            let error = self.open().err().expect("an error").to_string();
            error.replace(&self.path.display().to_string(), "FOLDER")
        }
    }

    #[test]
    fn only_the_owner_can_read_the_key_and_git_ignores_it() {
        let folder = AuthorityFolder::new();
        folder.open().expect("an authority");
        let mode = |name: &str| {
            let found = folder.path.join(name).metadata().expect("a file");
            found.permissions().mode() & 0o777
        };
        assert_eq!((mode(""), mode(SECRET)), (0o700, 0o600));
        let ignored = fs::read_to_string(folder.path.join(IGNORE)).expect("a file");
        assert_eq!(ignored, "*\n");
        let public = fs::read_to_string(certificate_path(&folder.path)).expect("a file");
        assert!(!public.contains("PRIVATE KEY"), "{public}");
    }

    #[test]
    fn the_next_start_uses_the_same_authority() {
        let folder = AuthorityFolder::new();
        let first = folder.open().expect("an authority");
        fs::remove_file(certificate_path(&folder.path)).expect("removed");
        let second = folder.open().expect("an authority");
        assert_eq!(first.pem(), second.pem());
        let public = fs::read_to_string(certificate_path(&folder.path)).expect("a file");
        assert_eq!(public, first.pem());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = AuthorityFolder::new();
        folder.open().expect("an authority");
        let exposed = fs::Permissions::from_mode(0o640);
        fs::set_permissions(folder.path.join(SECRET), exposed).expect("a mode");
        insta::assert_snapshot!(folder.error(), @"others may read the key of the gateway's certificate authority in FOLDER/authority.pem; remove the file to create a new authority");
    }

    #[test]
    fn an_authority_for_hosts_of_aws_is_refused_until_it_is_removed() {
        let folder = AuthorityFolder::new();
        folder.open().expect("an authority");
        let domains = ["localhost", "execute-api.eu-west-1.amazonaws.com"];
        let older = LocalAuthority::permitting(&domains).expect("an authority");
        let secret = folder.path.join(SECRET);
        write(&secret, &(older.key_pem() + &older.pem())).expect("written");
        insta::assert_snapshot!(folder.error(), @"cannot use the gateway's certificate authority in FOLDER/authority.pem: an older version made it for hosts of AWS, too, and clients that trust its certificate would trust it for them; remove the file to create a new authority");
        fs::remove_file(secret).expect("removed");
        let renewed = folder.open().expect("an authority");
        assert_ne!(renewed.pem(), older.pem());
        let public = fs::read_to_string(certificate_path(&folder.path)).expect("a file");
        assert_eq!(public, renewed.pem());
    }

    #[test]
    fn a_file_without_a_usable_authority_is_refused() {
        let folder = AuthorityFolder::new();
        let (one, other) = (folder.open(), AuthorityFolder::new().open());
        let (one, other) = (one.expect("an authority"), other.expect("an authority"));
        let error = |text: &str| {
            fs::write(folder.path.join(SECRET), text).expect("written");
            let error = folder.error();
            let (_, reason) = error.split_once("authority.pem: ").expect("a reason");
            reason.to_owned()
        };
        let hint = "; remove the file to create a new authority";
        assert_eq!(error("text"), format!("it contains no key{hint}"));
        assert_eq!(
            error(&one.key_pem()),
            format!("it contains no certificate{hint}")
        );
        let mixed = error(&(one.key_pem() + &other.pem()));
        assert!(mixed.contains("certificate"), "{mixed}");
    }
}
