use std::collections::BTreeMap;

use dunlin_core::campaign::parse;

use super::*;

fn diagram(steps: &str) -> Diagram {
    let text = format!(
        "name: 'Test <b>&\"'\nkind: workflow\ntrigger: {{event: '<script>alert(1)</script>'}}\nfrom: ann@example.com\nmessages:\n  a: {{subject: 'A & \"B\" <i>', text: a}}\nsteps:\n{steps}"
    );
    Diagram::of(&parse("test.yaml", &text, &BTreeMap::new()).unwrap_or_else(|problems| panic!("{problems:?}")))
}

const EVERY: &str = "
- {wait: 31 days}
- {branch: [{when: [{tag: vip}], to: drawn}], else: kept}
- {name: drawn, split: [{percent: 25, to: a}, {percent: 75, to: kept}]}
- {name: a, send: a}
- {name: kept, hold_out: 10}
- {name: loop, filter: [{no_tag: done}], else: out, next: wait-1}
- {wait: {date: user.renewal_at, else: out}}
- {name: out, exit: 'that is <all>'}
";

fn ways(diagram: &Diagram) -> Vec<String> {
    let name = |index: usize| diagram.boxes[index].name.as_str();
    let way = |arrow: &Arrow| format!("{} -{}-> {}", name(arrow.from), arrow.when, name(arrow.to));
    diagram.arrows.iter().map(way).collect()
}

#[test]
fn every_way_that_a_run_can_take_is_an_arrow() {
    let expected = [
        "trigger --> wait-1",
        "wait-1 --> branch-2",
        "branch-2 -has the tag \"vip\"-> drawn",
        "branch-2 -else-> kept",
        "drawn -25 %-> a",
        "drawn -75 %-> kept",
        "a --> kept",
        "kept -the others-> loop",
        "kept -10 %-> end",
        "loop -yes-> wait-1",
        "loop -no-> out",
        "wait-7 --> out",
        "wait-7 -no date-> out",
    ];
    assert_eq!(ways(&diagram(EVERY)), expected);
    assert_eq!(ways(&diagram("- send: a\n")), ["trigger --> a", "a --> end"]);
}

/// Ways for a campaign to end: its last step, and the lines that lead on from there.
fn endings() -> Vec<(String, Vec<&'static str>)> {
    let hook = "webhook: {url: 'https://example.com/'}";
    let hears = "wait_for: {event: X}, within: 1 day, happened: first";
    let holds = "wait_until: [{tag: vip}], within: 1 day, happened: first, timed_out: first";
    let table = [
        (hook.to_owned(), vec!["last -answered-> end", "last -failed-> end"]),
        (format!("{hook}, failed: first"), vec!["last -answered-> end", "last -failed-> first"]),
        (format!("{hook}, next: first"), vec!["last -answered-> first", "last -failed-> first"]),
        (hears.to_owned(), vec!["last -it happened-> first", "last -timed out-> end"]),
        (holds.to_owned(), vec!["last -it holds-> first", "last -timed out-> first"]),
        ("filter: [{tag: vip}], next: first".to_owned(), vec!["last -yes-> first", "last -no-> end"]),
        ("filter: [{tag: vip}], else: first".to_owned(), vec!["last -yes-> end", "last -no-> first"]),
        (
            "branch: [{when: [{tag: vip}], to: first}]".to_owned(),
            vec!["last -has the tag \"vip\"-> first", "last -else-> end"],
        ),
        ("split: [{percent: 100, to: first}]".to_owned(), vec!["last -100 %-> first"]),
        ("hold_out: 10".to_owned(), vec!["last -the others-> end", "last -10 %-> end"]),
        ("wait: {date: user.x, else: first}, next: first".to_owned(), vec!["last --> first", "last -no date-> first"]),
        ("exit: over".to_owned(), vec![]),
    ];
    let whole = |last: String| format!("- {{name: first, wait: 1 day}}\n- {{name: last, {last}}}\n");
    table.into_iter().map(|(last, lines)| (whole(last), lines)).collect()
}

#[test]
fn no_box_is_without_a_line_whatever_the_last_step_is() {
    for (steps, expected) in endings() {
        let drawn = diagram(&steps);
        let lines = ways(&drawn);
        assert_eq!(lines, [vec!["trigger --> first", "first --> last"], expected].concat(), "{steps}");
        for (index, one) in drawn.boxes.iter().enumerate() {
            let has_line = drawn.arrows.iter().any(|arrow| arrow.from == index || arrow.to == index);
            assert!(has_line, "{steps}: no line at {one:?}");
        }
        let ends = lines.iter().any(|line| line.ends_with(" end"));
        assert_eq!(mermaid(&drawn).contains("([\"end\"])"), ends, "{steps}");
    }
}

#[test]
fn each_line_of_the_picture_leads_to_its_box_and_none_lies_on_another() {
    for (steps, _) in endings() {
        let drawn = diagram(&steps);
        let picture = svg(&drawn);
        let document = roxmltree::Document::parse(&picture).expect("SVG");
        let boxes = rectangles(&document);
        let lines = document.descendants().filter(|node| node.attribute("marker-end").is_some());
        let lines: Vec<&str> = lines.filter_map(|node| node.attribute("d")).collect();
        for (arrow, line) in drawn.arrows.iter().zip(&lines) {
            let tip = line.rsplit_once('L').and_then(|(_, tip)| tip.split_once(' ')).expect("a point");
            let (x, y): (f64, f64) = (tip.0.parse().expect("x"), tip.1.parse().expect("y"));
            let [left, top, width, height] = boxes[arrow.to];
            let across = (left - 1.0..=left + width + 1.0).contains(&x);
            let down = (top - 1.0..=top + height + 1.0).contains(&y);
            assert!(across && down, "{steps}: the line to {:?} ends elsewhere\n{picture}", drawn.boxes[arrow.to]);
        }
        let apart: std::collections::BTreeSet<_> = lines.iter().collect();
        assert_eq!(apart.len(), drawn.arrows.len(), "{steps}: a line lies on another\n{picture}");
    }
}

fn number(node: &roxmltree::Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).expect(name).parse().expect(name)
}

/// Left, top, width and height of the boxes.
fn rectangles(document: &roxmltree::Document<'_>) -> Vec<[f64; 4]> {
    let boxes = document.descendants().filter(|node| node.has_tag_name("rect"));
    boxes.map(|node| ["x", "y", "width", "height"].map(|name| number(&node, name))).collect()
}

#[test]
fn the_picture_is_one_well_formed_document_with_a_box_for_each_step_and_nothing_on_top_of_another() {
    let drawn = diagram(EVERY);
    let picture = svg(&drawn);
    let document = roxmltree::Document::parse(&picture).unwrap_or_else(|error| panic!("{error}: {picture}"));
    let boxes = rectangles(&document);
    assert_eq!(boxes.len(), drawn.boxes.len());
    let page = ["width", "height"].map(|name| number(&document.root_element(), name));
    for (index, [x, y, width, height]) in boxes.iter().enumerate() {
        assert!(*x >= 0.0 && *y >= 0.0 && x + width <= page[0] && y + height <= page[1], "box {index} is off the page");
        for [left, top, wide, high] in &boxes[..index] {
            let apart = x + width <= *left || left + wide <= *x || y + height <= *top || top + high <= *y;
            assert!(apart, "box {index} lies on another");
        }
    }
    let arrows = document.descendants().filter(|node| node.attribute("marker-end").is_some());
    assert_eq!(arrows.count(), drawn.arrows.len());
}

#[test]
fn no_text_of_a_campaign_is_markup() {
    let drawn = diagram(EVERY);
    let picture = svg(&drawn);
    let document = roxmltree::Document::parse(&picture).expect("SVG");
    assert!(
        !document
            .descendants()
            .any(|node| node.has_tag_name("script") || node.has_tag_name("b") || node.has_tag_name("i"))
    );
    let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
    assert!(texts.contains(&"<script>alert(1)</script>") && texts.contains(&"sends: A & \"B\" <i>"), "{texts:?}");
    let text = mermaid(&drawn);
    assert!(!text.contains("<script") && !text.contains("<i>") && !text.contains('&'), "{text}");
}

#[test]
fn mermaid_text_has_a_line_for_each_box_and_each_arrow() {
    let text = mermaid(&diagram("- {wait: 1 day}\n- {filter: [{tag: vip}]}\n- {send: a}\n"));
    let expected = "flowchart TD
  b0([\"trigger<br>‹script›alert(1)‹/script›\"])
  b1{{\"wait-1<br>1 day\"}}
  b2{\"filter-2<br>has the tag 'vip'\"}
  b3[\"a<br>sends: A ＆ 'B' ‹i›\"]
  b4([\"end\"])
  b0 --> b1
  b1 --> b2
  b2 -->|\"yes\"| b3
  b2 -->|\"no\"| b4
  b3 --> b4
";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn a_long_text_is_cut_and_a_long_campaign_is_drawn() {
    let steps = format!("- {{exit: '{}'}}\n", "long ".repeat(100));
    let drawn = diagram(&steps);
    assert_eq!(drawn.boxes[1].text.chars().count(), 60);
    assert!(drawn.boxes[1].text.ends_with('…'));
    let many = diagram(&"- wait: 1 day\n- send: a\n".repeat(100));
    assert_eq!(svg(&many).matches("<rect").count(), 202);
}
