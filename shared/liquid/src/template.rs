//! The public face: [`Template`], how it is rendered, and where its partials come from.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::error::{ParseError, RenderError};
use crate::limits::Limits;
use crate::parse::{self, Parsed};
use crate::position::line_and_column;
use crate::render;

/// A parsed template: owned, shareable between threads, cheap to clone.
#[derive(Debug, Clone)]
pub struct Template {
    inner: Arc<Inner>,
}

/// What the clones of a template share.
#[derive(Debug)]
pub(crate) struct Inner {
    source: Box<str>,
    pub(crate) parsed: Parsed,
}

impl Inner {
    /// About how long a render of this is.
    pub(crate) fn size_hint(&self) -> usize {
        self.source.len()
    }

    /// Line and column of an offset.
    pub(crate) fn position(&self, offset: u32) -> (usize, usize) {
        line_and_column(&self.source, usize::try_from(offset).unwrap_or(usize::MAX))
    }
}

impl Template {
    /// Parses strictly, with the default limits.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and column.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        Self::parse_with(source, &Limits::default())
    }

    /// Parses strictly; `limits` bound the length of the source and its nesting.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and column.
    pub fn parse_with(source: &str, limits: &Limits) -> Result<Self, ParseError> {
        let parsed = parse::parse(source, limits)?;
        Ok(Self { inner: Arc::new(Inner { source: source.into(), parsed }) })
    }

    /// The source this was parsed from.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// The names of the partials it renders or includes by a literal name, in alphabetical order.
    pub fn partials(&self) -> impl Iterator<Item = &str> {
        self.inner.parsed.partials.iter().map(AsRef::as_ref)
    }

    /// The names of the root variables it reads (such as `user`, `event`, `url`), in alphabetical
    /// order, without those it has surely set before. Those of its partials are not among them.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.inner.parsed.variables.iter().map(AsRef::as_ref)
    }

    /// The names it reads directly below a root variable that [`Template::variables`] names (`plan` of
    /// `user.plan` and `user['plan'].id`), in alphabetical order. Those made by other variables are not
    /// among them.
    pub fn fields(&self, root: &str) -> impl Iterator<Item = &str> {
        self.inner.parsed.fields.get(root).into_iter().flatten().map(AsRef::as_ref)
    }

    /// Renders with `globals` (an object) as its variables.
    ///
    /// # Errors
    /// When a limit is reached or an operation is impossible (see [`crate::RenderErrorKind`]).
    /// What is undefined is nil, and never an error.
    pub fn render(&self, globals: &Json, options: &RenderOptions<'_>) -> Result<String, RenderError> {
        render::render(&self.inner, globals, options)
    }

    /// Renders a value: what is nothing but one output that is a number or a truth value stays one (`{{ user.n | plus: 1 }}`);
    /// anything else is the text that [`Template::render`] gives.
    ///
    /// # Errors
    /// As of [`Template::render`].
    pub fn value(&self, globals: &Json, options: &RenderOptions<'_>) -> Result<Json, RenderError> {
        render::value(&self.inner, globals, options)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

/// Where partials come from. Load them before rendering: rendering is not asynchronous, and
/// [`Template::partials`] says which ones it needs. `Sync`, so that options may be held where a
/// future moves between threads.
pub trait Partials: Sync {
    /// The partial of this name; `None` renders as nothing.
    fn get(&self, name: &str) -> Option<Template>;
}

/// No partials.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPartials;

impl Partials for NoPartials {
    fn get(&self, _name: &str) -> Option<Template> {
        None
    }
}

impl Partials for std::collections::HashMap<String, Template> {
    fn get(&self, name: &str) -> Option<Template> {
        Self::get(self, name).cloned()
    }
}

impl Partials for std::collections::BTreeMap<String, Template> {
    fn get(&self, name: &str) -> Option<Template> {
        Self::get(self, name).cloned()
    }
}

/// Whether outputs are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escape {
    /// Outputs are printed as they are: subjects, text bodies, addresses.
    #[default]
    None,
    /// Outputs are HTML-escaped unless they are marked safe (`raw`, `escape`, `capture`).
    Html,
}

/// How to render. Nothing is taken from the surroundings: no clock, no randomness, no input.
#[derive(Clone, Copy)]
pub struct RenderOptions<'a> {
    /// Whether outputs are HTML-escaped.
    pub escape: Escape,
    /// What the render may cost.
    pub limits: Limits,
    /// What `"now" | date` means.
    pub now: Timestamp,
    /// The seed of `random`: the same seed prints the same numbers.
    pub seed: u64,
    /// Where partials come from.
    pub partials: &'a dyn Partials,
}

impl RenderOptions<'static> {
    /// No escaping, no partials, the default limits, seed zero.
    pub fn new(now: Timestamp) -> Self {
        Self { escape: Escape::None, limits: Limits::default(), now, seed: 0, partials: &NoPartials }
    }
}

impl std::fmt::Debug for RenderOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RenderOptions")
            .field("escape", &self.escape)
            .field("limits", &self.limits)
            .field("now", &self.now)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
