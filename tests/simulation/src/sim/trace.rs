//! The trace: a hash over everything that happened, so that two runs can be compared.

use sha2::{Digest, Sha256};

/// A hash in the making.
#[derive(Clone, Default)]
pub(crate) struct Trace(Sha256);

impl Trace {
    /// Notes that something happened.
    pub(crate) fn note(&mut self, at: i64, environment: u64, words: &[&str]) {
        self.0.update(at.to_be_bytes());
        self.0.update(environment.to_be_bytes());
        for word in words {
            self.0.update(word.as_bytes());
            self.0.update([0]);
        }
    }

    /// The hash so far, 16 hexadecimal digits of it.
    pub(crate) fn hash(&self) -> String {
        self.0.clone().finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}
