//! Planted faults: what other systems did wrong (or we might), put into our own code so that a test can show that the
//! simulation finds it (`tests/planted`). One at a time, in one thread.
//!
//! A place where one can be planted asks `planted!(ClaimUnconditional)`. That is the word `false`, unless the feature
//! `planted` is on, which only the tests' own crate turns on, and it is a debug build: no release holds any of this.

/// Whether a fault of [`Bug`](crate::planted) is planted: `planted!(ClaimUnconditional)`.
#[cfg(all(feature = "planted", debug_assertions))]
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {
        $crate::planted::is($crate::planted::Bug::$bug)
    };
}

/// Whether a fault is planted: never, in this build.
#[cfg(not(all(feature = "planted", debug_assertions)))]
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {
        false
    };
}

#[cfg(all(feature = "planted", debug_assertions))]
pub use here::{Bug, is, plant};

#[cfg(all(feature = "planted", debug_assertions))]
mod here {
    use std::cell::Cell;

    /// A fault that can be planted.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Bug {
        /// The claim is written whatever the ledger says by then: of two that are at one mail, both send it (overlapping
        /// workers of Plunk, Mautic and Novu).
        ClaimUnconditional,
        /// The claim does not check that the person exists and is subscribed: who unsubscribes after the decision is
        /// mailed (Parcelvoy, Keila).
        ConsentUnchecked,
        /// SES's client has the SDK's default retries: a lost answer is a second mail.
        SesRetries,
        /// A claim that has expired is claimed again at once, although SES may have the mail (Notifuse).
        ExpiredClaimReclaimed,
        /// SES's "later" is taken for "never" (listmonk lost half a campaign).
        ThrottledIsRefused,
        /// The row of a run, which says when it wakes, is put whatever is there: who starts or moves it late puts it back
        /// to where it was (dynein revives a job that has fired).
        TimerPutUnconditional,
        /// The sweep's cursors go on before SQS has the hints: what it refuses is forgotten (listmonk).
        CursorBeforeHints,
        /// A run is taken for stuck because its timer's instant has passed, although it has moved on: all is woken twice
        /// (dynein).
        StuckByDueTime,
        /// A page is taken for the last one because it is not full, although what DynamoDB's limit or filter left out comes
        /// behind it (dynein).
        ShortPageIsLast,
        /// A hint that comes early moves its run, instead of going back to its queue.
        EarlyStepTaken,
        /// A wait's milliseconds go where SQS takes seconds (Parcelvoy).
        MillisecondsAsSeconds,
        /// The local time at which a wait ends is stored as though it were UTC (Notifuse).
        LocalTimeAsUtc,
        /// A call counts, and only then is it asked whether it was taken before.
        DeduplicatedTooLate,
        /// A batch's answer does not name one of the records that failed: SQS forgets it.
        FailureAcknowledged,
        /// A call is answered with 200 whether or not the queue took it (Dittofeed, Mautic, Postal).
        AnsweredBeforeStored,
        /// A call is in the proof of what was taken before the profile has taken it: whoever dies in between loses it.
        TakenBeforeStored,
        /// A step that waits for an event listens from then on only: what came before it, on the way to it, is missed.
        PastUnheard,
    }

    impl Bug {
        /// All of them.
        pub const ALL: [Self; 17] = [
            Self::ClaimUnconditional,
            Self::ConsentUnchecked,
            Self::SesRetries,
            Self::ExpiredClaimReclaimed,
            Self::ThrottledIsRefused,
            Self::TimerPutUnconditional,
            Self::CursorBeforeHints,
            Self::StuckByDueTime,
            Self::ShortPageIsLast,
            Self::EarlyStepTaken,
            Self::MillisecondsAsSeconds,
            Self::LocalTimeAsUtc,
            Self::DeduplicatedTooLate,
            Self::FailureAcknowledged,
            Self::AnsweredBeforeStored,
            Self::TakenBeforeStored,
            Self::PastUnheard,
        ];
    }

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Plants a fault in this thread, in place of the one before; or none.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }

    /// Whether this fault is planted in this thread.
    #[must_use]
    pub fn is(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }
}
