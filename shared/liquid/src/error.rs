//! What can go wrong: [`ParseError`] when a template is saved, [`RenderError`] when it is rendered.
//!
//! Messages say what, where and how to mend it. They never contain a value of the data rendered,
//! since those are personal; types and names only.

use thiserror::Error;

/// Why a source is not a template, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct ParseError {
    /// The line, from one.
    pub line: usize,
    /// The column in characters, from one.
    pub column: usize,
    /// What is wrong.
    pub kind: ParseErrorKind,
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// The source is longer than the limit.
    #[error("the template is longer than {limit} bytes; shorten it or move parts into partials")]
    SourceTooLong {
        /// [`crate::Limits::source_bytes`]
        limit: usize,
    },
    /// Tags, brackets or ranges are nested too deeply.
    #[error("nested more than {limit} levels deep; move the inner part into a partial")]
    NestedTooDeeply {
        /// [`crate::Limits::nesting`]
        limit: usize,
    },
    /// `{{` or `{%` without its end.
    #[error("`{open}` is never closed; add `{close}`")]
    UnclosedMarkup {
        /// `{{` or `{%`
        open: &'static str,
        /// `}}` or `%}`
        close: &'static str,
    },
    /// A block tag without its end tag.
    #[error("`{tag}` is never closed; add `{{% end{tag} %}}`")]
    UnclosedBlock {
        /// The tag that was opened here.
        tag: &'static str,
    },
    /// A quote without its end.
    #[error("this text is never closed; add the closing {quote}")]
    UnclosedText {
        /// `'` or `"`
        quote: char,
    },
    /// A tag that does not exist.
    #[error("unknown tag `{name}`{}", suggest(*.suggestion))]
    UnknownTag {
        /// As written.
        name: String,
        /// The nearest tag that exists, if one is near.
        suggestion: Option<&'static str>,
    },
    /// A tag that exists, in the wrong place (`endif` without `if`, `when` outside `case`).
    #[error("`{name}` does not belong here; {expected}")]
    MisplacedTag {
        /// As written.
        name: String,
        /// What would be right.
        expected: String,
    },
    /// A filter that does not exist.
    #[error("unknown filter `{name}`{}", suggest(*.suggestion))]
    UnknownFilter {
        /// As written.
        name: String,
        /// The nearest filter that exists, if one is near.
        suggestion: Option<&'static str>,
    },
    /// A filter with too few or too many arguments.
    #[error("filter `{filter}` takes {}, not {given}", arguments(*.least, *.most))]
    ArgumentCount {
        /// The filter.
        filter: &'static str,
        /// Fewest arguments it takes.
        least: usize,
        /// Most arguments it takes.
        most: usize,
        /// How many were written.
        given: usize,
    },
    /// A named argument the filter does not have.
    #[error("filter `{filter}` has no argument named `{keyword}`; remove it")]
    UnknownKeyword {
        /// The filter.
        filter: &'static str,
        /// As written.
        keyword: String,
    },
    /// Something else was expected.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What would be right.
        expected: &'static str,
        /// As written.
        found: String,
    },
    /// A whole number outside 64 bits.
    #[error("the number does not fit 64 bits; write it as text in quotes")]
    NumberTooLarge,
    /// A time zone the tz database does not know.
    #[error("unknown time zone `{name}`; use a name like `Europe/Berlin`")]
    UnknownTimeZone {
        /// As written.
        name: String,
    },
}

fn suggest(name: Option<&'static str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn arguments(least: usize, most: usize) -> String {
    match (least, most) {
        (_, 0) => "no argument".to_owned(),
        (1, 1) => "one argument".to_owned(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

/// Why a template could not be rendered, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}line {line}, column {column}: {kind}", in_partial(.partial.as_deref()))]
pub struct RenderError {
    /// The partial it happened in; `None` is the template itself.
    pub partial: Option<String>,
    /// The line of the tag or output, from one.
    pub line: usize,
    /// The column of the tag or output, from one.
    pub column: usize,
    /// What went wrong.
    pub kind: RenderErrorKind,
}

impl RenderError {
    /// Whether a limit was reached (rather than an operation being impossible for this data).
    pub fn is_limit(&self) -> bool {
        use RenderErrorKind as K;
        matches!(
            self.kind,
            K::OutputTooLong { .. }
                | K::TooManySteps { .. }
                | K::TooMuchText { .. }
                | K::TooDeep { .. }
                | K::RangeTooLong { .. }
                | K::TooManyPartials { .. }
        )
    }
}

fn in_partial(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("partial `{name}`, "))
}

/// What went wrong while rendering. Nothing else does: what is undefined is nil.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RenderErrorKind {
    /// [`crate::Limits::output_bytes`]
    #[error("the result is longer than {limit} bytes")]
    OutputTooLong {
        /// In bytes.
        limit: usize,
    },
    /// [`crate::Limits::steps`]
    #[error("more than {limit} steps of work; loop over less")]
    TooManySteps {
        /// In steps.
        limit: u64,
    },
    /// [`crate::Limits::text_bytes`]
    #[error("filters and captures made more than {limit} bytes of text")]
    TooMuchText {
        /// In bytes.
        limit: usize,
    },
    /// [`crate::Limits::depth`]
    #[error("more than {limit} levels deep; does a partial include itself?")]
    TooDeep {
        /// In levels.
        limit: usize,
    },
    /// [`crate::Limits::range_items`]
    #[error("a range of more than {limit} items")]
    RangeTooLong {
        /// In items.
        limit: usize,
    },
    /// [`crate::Limits::partials`]
    #[error("more than {limit} different partials")]
    TooManyPartials {
        /// In partials.
        limit: usize,
    },
    /// `divided_by` or `modulo` with zero.
    #[error("division by zero; test the divisor with `if` first")]
    DivisionByZero,
    /// A whole number outside 64 bits, or a decimal number that is not finite.
    #[error("a number is too large")]
    NumberTooLarge,
    /// `<`, `sort` and the like between things without an order.
    #[error("cannot compare {left} with {right}")]
    Incomparable {
        /// The type on the left.
        left: &'static str,
        /// The type on the right.
        right: &'static str,
    },
    /// An argument of the wrong type.
    #[error("`{operation}` needs {expected}, not {found}")]
    WrongType {
        /// The filter or the argument of a tag.
        operation: &'static str,
        /// What it needs.
        expected: &'static str,
        /// The type it got.
        found: &'static str,
    },
}
