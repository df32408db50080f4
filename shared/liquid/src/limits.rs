//! The limits of parsing and rendering, each with its reason.

/// What a template may cost. A template is written by a customer and rendered a million times, so
/// every dimension in which it could run away has a name and a number here.
///
/// The defaults suit one mail. A limit that is reached is an error, never a cut text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest source, in bytes. Gmail clips a mail at 102 KB, so 512 KiB is five times what any
    /// inbox shows. Sources of 4 GiB and more are always refused (positions are 32 bits).
    pub source_bytes: usize,
    /// How deeply tags, brackets and ranges may be nested in one source. The parser and the drop
    /// of its tree recurse once per level; 64 levels need far less than the smallest thread stack.
    pub nesting: usize,
    /// How deeply rendering may descend: blocks and partials together. It stops a partial that
    /// includes itself. One level needs about 2 KiB of stack, 10 KiB without optimisation.
    pub depth: usize,
    /// Longest result, in bytes. Queues, stores and SES all refuse more long before they break.
    pub output_bytes: usize,
    /// Work: one for every node rendered, loop iteration, filter call and list item looked at, and
    /// one for every 64 bytes of text a filter or comparison reads. A million takes well under a
    /// second.
    pub steps: u64,
    /// Text and lists made while rendering (by filters and `capture`), in bytes, counted when made
    /// and never given back: the memory a render can hold at any time is below this.
    pub text_bytes: usize,
    /// Most items a range such as `(1..n)` may have when it is walked, so that a wrong `n` in the
    /// data gives a clear error instead of a long wait.
    pub range_items: usize,
    /// Most different partials one render may load; each costs a read of the store behind it.
    pub partials: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 512 * 1024,
            nesting: 64,
            depth: 64,
            output_bytes: 2 * 1024 * 1024,
            steps: 1_000_000,
            text_bytes: 16 * 1024 * 1024,
            range_items: 100_000,
            partials: 100,
        }
    }
}
