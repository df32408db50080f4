//! `for` and `tablerow`.

use super::lex::{Lexer, Token};
use super::scan::{Fault, Scanner};
use super::{Parser, Tag};
use crate::ast::{Expr, For, NodeKind, Offset, Source, TableRow};

impl<'s> Parser<'s> {
    pub(super) fn for_loop(&mut self, scanner: &mut Scanner<'s>, tag: &Tag<'s>) -> Result<NodeKind, Fault> {
        const STOPS: &[&str] = &["else", "endfor"];
        let bindings = self.bindings.len();
        let (source, _) = self.source(&mut self.lexer(tag)?, false)?;
        self.binds("forloop");
        let open = ("for", tag.at);
        let (mut body, mut stop) = self.block(scanner, open, STOPS)?;
        self.unbind(bindings);
        let mut otherwise = None;
        while stop.name == "else" {
            let (block, next) = self.block(scanner, open, STOPS)?;
            stop = next;
            otherwise = otherwise.or(Some(block));
        }
        if body.blank {
            body.drop_blank_text();
        }
        if let Some(block) = otherwise.as_mut().filter(|block| block.blank) {
            block.drop_blank_text();
        }
        Ok(NodeKind::For(Box::new(For { source, body, otherwise })))
    }

    pub(super) fn table_row(&mut self, scanner: &mut Scanner<'s>, tag: &Tag<'s>) -> Result<NodeKind, Fault> {
        let bindings = self.bindings.len();
        let (source, columns) = self.source(&mut self.lexer(tag)?, true)?;
        self.binds("tablerowloop");
        let (body, _) = self.block(scanner, ("tablerow", tag.at), &["endtablerow"])?;
        self.unbind(bindings);
        Ok(NodeKind::TableRow(Box::new(TableRow { source, columns, body })))
    }

    /// `x in collection` and what may follow, commas or not; `cols` only for a table.
    fn source(&mut self, lexer: &mut Lexer<'s>, table: bool) -> Result<(Source, Option<Expr>), Fault> {
        let Token::Name(variable) = lexer.peek() else {
            return Err(lexer.unexpected("the name of the loop variable"));
        };
        lexer.take()?;
        if !lexer.accept_name("in")? {
            return Err(lexer.unexpected("`in` after the loop variable"));
        }
        let start = lexer.at();
        let collection = self.expression(lexer)?;
        let name = format!("{variable}-{}", lexer.written_since(start));
        let mut source = Source {
            variable: variable.into(),
            name: name.into(),
            collection,
            reversed: false,
            limit: None,
            offset: Offset::None,
        };
        let mut columns = None;
        loop {
            while lexer.accept(",")? {}
            match lexer.peek() {
                Token::End => {
                    self.binds(variable);
                    return Ok((source, columns));
                }
                Token::Name("reversed") if !table => {
                    lexer.take()?;
                    source.reversed = true;
                }
                Token::Name("limit") => source.limit = Some(self.value_of_keyword(lexer)?),
                Token::Name("offset") => source.offset = self.offset(lexer)?,
                Token::Name("cols") if table => columns = Some(self.value_of_keyword(lexer)?),
                _ if table => return Err(lexer.unexpected("`cols:`, `limit:` or `offset:`")),
                _ => return Err(lexer.unexpected("`limit:`, `offset:`, `reversed` or the end")),
            }
        }
    }

    fn keyword(&mut self, lexer: &mut Lexer<'s>) -> Result<(), Fault> {
        lexer.take()?;
        match lexer.accept(":")? {
            true => Ok(()),
            false => Err(lexer.unexpected("`:`")),
        }
    }

    fn value_of_keyword(&mut self, lexer: &mut Lexer<'s>) -> Result<Expr, Fault> {
        self.keyword(lexer)?;
        self.expression(lexer)
    }

    fn offset(&mut self, lexer: &mut Lexer<'s>) -> Result<Offset, Fault> {
        self.keyword(lexer)?;
        if lexer.accept_name("continue")? {
            return Ok(Offset::Continue);
        }
        self.expression(lexer).map(Offset::At)
    }
}
