//! Where a process dies, by the count of its requests.

/// Which side of its effect a crash comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The n-th request is never sent.
    Before,
    /// The n-th request has its effect; its answer finds nobody.
    After,
}

/// What the crash layer says about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Go on.
    None,
    /// Never resolve, without the effect.
    Before,
    /// Let it have its effect, then never resolve.
    After,
}
