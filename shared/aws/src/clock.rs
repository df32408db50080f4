//! The one clock: everything that needs the time, or waits for it, asks here.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

/// Where "now" comes from: the machine, or a test that moves it.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Virtual time; it moves only when told to.
    Virtual(Virtual),
}

/// Virtual time, as one machine sees it. Clones share the time.
#[derive(Clone, Debug)]
pub struct Virtual {
    time: Arc<Time>,
    /// How far this machine's clock is off.
    skew_millis: i64,
}

#[derive(Debug)]
struct Time {
    /// Milliseconds since the Unix epoch.
    millis: AtomicI64,
    /// Who waits, and until when; none where whoever sleeps moves time himself.
    sleepers: Option<Mutex<Sleepers>>,
}

/// Those who sleep, in the order in which they wake.
#[derive(Debug, Default)]
struct Sleepers {
    next: u64,
    until: BTreeMap<(i64, u64), oneshot::Sender<()>>,
}

impl Clock {
    /// A virtual clock that stands at `start`. Whoever sleeps moves it: for stories in which one thing happens at a time.
    #[must_use]
    pub fn virtual_at(start: Timestamp) -> Self {
        Self::over(start, None)
    }

    /// A virtual clock that stands at `start`. Whoever sleeps waits until somebody else moves it: for simulations in which
    /// much happens at once.
    #[must_use]
    pub fn stepped_at(start: Timestamp) -> Self {
        Self::over(start, Some(Mutex::default()))
    }

    fn over(start: Timestamp, sleepers: Option<Mutex<Sleepers>>) -> Self {
        let time = Time { millis: AtomicI64::new(start.as_millisecond()), sleepers };
        Self::Virtual(Virtual { time: Arc::new(time), skew_millis: 0 })
    }

    /// The same time on a machine whose clock is ahead by this, or behind. The machine's own clock stays what it is.
    #[must_use]
    pub fn skewed(&self, ahead: SignedDuration) -> Self {
        match self {
            Self::System => Self::System,
            Self::Virtual(of) => {
                let millis = i64::try_from(ahead.as_millis()).unwrap_or(0);
                Self::Virtual(Virtual { time: Arc::clone(&of.time), skew_millis: millis })
            }
        }
    }

    /// The present instant, in whole microseconds (virtual time: milliseconds).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        let instant = match self {
            Self::System => Timestamp::from_microsecond(Timestamp::now().as_microsecond()),
            Self::Virtual(of) => Timestamp::from_millisecond(of.time.millis.load(Ordering::SeqCst) + of.skew_millis),
        };
        instant.unwrap_or(Timestamp::MAX)
    }

    /// Resolves once this much time has passed.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let clock = self.clone();
        async move {
            match clock {
                Self::System => tokio::time::sleep(duration).await,
                Self::Virtual(of) => of.sleep(duration).await,
            }
        }
    }

    /// What the work comes to, unless it takes longer than `most`. Where whoever sleeps moves time, nothing can be waited for
    /// beside the work, and it takes as long as it takes.
    pub async fn timeout<F: Future>(&self, most: Duration, work: F) -> Option<F::Output> {
        if self.jumps() {
            return Some(work.await);
        }
        let (work, late) = (std::pin::pin!(work), std::pin::pin!(self.sleep(most)));
        match futures::future::select(work, late).await {
            futures::future::Either::Left((done, _)) => Some(done),
            futures::future::Either::Right(_) => None,
        }
    }

    /// Moves virtual time forward to `instant` and wakes who slept until then; it never goes back, and the machine's clock
    /// ignores it.
    pub fn advance_to(&self, instant: Timestamp) {
        if let Self::Virtual(of) = self {
            of.time.advance_to(instant.as_millisecond());
        }
    }

    /// Until when the first of those sleeps who wait for virtual time.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let Self::Virtual(of) = self else { return None };
        let sleepers = lock(of.time.sleepers.as_ref()?);
        let (millis, _) = sleepers.until.iter().find(|(_, sleeper)| !sleeper.is_closed())?.0;
        Timestamp::from_millisecond(*millis).ok()
    }

    /// Whether time is virtual, so that nobody waits for the machine's.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    /// Whether whoever sleeps moves time himself: then nothing can be waited for beside something else.
    #[must_use]
    pub fn jumps(&self) -> bool {
        matches!(self, Self::Virtual(of) if of.time.sleepers.is_none())
    }
}

impl Virtual {
    async fn sleep(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(i64::MAX);
        let until = self.time.millis.load(Ordering::SeqCst).saturating_add(millis);
        let Some(sleepers) = &self.time.sleepers else { return self.time.advance_to(until) };
        let (wake, woken) = oneshot::channel();
        {
            let mut sleepers = lock(sleepers);
            let key = (until, sleepers.next);
            sleepers.next += 1;
            sleepers.until.insert(key, wake);
        }
        // The sender lives as long as the time does.
        drop(woken.await);
    }
}

impl Time {
    fn advance_to(&self, millis: i64) {
        let now = self.millis.fetch_max(millis, Ordering::SeqCst).max(millis);
        let Some(sleepers) = &self.sleepers else { return };
        let mut sleepers = lock(sleepers);
        let later = sleepers.until.split_off(&(now.saturating_add(1), 0));
        for (_, wake) in std::mem::replace(&mut sleepers.until, later) {
            // Who gave up sleeping needs no waking.
            let _ = wake.send(());
        }
        sleepers.until.retain(|_, sleeper| !sleeper.is_closed());
    }
}

fn lock(sleepers: &Mutex<Sleepers>) -> std::sync::MutexGuard<'_, Sleepers> {
    sleepers.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        self.now().into()
    }
}

impl AsyncSleep for Clock {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(Self::sleep(self, duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;
    const SECOND: SignedDuration = SignedDuration::from_secs(1);

    #[tokio::test]
    async fn whoever_sleeps_by_a_clock_that_jumps_moves_it() {
        let clock = Clock::virtual_at(START);
        clock.sleep(Duration::from_micros(1500)).await;
        assert_eq!(clock.now(), START + SignedDuration::from_millis(2), "never early");
    }

    #[tokio::test]
    async fn whoever_sleeps_by_a_stepped_clock_wakes_when_it_is_there_and_not_before() {
        let clock = Clock::stepped_at(START);
        let mut sleep = Box::pin(clock.sleep(Duration::from_secs(2)));
        assert!(futures::poll!(&mut sleep).is_pending());
        assert_eq!(clock.next_wake(), Some(START + 2 * SECOND));
        clock.advance_to(START + SECOND);
        assert!(futures::poll!(&mut sleep).is_pending());
        clock.advance_to(START + 2 * SECOND);
        assert!(futures::poll!(&mut sleep).is_ready());
        assert_eq!(clock.next_wake(), None);
    }

    #[test]
    fn who_gave_up_sleeping_is_forgotten() {
        let clock = Clock::stepped_at(START);
        let mut sleep = Box::pin(clock.sleep(Duration::from_secs(2)));
        assert!(futures::FutureExt::now_or_never(&mut sleep).is_none());
        drop(sleep);
        assert_eq!(clock.next_wake(), None);
    }

    #[test]
    fn a_skewed_clock_shows_the_same_time_elsewhere() {
        let clock = Clock::stepped_at(START);
        let ahead = clock.skewed(2 * SECOND);
        clock.advance_to(START + SECOND);
        assert_eq!((clock.now(), ahead.now()), (START + SECOND, START + 3 * SECOND));
    }
}
