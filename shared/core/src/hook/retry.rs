//! When a request is made again.

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use crate::limits::{HOOK_PAUSE, HOOK_TRIES, SQS_DELAY};

/// When a request is made again that was tried `tries` times before the try that failed now; none when that was the last.
///
/// The pause is up to [`HOOK_PAUSE`], doubled with each try, up to what SQS holds back; how much of it, `chance` says (any
/// number), so that what failed together does not come back together. A receiver that asks for a longer one (`asked`)
/// gets it, within the same bound.
#[must_use]
pub fn next_try(
    tries: u32,
    asked: Option<SignedDuration>,
    (now, until): (Timestamp, Timestamp),
    chance: u64,
) -> Option<Timestamp> {
    if tries.saturating_add(1) >= HOOK_TRIES {
        return None;
    }
    let most = HOOK_PAUSE.saturating_mul(2_i32.saturating_pow(tries)).min(SQS_DELAY);
    let second = chance.checked_rem(most.as_secs().unsigned_abs()).unwrap_or_default() + 1;
    let pause = SignedDuration::from_secs(second.cast_signed());
    let asked = asked.unwrap_or_default().min(SQS_DELAY);
    let next = now.checked_add(pause.max(asked)).ok()?;
    (next <= until).then_some(next)
}

/// What a receiver asks for in the header `Retry-After`: seconds, or an instant as HTTP writes it. None where it is
/// neither, or over.
#[must_use]
pub fn retry_after(text: &str, now: Timestamp) -> Option<SignedDuration> {
    let text = text.trim();
    let pause = match text.parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(seconds.into()),
        Err(_) => rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?.duration_since(now),
    };
    pause.is_positive().then_some(pause)
}
