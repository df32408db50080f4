//! Mermaid text.

use std::fmt::Write as _;

use crate::diagram::{Diagram, Shape};

/// The diagram as a Mermaid flowchart.
#[must_use]
pub fn mermaid(diagram: &Diagram) -> String {
    let mut text = format!("---\ntitle: \"{}\"\n---\nflowchart TD\n", plain(&diagram.title));
    for (index, one) in diagram.boxes.iter().enumerate() {
        let (open, close) = match one.shape {
            Shape::Terminal => ("([", "])"),
            Shape::Deed => ("[", "]"),
            Shape::Wait => ("{{", "}}"),
            Shape::Choice => ("{", "}"),
        };
        let label: Vec<String> =
            [&one.name, &one.text].into_iter().filter(|part| !part.is_empty()).map(|part| plain(part)).collect();
        let _ = writeln!(text, "  b{index}{open}\"{}\"{close}", label.join("<br>"));
    }
    for arrow in &diagram.arrows {
        let when = if arrow.when.is_empty() { String::new() } else { format!("|\"{}\"|", plain(&arrow.when)) };
        let _ = writeln!(text, "  b{} -->{when} b{}", arrow.from, arrow.to);
    }
    text
}

/// A text without the characters that mean something in a label, which Mermaid takes for Markdown and HTML: look-alikes in
/// their place, since renderers differ in which escapes they know.
fn plain(text: &str) -> String {
    let alike = |c| match c {
        '"' | '`' => '\'',
        '<' => '‹',
        '>' => '›',
        '&' => '＆',
        '#' => '＃',
        '*' => '∗',
        '_' => '‗',
        '\\' => '∖',
        other => other,
    };
    text.chars().map(alike).collect()
}
