//! Tags without an inside, and the choice among all tags.

use super::lex::{Lexer, Token};
use super::scan::{Fault, Scanner};
use super::{Parser, Tag, misplaced, push};
use crate::ast::{Bound, Cycle, Expr, Node, NodeKind, Partial};

impl<'s> Parser<'s> {
    /// Parses a tag and pushes what it is.
    pub(super) fn tag(
        &mut self,
        nodes: &mut Vec<Node>,
        scanner: &mut Scanner<'s>,
        open: Option<&'static str>,
        tag: &Tag<'s>,
    ) -> Result<(), Fault> {
        let kind = match tag.name {
            "#" => return self.inline_comment(tag),
            "comment" => return self.comment(scanner, tag),
            "doc" => return self.doc(scanner, tag),
            "raw" => return self.raw(nodes, scanner, tag),
            "liquid" => return self.liquid(nodes, tag),
            "assign" => self.assign(tag)?,
            "break" => self.bare(tag, NodeKind::Break)?,
            "continue" => self.bare(tag, NodeKind::Continue)?,
            "capture" => self.capture(scanner, tag)?,
            "case" => self.case(scanner, tag)?,
            "cycle" => self.cycle(tag)?,
            "decrement" => NodeKind::Decrement(self.only_name(tag)?),
            "increment" => NodeKind::Increment(self.only_name(tag)?),
            "echo" => NodeKind::Output(self.output(tag.body.clone())?),
            "for" => self.for_loop(scanner, tag)?,
            "if" => self.conditional(scanner, tag, "if")?,
            "unless" => self.conditional(scanner, tag, "unless")?,
            "ifchanged" => self.if_changed(scanner, tag)?,
            "include" => self.partial(tag, false)?,
            "render" => self.partial(tag, true)?,
            "random" => self.random(tag)?,
            "tablerow" => self.table_row(scanner, tag)?,
            _ => return Err(misplaced(tag, open)),
        };
        push(nodes, tag.at, kind);
        Ok(())
    }

    fn bare(&mut self, tag: &Tag<'s>, kind: NodeKind) -> Result<NodeKind, Fault> {
        end(&self.lexer(tag)?)?;
        Ok(kind)
    }

    fn only_name(&mut self, tag: &Tag<'s>) -> Result<Box<str>, Fault> {
        let mut lexer = self.lexer(tag)?;
        let name = self.target(&mut lexer)?;
        end(&lexer)?;
        Ok(name)
    }

    /// The name of a variable to be given a value.
    pub(super) fn target(&mut self, lexer: &mut Lexer<'s>) -> Result<Box<str>, Fault> {
        let at = lexer.at();
        match lexer.peek() {
            Token::Name(name) if !name.ends_with('?') => {}
            Token::Int(number) if number >= 0 => {}
            _ => return Err(lexer.unexpected("the name of a variable")),
        }
        lexer.take()?;
        Ok(lexer.written_since(at).into())
    }

    fn assign(&mut self, tag: &Tag<'s>) -> Result<NodeKind, Fault> {
        let mut lexer = self.lexer(tag)?;
        let name = self.target(&mut lexer)?;
        if !lexer.accept("=")? {
            return Err(lexer.unexpected("`=` after the name"));
        }
        let value = self.filtered(&mut lexer)?;
        self.binds(&name);
        Ok(NodeKind::Assign(name, value))
    }

    fn random(&mut self, tag: &Tag<'s>) -> Result<NodeKind, Fault> {
        let mut lexer = self.lexer(tag)?;
        let bound = self.expression(&mut lexer)?;
        end(&lexer)?;
        Ok(NodeKind::Random(bound))
    }

    fn cycle(&mut self, tag: &Tag<'s>) -> Result<NodeKind, Fault> {
        let mut lexer = self.lexer(tag)?;
        let mut start = lexer.at();
        let first = self.expression(&mut lexer)?;
        let mut values = Vec::new();
        let group = if lexer.accept(":")? {
            start = lexer.at();
            values.push(self.expression(&mut lexer)?);
            Some(first)
        } else {
            values.push(first);
            None
        };
        while lexer.accept(",")? {
            if lexer.peek() == Token::End {
                break;
            }
            values.push(self.expression(&mut lexer)?);
        }
        end(&lexer)?;
        let written = lexer.written_since(start).into();
        Ok(NodeKind::Cycle(Box::new(Cycle { group, written, values })))
    }

    fn partial(&mut self, tag: &Tag<'s>, isolated: bool) -> Result<NodeKind, Fault> {
        let mut lexer = self.lexer(tag)?;
        if isolated && !matches!(lexer.peek(), Token::Text(_)) {
            return Err(lexer.unexpected("the name of a partial in quotes"));
        }
        let name = self.expression(&mut lexer)?;
        if let Expr::Text(name) = &name {
            self.partials.insert(name.clone());
        }
        let each = lexer.peek() == Token::Name("for");
        let bound = if each || lexer.peek() == Token::Name("with") {
            lexer.take()?;
            let value = self.expression(&mut lexer)?;
            let alias = if lexer.accept_name("as")? { Some(name_of(&mut lexer)?) } else { None };
            Some(Bound { value, each, alias: alias.map(Into::into) })
        } else {
            None
        };
        let mut keywords = Vec::new();
        loop {
            while lexer.accept(",")? {}
            if lexer.peek() == Token::End {
                break;
            }
            let name = name_of(&mut lexer)?;
            if !lexer.accept(":")? {
                return Err(lexer.unexpected("`:` after the name of the argument"));
            }
            keywords.push((name.into(), self.expression(&mut lexer)?));
        }
        Ok(NodeKind::Partial(Box::new(Partial { name, isolated, bound, keywords })))
    }
}

fn name_of<'s>(lexer: &mut Lexer<'s>) -> Result<&'s str, Fault> {
    match lexer.peek() {
        Token::Name(name) => {
            lexer.take()?;
            Ok(name)
        }
        _ => Err(lexer.unexpected("a name")),
    }
}

/// Nothing may follow.
pub(super) fn end(lexer: &Lexer<'_>) -> Result<(), Fault> {
    match lexer.peek() {
        Token::End => Ok(()),
        _ => Err(lexer.unexpected("the end of the tag")),
    }
}
