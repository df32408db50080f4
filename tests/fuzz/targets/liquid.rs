//! Parses the input as a template (after a first line of JSON, if there is one) and renders it,
//! with itself as its partials. It must not panic, overflow the stack or exceed its limits.

#![no_main]

use dunlin_liquid::{Escape, Limits, Partials, RenderOptions, Template};
use libfuzzer_sys::fuzz_target;

struct Itself<'a>(&'a Template);

impl Partials for Itself<'_> {
    fn get(&self, _name: &str) -> Option<Template> {
        Some(self.0.clone())
    }
}

fuzz_target!(|input: &str| {
    let (first, rest) = input.split_once('\n').unwrap_or(("", input));
    let (data, source) = match serde_json::from_str(first) {
        Ok(data) => (data, rest),
        Err(_) => (serde_json::json!({ "a": [1, "x", { "b": 2.5 }], "b": "<b>" }), input),
    };
    let Ok(template) = Template::parse(source) else { return };
    let limits = Limits { steps: 50_000, text_bytes: 1 << 20, ..Limits::default() };
    let output_bytes = limits.output_bytes;
    for escape in [Escape::None, Escape::Html] {
        let options = RenderOptions {
            escape,
            limits,
            partials: &Itself(&template),
            ..RenderOptions::new(jiff::Timestamp::UNIX_EPOCH)
        };
        if let Ok(text) = template.render(&data, &options) {
            assert!(text.len() <= output_bytes);
        }
    }
});
