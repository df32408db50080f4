//! The text body of a mail that has only HTML.

/// Elements whose content is not markup.
const RAW: [&str; 7] = ["script", "style", "textarea", "title", "template", "xmp", "pre"];

/// The text of an HTML body. Taken before tracking, so that its links stay readable.
pub(super) fn to_text(html: &str) -> String {
    nanohtml2text::html2text(until_open_tag(html)).trim().to_owned()
}

/// The HTML up to a tag that never ends. A browser drops such a tag and all behind it; `nanohtml2text`
/// looks for its end again at every `<` that follows, which takes minutes for a hostile megabyte.
fn until_open_tag(html: &str) -> &str {
    let mut rest = html;
    while let Some((_, tag)) = rest.split_once('<') {
        let start = html.len() - tag.len() - 1;
        if let Some(comment) = tag.strip_prefix("!--") {
            let Some((_, behind)) = comment.split_once("-->") else { return html };
            rest = behind;
            continue;
        }
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            rest = tag;
            continue;
        }
        let Some((inside, behind)) = split_tag(tag) else { return html.get(..start).unwrap_or_default() };
        let name = inside.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
        rest = match RAW.iter().find(|raw| name.eq_ignore_ascii_case(raw)) {
            Some(raw) => match behind_raw(behind, raw) {
                Some(behind) => behind,
                None => return html,
            },
            None => behind,
        };
    }
    html
}

/// What stands in a tag and what behind it. A quote opens a value only behind `=`; a `>` in a value ends nothing.
fn split_tag(tag: &str) -> Option<(&str, &str)> {
    let (mut quote, mut after_equals) = (None, false);
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => (quote, after_equals) = (None, false),
            (None, '>') => return Some((tag.get(..at)?, tag.get(at + 1..)?)),
            (None, '"' | '\'') if after_equals => quote = Some(c),
            (None, '=') => after_equals = true,
            (None, c) if !c.is_whitespace() => after_equals = false,
            _ => {}
        }
    }
    None
}

/// What follows the content of an element whose content is not markup.
fn behind_raw<'a>(content: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = content;
    loop {
        let (_, behind) = rest.split_once("</")?;
        let found = behind.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        if found && let Some(end) = behind.get(name.len()..).and_then(|end| end.trim_start().strip_prefix('>')) {
            return Some(end);
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_paragraphs_links_and_characters() {
        let html =
            "<style>p{color:red}</style><h1>Hi &amp; bye</h1><p>5 &lt; 6 <a href='https://a.b'>x</a></p><p>é&nbsp;z";
        assert_eq!(to_text(html), "Hi & bye\r\n\r\n5 < 6 x (https://a.b)\r\n\r\né\u{a0}z");
    }

    #[test]
    fn a_tag_that_never_ends_ends_the_text() {
        let table = [
            ("<p>a</p><a href='x", "<p>a</p>"),
            ("a < b <p>c", "a < b <p>c"),
            ("<p title='a>b'>c", "<p title='a>b'>c"),
            ("<p title=it's>c", "<p title=it's>c"),
            ("<!-- <a b=' -->c<b", "<!-- <a b=' -->c"),
            ("<script>if (a<b) c='</script >d<b x='", "<script>if (a<b) c='</script >d"),
            ("<pre><a b='", "<pre><a b='"),
            ("<", "<"),
        ];
        for (html, kept) in table {
            assert_eq!(until_open_tag(html), kept);
        }
    }

    #[test]
    fn hostile_html_costs_no_more_than_its_length() {
        for unit in
            ["<a b='", "<a", "<a>", "</a b='", "<a b='<a b='>", "<pre", "<!", "<a href=x><b c='", "<b c='><script>"]
        {
            // Quadratic work on these 1.8 MB would take many minutes.
            let html = unit.repeat(300_000);
            assert!(to_text(&html).len() <= html.len() * 2, "{unit}");
        }
    }
}
