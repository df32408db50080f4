//! SVG: dagre says what lies where, maud writes it. Lengths are in pixels.

use dagre::graph::{Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, GraphLabel, LayoutOptions, NodeLabel, Point, layout};
use maud::{Markup, PreEscaped, html};

use crate::diagram::{Arrow, Box, Diagram, Shape};

/// Of a character, about: fonts differ.
const WIDE: f64 = 7.2;
/// Of a line of text.
const HIGH: f64 = 18.0;
/// Between a box and its text, on each side.
const PADDING: f64 = 14.0;
/// Around the picture.
const MARGIN: f64 = 16.0;

/// Colours of shapes, by class; both on light and on dark ground.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1c2733;text-anchor:middle;dominant-baseline:central}\
.name{font-weight:600}.when{font-size:12px;paint-order:stroke;stroke:#fff;stroke-width:4px}\
rect{stroke:#33475b;stroke-width:1.2}.terminal{fill:#e8eef4}.deed{fill:#dff0e3}.wait{fill:#fdf3d7}.choice{fill:#e9e3f6}\
path{fill:none;stroke:#33475b;stroke-width:1.2}marker path{fill:#33475b}";

/// The diagram as an SVG document of its own.
#[must_use]
pub fn svg(diagram: &Diagram) -> String {
    let graph = laid_out(diagram);
    let size = graph.graph_label::<GraphLabel>().map_or((0.0, 0.0), |label| (label.width, label.height));
    let view = format!("0 0 {:.0} {:.0}", size.0, size.1);
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(view) width=(format!("{:.0}", size.0)) height=(format!("{:.0}", size.1)) role="img" aria-label=(diagram.title) {
            title { (diagram.title) }
            style { (PreEscaped(STYLE)) }
            defs {
                marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse" {
                    path d="M0 0L8 4L0 8z" {}
                }
            }
            @for (index, arrow) in diagram.arrows.iter().enumerate() { (drawn_arrow(&graph, index, arrow)) }
            @for (index, one) in diagram.boxes.iter().enumerate() { (drawn_box(&graph, index, one)) }
        }
    };
    picture.into_string()
}

type Laid = Graph<NodeLabel, EdgeLabel>;

fn laid_out(diagram: &Diagram) -> Laid {
    let mut graph: Laid = Graph::with_options(GraphOptions { directed: true, multigraph: true, compound: false });
    for (index, one) in diagram.boxes.iter().enumerate() {
        let (width, height) = one.size();
        graph.set_node(index.to_string(), Some(NodeLabel { width, height, ..NodeLabel::default() }));
    }
    for (index, arrow) in diagram.arrows.iter().enumerate() {
        let (width, height) = if arrow.when.is_empty() { (0.0, 0.0) } else { (wide(&arrow.when), HIGH) };
        let label = EdgeLabel { width, height, labelpos: LabelPos::Center, ..EdgeLabel::default() };
        graph.set_edge(arrow.from.to_string(), arrow.to.to_string(), Some(label), Some(&index.to_string()));
    }
    layout(&mut graph, Some(LayoutOptions { marginx: MARGIN, marginy: MARGIN, ..LayoutOptions::default() }));
    graph
}

impl Box {
    fn lines(&self) -> Vec<(&'static str, &str)> {
        let lines = [("name", self.name.as_str()), ("text", self.text.as_str())];
        lines.into_iter().filter(|(_, line)| !line.is_empty()).collect()
    }

    fn size(&self) -> (f64, f64) {
        let lines = self.lines();
        let widest = lines.iter().map(|(_, line)| wide(line)).fold(0.0, f64::max);
        (widest + 2.0 * PADDING, lines.len() as f64 * HIGH + PADDING)
    }
}

fn wide(text: &str) -> f64 {
    text.chars().count() as f64 * WIDE
}

fn drawn_box(graph: &Laid, index: usize, one: &Box) -> Markup {
    let Some(laid) = graph.node(&index.to_string()) else { return html! {} };
    let (x, y) = (laid.x.unwrap_or_default(), laid.y.unwrap_or_default());
    let (left, top) = (x - laid.width / 2.0, y - laid.height / 2.0);
    let (class, round) = match one.shape {
        Shape::Terminal => ("terminal", laid.height / 2.0),
        Shape::Deed => ("deed", 4.0),
        Shape::Wait => ("wait", 4.0),
        Shape::Choice => ("choice", 4.0),
    };
    let lines = one.lines();
    let first = y - (lines.len() as f64 - 1.0) * HIGH / 2.0;
    html! {
        rect class=(class) x=(px(left)) y=(px(top)) width=(px(laid.width)) height=(px(laid.height)) rx=(px(round)) {}
        @for (number, (class, line)) in lines.into_iter().enumerate() {
            text class=(class) x=(px(x)) y=(px(first + number as f64 * HIGH)) { (line) }
        }
    }
}

fn drawn_arrow(graph: &Laid, index: usize, arrow: &Arrow) -> Markup {
    let (from, to) = (arrow.from.to_string(), arrow.to.to_string());
    let Some(laid) = graph.edge(&from, &to, Some(&index.to_string())) else { return html! {} };
    html! {
        path d=(path(&laid.points)) marker-end="url(#head)" {}
        @if let (false, Some(x), Some(y)) = (arrow.when.is_empty(), laid.x, laid.y) {
            text class="when" x=(px(x)) y=(px(y)) { (arrow.when) }
        }
    }
}

fn path(points: &[Point]) -> String {
    let step = |(number, point): (usize, &Point)| {
        format!("{}{} {}", if number == 0 { 'M' } else { 'L' }, px(point.x), px(point.y))
    };
    points.iter().enumerate().map(step).collect()
}

fn px(length: f64) -> String {
    format!("{length:.1}")
}
