//! Tags whose inside is not (or not as usual) parsed: comments, `doc`, `raw` and `liquid`.

use super::scan::{Fault, Piece, Scanner};
use super::tags::end;
use super::{Parser, Tag, push};
use crate::ast::{Node, NodeKind};
use crate::error::ParseErrorKind as Kind;

impl<'s> Parser<'s> {
    /// `{% # … %}`: every line starts with `#`.
    pub(super) fn inline_comment(&mut self, tag: &Tag<'s>) -> Result<(), Fault> {
        let mut at = tag.body.start;
        for (index, line) in self.slice(tag.body.clone()).split_inclusive('\n').enumerate() {
            let text = line.trim();
            if index > 0 && !text.is_empty() && !text.starts_with('#') {
                let at = at + (line.len() - line.trim_start().len());
                let found = format!("`{}`", text.chars().take(20).collect::<String>());
                let expected = "`#` at the start of every line of a comment";
                return Err((at, Kind::Unexpected { expected, found }));
            }
            at += line.len();
        }
        Ok(())
    }

    /// `comment`: skipped, but `comment` and `raw` inside it have their own ends.
    pub(super) fn comment(&mut self, scanner: &mut Scanner<'s>, tag: &Tag<'s>) -> Result<(), Fault> {
        let unclosed = (tag.at, Kind::UnclosedBlock { tag: "comment" });
        let mut depth = 1_usize;
        while depth > 0 {
            let Some(name) = scanner.next_tag_name() else {
                return Err(unclosed);
            };
            match self.slice(name) {
                "comment" => depth += 1,
                "endcomment" => depth -= 1,
                "raw" if !scanner.is_lines() && scanner.skip_verbatim("endraw").is_none() => {
                    return Err(unclosed);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// `doc`: skipped, and may not be nested.
    pub(super) fn doc(&mut self, scanner: &mut Scanner<'s>, tag: &Tag<'s>) -> Result<(), Fault> {
        end(&self.lexer(tag)?)?;
        let unclosed = (tag.at, Kind::UnclosedBlock { tag: "doc" });
        if scanner.is_lines() {
            while let Some(name) = scanner.next_tag_name() {
                if self.slice(name) == "enddoc" {
                    return Ok(());
                }
            }
            return Err(unclosed);
        }
        let mut start = scanner.offset();
        let body = scanner.skip_verbatim("enddoc").ok_or(unclosed)?;
        while let Some(open) = self.slice(start..body.end).find("{%") {
            let at = start + open;
            start = at + 2;
            let inside = self.slice(start..body.end);
            let inside = inside.strip_prefix('-').unwrap_or(inside).trim_ascii_start();
            let rest = inside.strip_prefix("doc");
            if rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(['-', '%'])) {
                let expected = "close `doc` with `{% enddoc %}` first".to_owned();
                return Err((at, Kind::MisplacedTag { name: "doc".to_owned(), expected }));
            }
        }
        Ok(())
    }

    /// `raw`: its inside is text.
    pub(super) fn raw(&mut self, nodes: &mut Vec<Node>, scanner: &mut Scanner<'s>, tag: &Tag<'s>) -> Result<(), Fault> {
        if scanner.is_lines() {
            let expected = "use it outside `liquid`".to_owned();
            return Err((tag.at, Kind::MisplacedTag { name: "raw".to_owned(), expected }));
        }
        end(&self.lexer(tag)?)?;
        let unclosed = (tag.at, Kind::UnclosedBlock { tag: "raw" });
        let body = scanner.skip_verbatim("endraw").ok_or(unclosed)?;
        if !body.is_empty() {
            push(nodes, body.start, NodeKind::Text(self.slice(body).into()));
        }
        Ok(())
    }

    /// `liquid`: every line is a tag; what is opened inside is closed inside.
    pub(super) fn liquid(&mut self, nodes: &mut Vec<Node>, tag: &Tag<'s>) -> Result<(), Fault> {
        let mut lines = Scanner::lines(self.source, tag.body.clone());
        let inside = self.nested(tag.at, |parser| parser.all(&mut lines))?;
        nodes.extend(inside);
        Ok(())
    }
}

impl Scanner<'_> {
    /// The name of the next tag, whatever stands between; `None` at the end.
    fn next_tag_name(&mut self) -> Option<std::ops::Range<usize>> {
        loop {
            match self.next_tag()? {
                Piece::Tag { name, .. } => return Some(name),
                _ => continue,
            }
        }
    }
}
