//! The outer language: text, `{{ … }}`, `{% … %}`, white-space control, and the lines of `liquid`.

use std::ops::Range;

use crate::error::ParseErrorKind as Kind;

/// A fault of the source and its offset.
pub(crate) type Fault = (usize, Kind);

/// One piece of a source. Ranges are byte offsets.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Literal text, white-space control applied.
    Text(Range<usize>),
    /// The inside of `{{ … }}`; `at` is the opening brace.
    Output { at: usize, body: Range<usize> },
    /// A tag, its name and what follows the name.
    Tag { at: usize, name: Range<usize>, body: Range<usize> },
}

/// Cuts a source into pieces.
#[derive(Debug)]
pub(crate) struct Scanner<'s> {
    source: &'s str,
    at: usize,
    end: usize,
    /// Every line is a tag (inside `liquid`).
    lines: bool,
    /// The last markup ended with `-`.
    trim: bool,
}

impl<'s> Scanner<'s> {
    /// A whole template.
    pub(crate) fn template(source: &'s str) -> Self {
        Self { source, at: 0, end: source.len(), lines: false, trim: false }
    }

    /// The body of a `liquid` tag.
    pub(crate) fn lines(source: &'s str, body: Range<usize>) -> Self {
        Self { source, at: body.start, end: body.end, lines: true, trim: false }
    }

    /// Whether this is the body of a `liquid` tag.
    pub(crate) fn is_lines(&self) -> bool {
        self.lines
    }

    fn slice(&self, range: Range<usize>) -> &'s str {
        self.source.get(range).unwrap_or_default()
    }

    /// The next piece, or `None` at the end.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, Fault> {
        if self.lines {
            return Ok(self.next_line());
        }
        while self.at < self.end {
            let start = self.at;
            let (markup, text) = self.find_markup();
            if markup > start {
                self.at = markup;
                if !text.is_empty() {
                    return Ok(Some(Piece::Text(text)));
                }
                continue;
            }
            return self.markup(start).map(Some);
        }
        Ok(None)
    }

    /// The offset of the next markup, and the trimmed text before it.
    fn find_markup(&mut self) -> (usize, Range<usize>) {
        let rest = self.slice(self.at..self.end);
        let bytes = rest.as_bytes();
        let mut from = 0;
        let markup = loop {
            let Some(brace) = rest.get(from..).and_then(|rest| rest.find('{')) else {
                break rest.len();
            };
            let brace = from + brace;
            if matches!(bytes.get(brace + 1), Some(b'{' | b'%')) {
                break brace;
            }
            from = brace + 1;
        };
        let mut text = rest.get(..markup).unwrap_or_default();
        let mut start = self.at;
        if std::mem::take(&mut self.trim) && markup > 0 {
            let trimmed = text.trim_ascii_start();
            start += text.len() - trimmed.len();
            text = trimmed;
        }
        if bytes.get(markup + 2) == Some(&b'-') {
            text = text.trim_ascii_end();
        }
        (self.at + markup, start..start + text.len())
    }

    fn markup(&mut self, start: usize) -> Result<Piece, Fault> {
        let is_tag = self.slice(start..self.end).starts_with("{%");
        let (open, close) = if is_tag { ("{%", "%}") } else { ("{{", "}}") };
        let inside = start + open.len();
        let Some(length) = self.slice(inside..self.end).find(close) else {
            return Err((start, Kind::UnclosedMarkup { open, close }));
        };
        let (mut from, mut to) = (inside, inside + length);
        self.at = to + close.len();
        if self.slice(from..to).starts_with('-') {
            from += 1;
        }
        self.trim = self.slice(from..to).ends_with('-');
        if self.trim {
            to -= 1;
        }
        if is_tag {
            return Ok(self.tag(start, from..to));
        }
        Ok(Piece::Output { at: start, body: from..to })
    }

    /// Splits the inside of a tag into name and body.
    fn tag(&self, at: usize, inside: Range<usize>) -> Piece {
        let text = self.slice(inside.clone());
        let start = inside.start + (text.len() - text.trim_start().len());
        let text = text.trim_start();
        let length = if text.starts_with('#') {
            1
        } else {
            text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
        };
        Piece::Tag { at, name: start..start + length, body: start + length..inside.end }
    }

    /// The next offset to be read.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// The next tag, skipping text and outputs without reading them; `None` at the end or where a
    /// tag is not closed.
    pub(crate) fn next_tag(&mut self) -> Option<Piece> {
        if self.lines {
            return self.next_line();
        }
        let start = self.at + self.slice(self.at..self.end).find("{%")?;
        self.markup(start).ok()
    }

    fn next_line(&mut self) -> Option<Piece> {
        while self.at < self.end {
            let rest = self.slice(self.at..self.end);
            let length = rest.find('\n').unwrap_or(rest.len());
            let start = self.at;
            self.at = start + length + 1;
            let line = rest.get(..length).unwrap_or_default();
            if !line.trim_ascii().is_empty() {
                let at = start + (line.len() - line.trim_ascii_start().len());
                return Some(self.tag(at, start..start + length));
            }
        }
        None
    }

    /// Skips to the end tag `end` of a tag whose inside is not parsed, and gives that inside with
    /// white-space control applied. `None` if there is no such end tag.
    pub(crate) fn skip_verbatim(&mut self, end: &str) -> Option<Range<usize>> {
        let mut start = self.at;
        let mut from = self.at;
        while let Some(open) = self.slice(from..self.end).find("{%") {
            let open = from + open;
            from = open + 2;
            let rest = self.slice(from..self.end);
            let inside = rest.strip_prefix('-').unwrap_or(rest);
            let Some(after) = inside.trim_ascii_start().strip_prefix(end) else {
                continue;
            };
            let after = after.trim_ascii_start();
            let trims = after.starts_with('-');
            let after = after.strip_prefix('-').unwrap_or(after);
            let Some(after) = after.strip_prefix("%}") else {
                continue;
            };
            let mut body = self.slice(start..open);
            if std::mem::take(&mut self.trim) {
                let trimmed = body.trim_ascii_start();
                start += body.len() - trimmed.len();
                body = trimmed;
            }
            if rest.starts_with('-') {
                body = body.trim_ascii_end();
            }
            self.at = self.end - after.len();
            self.trim = trims;
            return Some(start..start + body.len());
        }
        None
    }
}
