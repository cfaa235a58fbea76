//! RSA keys and the file that stores one.

use std::io::Write;
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::IssuerError;

/// Key pair and its published public half. It has no `Debug`, so that it cannot get into a log.
pub(super) struct IssuerKey {
    pair: RsaKeyPair,
    id: String,
    jwk: Value,
}

impl IssuerKey {
    /// Creates a key of 2048 bits, which takes about a tenth of a second.
    pub(super) fn generate() -> Result<Self, IssuerError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| IssuerError::Key)?;
        Ok(IssuerKey::from_pair(pair))
    }

    fn from_pair(pair: RsaKeyPair) -> Self {
        let public = pair.public_key();
        let text = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        let modulus = text(public.modulus().big_endian_without_leading_zero());
        let exponent = text(public.exponent().big_endian_without_leading_zero());
        // RFC 7638: the ID is a digest of the key, so that a key has the same ID after a restart.
        let thumbprint = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(thumbprint));
        let jwk = json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": id,
            "n": modulus,
            "e": exponent,
        });
        IssuerKey { pair, id, jwk }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// Signs a token with these claims.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "RS256", "kid": self.id, "typ": "JWT"});
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .expect("the signature is as long as the modulus, and PKCS#1 v1.5 needs nothing else");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns true if this key signed a text. The signature is in base64.
    pub(super) fn has_signed(&self, text: &str, signature: &str) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
            return false;
        };
        let public = self.pair.public_key();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_ref());
        public.verify(text.as_bytes(), &signature).is_ok()
    }
}

/// Reads the key from a file. Returns `None` if the file does not exist.
pub(super) fn read(path: &Path) -> Result<Option<IssuerKey>, IssuerError> {
    let der = match std::fs::read(path) {
        Ok(der) => der,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error(path, error)),
    };
    let pair = RsaKeyPair::from_pkcs8(&der).map_err(|rejected| file_error(path, rejected))?;
    Ok(Some(IssuerKey::from_pair(pair)))
}

/// Writes a key to a file that only its owner may read. The file is replaced atomically.
pub(super) fn write(path: &Path, key: &IssuerKey) -> Result<(), IssuerError> {
    let der: Pkcs8V1Der<'_> = key.pair.as_der().map_err(|_| IssuerError::Key)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let store = || {
        std::fs::create_dir_all(folder)?;
        // Temporary files have mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(der.as_ref())?;
        file.persist(path)?;
        Ok(())
    };
    store().map_err(|error: std::io::Error| file_error(path, error))
}

fn file_error(path: &Path, problem: impl std::fmt::Display) -> IssuerError {
    IssuerError::File {
        path: path.to_owned(),
        problem: problem.to_string(),
    }
}
