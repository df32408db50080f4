//! The account's sending quota: recipients a second and in 24 hours, as SES counts them.

use std::collections::VecDeque;

use crate::reply::Refusal;
use crate::sqs::Millis;

const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;
const DAY: Millis = 24 * 60 * MINUTE;

/// What the account may send. SES counts recipients, not messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Recipients a second.
    pub per_second: u32,
    /// Recipients in any 24 hours.
    pub per_day: u64,
}

impl Quota {
    /// What `GetAccount` shows while nothing is limited.
    pub(super) const SHOWN_WITHOUT_LIMIT: Self = Self { per_second: 1000, per_day: 50_000_000 };
}

/// What was sent lately.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) quota: Option<Quota>,
    last_second: VecDeque<(Millis, u32)>,
    in_last_second: u64,
    /// By minute, which is fine enough for a day.
    last_day: VecDeque<(Millis, u64)>,
    in_last_day: u64,
}

impl Sent {
    /// Counts recipients, or refuses them: over quota is an error, not a queue.
    pub(super) fn admit(&mut self, recipients: u32, now: Millis) -> Result<(), Refusal> {
        self.forget(now);
        if let Some(quota) = self.quota {
            if self.in_last_day + u64::from(recipients) > quota.per_day {
                return Err(too_many("Daily message quota exceeded."));
            }
            if self.in_last_second + u64::from(recipients) > u64::from(quota.per_second) {
                return Err(too_many("Maximum sending rate exceeded."));
            }
        }
        self.last_second.push_back((now, recipients));
        self.in_last_second += u64::from(recipients);
        self.in_last_day += u64::from(recipients);
        match self.last_day.back_mut() {
            Some((minute, sum)) if *minute + MINUTE > now => *sum += u64::from(recipients),
            _ => self.last_day.push_back((now, recipients.into())),
        }
        Ok(())
    }

    /// Recipients of the last 24 hours.
    pub(super) fn of_last_day(&mut self, now: Millis) -> u64 {
        self.forget(now);
        self.in_last_day
    }

    fn forget(&mut self, now: Millis) {
        while let Some((_, recipients)) = self.last_second.pop_front_if(|(at, _)| *at + SECOND <= now) {
            self.in_last_second -= u64::from(recipients);
        }
        while let Some((_, recipients)) = self.last_day.pop_front_if(|(at, _)| *at + DAY <= now) {
            self.in_last_day -= recipients;
        }
    }
}

fn too_many(text: &str) -> Refusal {
    Refusal::with_status(429, "TooManyRequestsException", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_holds_in_every_second() {
        let mut sent = Sent { quota: Some(Quota { per_second: 2, per_day: 5 }), ..Sent::default() };
        assert!(sent.admit(1, 0).is_ok());
        assert!(sent.admit(1, 900).is_ok());
        assert!(sent.admit(1, 999).is_err());
        assert!(sent.admit(1, 1000).is_ok());
        assert!(sent.admit(1, 1500).is_err());
    }

    #[test]
    fn a_daily_quota_frees_after_a_day() {
        let mut sent = Sent { quota: Some(Quota { per_second: 9, per_day: 2 }), ..Sent::default() };
        assert!(sent.admit(2, 0).is_ok());
        assert!(sent.admit(1, DAY - 1).is_err());
        assert_eq!(sent.of_last_day(DAY - 1), 2);
        assert!(sent.admit(1, DAY).is_ok());
    }
}
