//! What a render carries besides its variables: options, the budget, the random numbers.

use jiff::Timestamp;

use crate::error::RenderErrorKind as Kind;
use crate::limits::Limits;
use crate::template::Escape;

/// Bytes charged for one item of a list that a filter makes.
const ITEM_BYTES: usize = 48;
/// Bytes of text read that cost one step.
const STEP_BYTES: usize = 64;

/// The surroundings of a render, shared by every filter.
pub(crate) struct Env {
    /// Whether outputs are HTML-escaped.
    pub(crate) escape: Escape,
    /// What `"now" | date` means.
    pub(crate) now: Timestamp,
    /// The limits that the budget counts against.
    pub(crate) limits: Limits,
    steps: u64,
    text: usize,
    output: usize,
    random: u64,
}

impl Env {
    /// A fresh budget.
    pub(crate) fn new(escape: Escape, now: Timestamp, limits: Limits, seed: u64) -> Self {
        Self {
            escape,
            now,
            limits,
            steps: limits.steps,
            text: limits.text_bytes,
            output: limits.output_bytes,
            random: seed,
        }
    }

    /// Pays for `count` steps of work.
    pub(crate) fn work(&mut self, count: usize) -> Result<(), Kind> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        match self.steps.checked_sub(count) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(Kind::TooManySteps { limit: self.limits.steps })
            }
        }
    }

    /// Pays for reading `bytes` of text.
    pub(crate) fn read(&mut self, bytes: usize) -> Result<(), Kind> {
        self.work(bytes / STEP_BYTES)
    }

    /// Pays for making `bytes` of text.
    pub(crate) fn make(&mut self, bytes: usize) -> Result<(), Kind> {
        match self.text.checked_sub(bytes) {
            Some(left) => {
                self.text = left;
                Ok(())
            }
            None => {
                self.text = 0;
                Err(Kind::TooMuchText { limit: self.limits.text_bytes })
            }
        }
    }

    /// Pays for making a list of `count` items.
    pub(crate) fn make_items(&mut self, count: usize) -> Result<(), Kind> {
        self.work(count)?;
        self.make(count.saturating_mul(ITEM_BYTES))
    }

    /// Appends to a text being made, paying for it first.
    pub(crate) fn push(&mut self, text: &mut String, piece: &str) -> Result<(), Kind> {
        self.make(piece.len())?;
        text.push_str(piece);
        Ok(())
    }

    /// Pays for `bytes` of the result.
    pub(crate) fn emit(&mut self, bytes: usize) -> Result<(), Kind> {
        match self.output.checked_sub(bytes) {
            Some(left) => {
                self.output = left;
                Ok(())
            }
            None => {
                self.output = 0;
                Err(Kind::OutputTooLong { limit: self.limits.output_bytes })
            }
        }
    }

    /// The next random number (SplitMix64: Steele, Lea, Flood 2014), the same for the same seed.
    pub(crate) fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
