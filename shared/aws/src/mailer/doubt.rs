//! Doubt: SES answers mail after mail so that nobody knows whether it took them. Then most mails wait unclaimed, and one
//! now and then asks whether SES is back: of each that asks, the outcome is unknown, and one that is not transactional
//! may never be sent.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::Outcome;
use crate::outage::{UNCLEAR, rest_after};

/// What an environment knows of SES's doubtful answers. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Doubt(Arc<Mutex<Option<Doubts>>>);

#[derive(Clone, Copy, Debug)]
struct Doubts {
    since: Timestamp,
    /// Answers of unknown outcome, without a clear one in between.
    count: u32,
    /// When the last of them came.
    last: Timestamp,
    /// Until when the mail that was admitted last is waited for; it may never have left.
    asking: Timestamp,
}

impl Doubt {
    /// Takes an outcome into account.
    pub(super) fn hear(&self, outcome: &Outcome, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = match (outcome, *known) {
            (Outcome::Unknown(_), None) => Some(Doubts { since: now, count: 1, last: now, asking: now }),
            (Outcome::Unknown(_), Some(doubts)) => Some(Doubts { count: doubts.count + 1, last: now, ..doubts }),
            // Who was not reached has said nothing.
            (Outcome::Unreached, known) => known,
            _ => None,
        };
    }

    /// Whether a mail may go. In doubt, that is one mail after a rest: those beside it wait for what it meets.
    pub(super) fn admits(&self, now: Timestamp) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(doubts) = known.as_mut().filter(|doubts| doubts.count >= UNCLEAR) else { return true };
        let lasted = doubts.last.duration_since(doubts.since).max(SignedDuration::ZERO);
        let may_ask = now >= doubts.asking.max(doubts.last + rest_after(lasted));
        if may_ask {
            doubts.asking = now + rest_after(SignedDuration::ZERO);
        }
        may_ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown() -> Outcome {
        Outcome::Unknown("500".to_owned())
    }

    /// Seconds at which a mail is tried within so many, one that could go each second.
    fn tried(seconds: i64) -> Vec<i64> {
        let (doubt, at) = (Doubt::default(), |second| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second));
        let mut tried = Vec::new();
        for second in 0..seconds {
            if doubt.admits(at(second)) {
                doubt.hear(&unknown(), at(second));
                tried.push(second);
            }
        }
        tried
    }

    #[test]
    fn while_no_answer_is_clear_mails_wait_longer_each_time_but_never_more_than_an_eighth_of_the_doubt() {
        let tried = tried(4 * 3600);
        assert_eq!(tried[..5], [0, 1, 2, 17, 32]);
        assert!(tried.windows(2).all(|pair| pair[1] - pair[0] <= 16.max(pair[0] / 8 + 1)), "{tried:?}");
        assert_eq!(tried.len(), 51, "of 14,400 that could have been of unknown outcome");
    }

    #[test]
    fn of_mails_beside_each_other_only_one_asks() {
        let (doubt, now) = (Doubt::default(), Timestamp::UNIX_EPOCH);
        (0..UNCLEAR).for_each(|_| doubt.hear(&unknown(), now));
        let later = now + SignedDuration::from_mins(1);
        assert_eq!((0..10).filter(|_| doubt.admits(later)).count(), 1);
    }

    #[test]
    fn who_was_admitted_and_never_asked_is_soon_followed_by_another() {
        let (doubt, now) = (Doubt::default(), Timestamp::UNIX_EPOCH);
        (0..UNCLEAR).for_each(|_| doubt.hear(&unknown(), now));
        doubt.hear(&unknown(), now + SignedDuration::from_hours(4));
        let later = now + SignedDuration::from_hours(5);
        assert!(doubt.admits(later), "and does not leave, since its claim failed");
        assert!(!doubt.admits(later + SignedDuration::from_secs(14)));
        assert!(doubt.admits(later + SignedDuration::from_secs(15)));
    }

    #[test]
    fn one_clear_answer_ends_the_doubt_and_no_connection_does_not() {
        let (doubt, now) = (Doubt::default(), Timestamp::UNIX_EPOCH);
        for _ in 0..UNCLEAR {
            assert!(doubt.admits(now));
            doubt.hear(&unknown(), now);
        }
        doubt.hear(&Outcome::Unreached, now);
        assert!(!doubt.admits(now));
        doubt.hear(&Outcome::Later("throttled".to_owned()), now);
        assert!(doubt.admits(now));
    }
}
