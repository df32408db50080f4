#![doc = include_str!("../README.md")]

mod ast;
mod date;
mod env;
mod error;
mod filters;
mod limits;
mod parse;
mod position;
mod render;
mod template;
mod value;

pub use error::{ParseError, ParseErrorKind, RenderError, RenderErrorKind};
pub use limits::Limits;
pub use template::{Escape, NoPartials, Partials, RenderOptions, Template};

/// The names of all filters, in alphabetical order (for completion in an editor, and for tests).
pub fn filter_names() -> impl Iterator<Item = &'static str> {
    filters::FILTERS.iter().map(|spec| spec.name)
}

/// The names of all tags that open something or stand alone (not `endif`, `else` and the like).
pub fn tag_names() -> impl Iterator<Item = &'static str> {
    parse::TAGS.iter().copied()
}
