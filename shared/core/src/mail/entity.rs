//! Character references in attribute values, which `lol_html` hands over as they were written.

/// The value with its character references resolved. Of the named ones only those that can hide a URL's
/// scheme or separators count; an unknown one stays as it is, as `&copy=1` in a query must.
pub(super) fn decode(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (c, behind) = reference(after).unwrap_or(('&', after));
        plain.push(c);
        rest = behind;
    }
    plain.push_str(rest);
    plain
}

/// The value so that it can stand between double quotes.
pub(super) fn encode(value: &str) -> String {
    value.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Named references that can hide a URL's scheme or separators, and those that escaping makes.
const NAMED: [(&str, char); 13] = [
    ("amp;", '&'),
    ("lt;", '<'),
    ("gt;", '>'),
    ("quot;", '"'),
    ("apos;", '\''),
    ("colon;", ':'),
    ("sol;", '/'),
    ("period;", '.'),
    ("num;", '#'),
    ("Tab;", '\t'),
    ("NewLine;", '\n'),
    ("equals;", '='),
    ("quest;", '?'),
];

/// The character that the text behind an `&` stands for, and what follows it.
fn reference(text: &str) -> Option<(char, &str)> {
    if let Some(number) = text.strip_prefix('#') {
        return numeric(number);
    }
    NAMED.iter().find_map(|(name, c)| text.strip_prefix(name).map(|behind| (*c, behind)))
}

fn numeric(text: &str) -> Option<(char, &str)> {
    let (digits, radix) = match text.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16),
        None => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (number, behind) = digits.split_at_checked(end)?;
    let c = u32::from_str_radix(number, radix).ok().and_then(char::from_u32)?;
    Some((c, behind.strip_prefix(';').unwrap_or(behind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_the_characters_that_a_browser_reads() {
        let table = [
            ("https://a.b/?c=d&amp;e=f", "https://a.b/?c=d&e=f"),
            ("a&#39;b&#x2F;c&#X2f;d", "a'b/c/d"),
            ("&#106;avascript&colon;x", "javascript:x"),
            ("&#106avascript:x", "javascript:x"),
            ("?a=1&copy=2&b=3&", "?a=1&copy=2&b=3&"),
            ("&#;&#x;&#xFFFFFFFFF;&#xD800;", "&#;&#x;&#xFFFFFFFFF;&#xD800;"),
            ("&amp;amp;", "&amp;"),
        ];
        for (value, plain) in table {
            assert_eq!(decode(value), plain);
        }
    }

    #[test]
    fn what_was_encoded_decodes_to_itself() {
        for value in ["https://a.b/?c=\"d\"&e=<f>&amp;", "&", ""] {
            assert_eq!(decode(&encode(value)), value);
        }
    }
}
