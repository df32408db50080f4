//! The numbers of an outage, derived in one place. While a service is away, a function that reads a queue holds its batch
//! and asks again now and then ([`HOLD`]); then it gives the batch back for a while ([`back_after`]); and a message may be
//! handed out so often ([`RECEIVES`]) that no outage up to [`LONGEST`] makes a dead letter of it.
//!
//! | number | is | because |
//! |---|---|---|
//! | [`TIMEOUT_SECONDS`] | 20 s | short: who died is found out, and his messages come back, after six of it |
//! | [`HOLD`] | 6 s | what is left of [`WORK`] after one more attempt: pauses of 1, 2, 3 s |
//! | [`WORK`] | 16 s | what is not done by then is left, and given back in the rest of the time-out |
//! | [`VISIBILITY_SECONDS`] | 120 s | six time-outs, as Lambda's SQS guide asks |
//! | [`back_after`] | 15 s to 3 min | real time again within T/8 + 1 min of an outage of any T |
//! | the same, urgent | a third of it | transactional mail first |
//! | [`RECEIVES`] | 1,000 | SQS's most |
//! | [`rest_after`] | 15 s, or an eighth of the doubt | SES that answers 500 may have taken the mail: few may ask; T/8 as above |
//! | [`LONGEST`] | 12 h | [`RECEIVES`] × the shortest that a message stays away; promised are 4 |

use std::time::Duration;

use jiff::SignedDuration;

use crate::clients::{OPERATION, SEND};

/// Seconds a function that reads a queue may take for one batch.
pub const TIMEOUT_SECONDS: u32 = 20;
/// The same, as a time.
pub const TIMEOUT: Duration = Duration::from_secs(1).saturating_mul(TIMEOUT_SECONDS);
/// Time for giving a batch back. SQS answers in milliseconds; when it does not, the visibility time-out gives it back.
pub const RELEASE: Duration = Duration::from_secs(2);
/// Time for what a batch costs beside requests that wait for an answer: decoding, rendering, the requests that are
/// answered.
pub const MARGIN: Duration = Duration::from_secs(1);
/// How long after its start a function may begin one more attempt: it may wait for one answer that never comes, and is
/// done within [`WORK`].
pub const HOLD: Duration = WORK.saturating_sub(ATTEMPT);
/// Time for a function's sign of life, behind the batch: what is not written by then is left out.
pub const TELLING: Duration = Duration::from_secs(1);
/// How long after its start a function leaves what is not done: turns, or one slow answer after the other.
pub const WORK: Duration = TIMEOUT.saturating_sub(RELEASE).saturating_sub(TELLING).saturating_sub(MARGIN);
/// The first pause between attempts; each is twice the one before.
pub const PAUSE: Duration = Duration::from_secs(1);
/// Seconds a received message stays hidden when nobody gives it back.
pub const VISIBILITY_SECONDS: u32 = 6 * TIMEOUT_SECONDS;
/// Receives before a message is given up to the dead-letter queue.
pub const RECEIVES: u32 = 1_000;
/// The outage that no message is given up in.
pub const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// How long the longest wait for one answer takes.
const ATTEMPT: Duration = if SEND.as_millis() > OPERATION.as_millis() { SEND } else { OPERATION };
/// How long a message stays away after its first receive; after each further one twice as long.
const BACK_FIRST: Duration = Duration::from_secs(15);
/// How long it stays away at most: the minute of the promise.
const BACK_MOST: Duration = Duration::from_secs(60);
/// From this receive on, an outage has lasted so long that an eighth of it, and that minute, are longer than [`BACK_LONG`]:
/// 37 minutes for what is not urgent.
const LONG: u32 = 51;
/// How long a message stays away at most in a long outage.
const BACK_LONG: Duration = Duration::from_secs(180);
/// What is urgent stays away for this part of the time.
const URGENT: u32 = 3;

// An attempt fits behind a pause.
const _: () = assert!(HOLD.as_millis() >= PAUSE.as_millis());

/// How long a message stays away that was received `receives` times and could not be done: longer each time, to a minute,
/// and in a long outage to three; a third of that when it is `urgent` (a transactional mail waits in it). `chance` is any
/// number, and shortens it by up to a quarter, so that not everything comes back at once.
#[must_use]
pub fn back_after(receives: u32, urgent: bool, chance: u64) -> Duration {
    let doubled = 1_u32.checked_shl(receives.saturating_sub(1)).unwrap_or(u32::MAX);
    let longest = if receives < LONG { BACK_MOST } else { BACK_LONG };
    let most = BACK_FIRST.saturating_mul(doubled).min(longest) / if urgent { URGENT } else { 1 };
    let (least, quarter) = (shortest(most), most.saturating_sub(shortest(most)));
    least + Duration::from_secs(chance.checked_rem(quarter.as_secs() + 1).unwrap_or_default())
}

/// Mails of unknown outcome, one after the other, from which on it is SES and not the mail.
pub const UNCLEAR: u32 = 3;

/// How long mails wait when SES has given no clear answer for so long: so that it is asked again within an eighth of
/// that, and seldom.
#[must_use]
pub fn rest_after(doubt: SignedDuration) -> SignedDuration {
    let first = SignedDuration::from_secs(BACK_FIRST.as_secs().cast_signed());
    (doubt / 8).max(first)
}

/// The shortest that chance makes of a time.
const fn shortest(most: Duration) -> Duration {
    Duration::from_millis(most.as_secs() * 750)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_stays_away_longer_each_time_and_never_longer_than_the_promised_minute() {
        for (receives, least, most) in
            [(0, 11, 15), (1, 11, 15), (2, 22, 30), (3, 45, 60), (50, 45, 60), (51, 135, 180), (1_000, 135, 180)]
        {
            for chance in 0..100 {
                let (ordinary, urgent) = (back_after(receives, false, chance), back_after(receives, true, chance));
                assert!((least..=most).contains(&ordinary.as_secs()), "{receives} receives: {ordinary:?}");
                assert!((least / 3..=most / 3).contains(&urgent.as_secs()), "{receives} receives: {urgent:?}");
            }
        }
    }

    #[test]
    fn however_long_an_outage_was_nothing_stays_away_for_more_than_an_eighth_of_it_and_a_minute() {
        for urgent in [false, true] {
            let mut outage = Duration::ZERO;
            for receives in 1..=RECEIVES {
                let most = (0..100).map(|chance| back_after(receives, urgent, chance)).max().unwrap_or_default();
                assert!(most <= outage / 8 + Duration::from_secs(60), "{receives} receives, {outage:?}: {most:?}");
                outage += back_after(receives, urgent, 0);
            }
        }
    }

    #[test]
    fn an_outage_of_twelve_hours_uses_fewer_receives_than_there_are() {
        for urgent in [false, true] {
            let away: Duration = (1..RECEIVES).map(|receives| back_after(receives, urgent, 0)).sum();
            assert!(away >= LONGEST, "{away:?}");
        }
    }

    #[test]
    fn a_function_that_begins_its_last_attempt_in_time_is_done_before_its_time_out() {
        assert!(HOLD + SEND.max(OPERATION) <= WORK && WORK + RELEASE + TELLING < TIMEOUT);
    }
}
