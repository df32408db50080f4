//! The one clock: everything that needs the time reads it here.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use aws_smithy_async::time::TimeSource;
use jiff::Timestamp;

/// Where "now" comes from: the machine, or a test that moves it by hand.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Virtual time in milliseconds since the Unix epoch; it moves only when told to.
    Virtual(Arc<AtomicI64>),
}

impl Clock {
    /// A virtual clock that stands at `start`.
    #[must_use]
    pub fn virtual_at(start: Timestamp) -> Self {
        Self::Virtual(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// The present instant, in whole microseconds (virtual time: milliseconds).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        let instant = match self {
            Self::System => Timestamp::from_microsecond(Timestamp::now().as_microsecond()),
            Self::Virtual(millis) => Timestamp::from_millisecond(millis.load(Ordering::SeqCst)),
        };
        instant.unwrap_or(Timestamp::MAX)
    }

    /// Moves virtual time forward to `instant`; it never goes back, and the machine's clock ignores it.
    pub fn advance_to(&self, instant: Timestamp) {
        if let Self::Virtual(millis) = self {
            millis.fetch_max(instant.as_millisecond(), Ordering::SeqCst);
        }
    }

    /// Whether time is virtual, so that nobody waits for it.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        self.now().into()
    }
}
