//! The filters: a table of names, arguments and functions.

mod array;
mod digest;
mod dunlin;
mod encode;
mod html;
mod math;
mod select;
mod sort;
mod text;
mod when;

use crate::env::Env;
use crate::error::RenderErrorKind as Kind;
use crate::value::Value;

/// A filter: what it takes, and what it does.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// Fewest arguments.
    pub(crate) least: usize,
    /// Most arguments; never more than two.
    pub(crate) most: usize,
    /// Named arguments.
    pub(crate) keywords: &'static [&'static str],
    pub(crate) run: Run,
}

/// What a filter does to its input.
type Run = for<'a> fn(Value<'a>, &Args<'a>, &mut Env) -> Result<Value<'a>, Kind>;

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The arguments of a call.
#[derive(Default)]
pub(crate) struct Args<'a> {
    first: Option<Value<'a>>,
    second: Option<Value<'a>>,
    pub(crate) allow_false: bool,
}

impl<'a> Args<'a> {
    /// Adds the next argument. The parser has seen to it that there are no more than two.
    pub(crate) fn push(&mut self, value: Value<'a>) {
        if self.first.is_none() {
            self.first = Some(value);
        } else {
            self.second = Some(value);
        }
    }

    /// The first argument, if one is written.
    pub(crate) fn first(&self) -> Option<&Value<'a>> {
        self.first.as_ref()
    }

    /// The second argument, if one is written.
    pub(crate) fn second(&self) -> Option<&Value<'a>> {
        self.second.as_ref()
    }

    /// The first argument, nil if none is written.
    pub(crate) fn one(&self) -> Value<'a> {
        self.first.clone().unwrap_or(Value::Nil)
    }

    /// The second argument, nil if none is written.
    pub(crate) fn two(&self) -> Value<'a> {
        self.second.clone().unwrap_or(Value::Nil)
    }
}

const fn filter(name: &'static str, least: usize, most: usize, run: Run) -> Spec {
    Spec { name, least, most, keywords: &[], run }
}

const fn fallback(name: &'static str) -> Spec {
    Spec { name, least: 0, most: 1, keywords: &["allow_false"], run: dunlin::fallback }
}

/// All filters, in alphabetical order.
pub(crate) static FILTERS: &[Spec] = &[
    filter("abs", 0, 0, math::abs),
    filter("append", 1, 1, html::append),
    filter("at_least", 1, 1, math::at_least),
    filter("at_most", 1, 1, math::at_most),
    filter("base64_decode", 0, 0, encode::base64_decode),
    filter("base64_encode", 0, 0, encode::base64_encode),
    filter("base64_url_safe_decode", 0, 0, encode::base64_url_safe_decode),
    filter("base64_url_safe_encode", 0, 0, encode::base64_url_safe_encode),
    filter("capitalize", 0, 0, text::capitalize),
    filter("ceil", 0, 0, math::ceil),
    filter("compact", 0, 1, array::compact),
    filter("concat", 1, 1, array::concat),
    filter("date", 1, 1, when::date),
    fallback("default"),
    filter("delimiter", 0, 2, dunlin::delimiter),
    filter("divided_by", 1, 1, math::divided_by),
    filter("downcase", 0, 0, text::downcase),
    filter("encode", 0, 0, encode::encode),
    filter("escape", 0, 0, html::escape),
    filter("escape_once", 0, 0, html::escape_once),
    fallback("fallback"),
    filter("find", 1, 2, select::find),
    filter("find_index", 1, 2, select::find_index),
    filter("first", 0, 0, array::first),
    filter("floor", 0, 0, math::floor),
    filter("format", 1, 1, dunlin::format),
    filter("h", 0, 0, html::escape),
    filter("has", 1, 2, select::has),
    filter("hmac_sha1", 1, 1, digest::hmac_sha1),
    filter("hmac_sha256", 1, 1, digest::hmac_sha256),
    filter("humanize", 0, 0, dunlin::humanize),
    filter("join", 0, 1, array::join),
    filter("last", 0, 0, array::last),
    filter("lstrip", 0, 0, text::lstrip),
    filter("map", 1, 1, select::map),
    filter("md5", 0, 0, digest::md5),
    filter("minus", 1, 1, math::minus),
    filter("modulo", 1, 1, math::modulo),
    filter("newline_to_br", 0, 0, html::newline_to_br),
    filter("plus", 1, 1, math::plus),
    filter("precision", 0, 1, dunlin::precision),
    filter("prepend", 1, 1, html::prepend),
    filter("raw", 0, 0, html::raw),
    filter("reject", 1, 2, select::reject),
    filter("remove", 1, 1, text::remove),
    filter("remove_first", 1, 1, text::remove_first),
    filter("remove_last", 1, 1, text::remove_last),
    filter("replace", 1, 2, text::replace),
    filter("replace_first", 1, 2, text::replace_first),
    filter("replace_last", 2, 2, text::replace_last),
    filter("reverse", 0, 0, array::reverse),
    filter("round", 0, 1, math::round),
    filter("rstrip", 0, 0, text::rstrip),
    filter("sha1", 0, 0, digest::sha1),
    filter("sha256", 0, 0, digest::sha256),
    filter("size", 0, 0, array::size),
    filter("slice", 1, 2, array::slice),
    filter("sort", 0, 1, sort::sort),
    filter("sort_natural", 0, 1, sort::sort_natural),
    filter("split", 1, 1, text::split),
    filter("strip", 0, 0, text::strip),
    filter("strip_html", 0, 0, html::strip_html),
    filter("strip_newlines", 0, 0, text::strip_newlines),
    filter("sum", 0, 1, select::sum),
    filter("time_zone", 1, 1, when::time_zone),
    filter("times", 1, 1, math::times),
    filter("truncate", 0, 2, text::truncate),
    filter("truncatewords", 0, 2, text::truncatewords),
    filter("uniq", 0, 1, array::uniq),
    filter("upcase", 0, 0, text::upcase),
    filter("url_decode", 0, 0, encode::url_decode),
    filter("url_encode", 0, 0, encode::url_encode),
    filter("where", 1, 2, select::filter_where),
];

/// The filter of this name.
pub(crate) fn find(name: &str) -> Option<&'static Spec> {
    let at = FILTERS.binary_search_by(|spec| spec.name.cmp(name)).ok()?;
    FILTERS.get(at)
}

/// The error that `operation` got something it cannot use.
fn wrong(operation: &'static str, expected: &'static str, found: &Value<'_>) -> Kind {
    Kind::WrongType { operation, expected, found: found.type_name() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_filter_is_found() {
        assert!(FILTERS.is_sorted_by(|a, b| a.name < b.name));
        assert!(FILTERS.iter().all(|spec| find(spec.name).is_some()));
    }

    #[test]
    fn no_filter_takes_more_arguments_than_a_call_holds() {
        assert!(FILTERS.iter().all(|spec| spec.least <= spec.most && spec.most <= 2));
    }
}
