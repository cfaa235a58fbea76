//! AWS credentials of a function's processes.

use std::fmt;

use stackgen_gateway_common::FunctionSecret;

use super::FunctionError;

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// AWS credentials of a function's processes. The access key identifies the function. The secret key and the token are secrets:
/// with them, a program can call the user's account through a gateway that has one.
#[derive(Clone)]
pub(super) struct FunctionCredentials {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: String,
}

impl FunctionCredentials {
    /// Generates credentials with the system's random number generator.
    ///
    /// # Errors
    ///
    /// If the generator fails.
    pub(super) fn generate() -> Result<Self, FunctionError> {
        Ok(FunctionCredentials {
            access_key: format!("ASIA{}", random_text(16)?),
            secret_key: random_text(40)?,
            session_token: random_text(64)?,
        })
    }

    /// Returns what verifies the signatures of a function.
    pub(super) fn secret(&self, function: &str) -> FunctionSecret {
        FunctionSecret {
            function: function.to_owned(),
            secret_key: self.secret_key.clone(),
            session_token: self.session_token.clone(),
        }
    }
}

/// Without the secrets.
impl fmt::Debug for FunctionCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FunctionCredentials({})", self.access_key)
    }
}

/// Returns a text with five random bits per letter.
fn random_text(length: usize) -> Result<String, FunctionError> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| FunctionError::random())?;
    let letters = bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    Ok(letters.collect())
}
