//! Liquid over the fields of one message.

use std::collections::BTreeMap;

use dunlin_liquid::{Escape, Limits, RenderOptions, Template};
use jiff::Timestamp;

use super::context::Context;
use super::{Field, Occasion, Unsendable};
use crate::ids::digest;
use crate::limits::{CAMPAIGN_BYTES, MAIL_BYTES};

/// A message's variables and partials.
pub(super) struct Liquid {
    context: Context,
    partials: BTreeMap<String, Template>,
    now: Timestamp,
    seed: u64,
}

impl Liquid {
    /// Parses the partials and builds the variables.
    pub(super) fn new(partials: &BTreeMap<String, String>, occasion: &Occasion<'_>) -> Result<Self, Unsendable> {
        let partials = partials
            .iter()
            .map(|(name, source)| Ok((name.clone(), parse(Field::Partial(name.clone()), source)?)))
            .collect::<Result<_, Unsendable>>()?;
        let seed = digest(&[occasion.delivery.as_str(), "random"]);
        let seed = seed.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
        Ok(Self { context: Context::new(occasion), partials, now: occasion.now, seed })
    }

    /// A field that is not HTML.
    pub(super) fn plain(&self, field: Field, source: &str) -> Result<String, Unsendable> {
        self.render(field, source, Escape::None, &self.context.plain)
    }

    /// A field that is HTML: what data prints is escaped.
    pub(super) fn html(&self, field: Field, source: &str) -> Result<String, Unsendable> {
        let mut html = self.render(field, source, Escape::Html, &self.context.html)?;
        for (stand_in, anchor) in &self.context.anchors {
            if html.contains(stand_in) {
                html = html.replace(stand_in, anchor);
            }
        }
        Ok(html)
    }

    fn render(
        &self,
        field: Field,
        source: &str,
        escape: Escape,
        globals: &serde_json::Value,
    ) -> Result<String, Unsendable> {
        let template = parse(field.clone(), source)?;
        let limits = Limits { output_bytes: MAIL_BYTES, ..Limits::default() };
        let options = RenderOptions { escape, limits, now: self.now, seed: self.seed, partials: &self.partials };
        template.render(globals, &options).map_err(|source| Unsendable::Render { field, source })
    }
}

fn parse(field: Field, source: &str) -> Result<Template, Unsendable> {
    let limits = Limits { source_bytes: CAMPAIGN_BYTES, ..Limits::default() };
    Template::parse_with(source, &limits).map_err(|source| Unsendable::Parse { field, source })
}
