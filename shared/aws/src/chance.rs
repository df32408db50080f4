//! The one source of randomness: the machine's, or a seeded one that repeats.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Random numbers, shared by everything in one process.
#[derive(Clone, Debug)]
pub struct Chance(Arc<Mutex<StdRng>>);

impl Chance {
    /// Randomness of the machine.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for randomness")]
    pub fn system() -> Self {
        Self::seeded(rand::random())
    }

    /// The same numbers for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// The next number.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }
}
