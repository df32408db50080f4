//! `if`, `unless`, `case`, `capture` and `ifchanged`.

use super::lex::{Lexer, Token};
use super::scan::{Fault, Scanner};
use super::tags::end;
use super::{Parser, Tag};
use crate::ast::{Arm, Case, Expr, If, NodeKind};

impl<'s> Parser<'s> {
    /// `if` or `unless`, given as `name`.
    pub(super) fn conditional(
        &mut self,
        scanner: &mut Scanner<'s>,
        tag: &Tag<'s>,
        name: &'static str,
    ) -> Result<NodeKind, Fault> {
        let stops: &[&str] = if name == "if" { &["elsif", "else", "endif"] } else { &["elsif", "else", "endunless"] };
        let open = (name, tag.at);
        let condition = self.condition(name == "unless", &mut self.lexer(tag)?)?;
        let (block, mut stop) = self.block(scanner, open, stops)?;
        let mut branches = vec![(condition, block)];
        let mut otherwise = None;
        while stop.name == "elsif" || stop.name == "else" {
            let condition = match stop.name {
                "elsif" => Some(self.condition(false, &mut self.lexer(&stop)?)?),
                _ => None,
            };
            let (block, next) = self.block(scanner, open, stops)?;
            stop = next;
            // What follows the first `else` is checked and then ignored, as in Shopify.
            match condition {
                _ if otherwise.is_some() => {}
                Some(condition) => branches.push((condition, block)),
                None => otherwise = Some(block),
            }
        }
        let blocks = || branches.iter().map(|(_, block)| block).chain(&otherwise);
        if blocks().all(|block| block.blank) {
            branches.iter_mut().for_each(|(_, block)| block.drop_blank_text());
            otherwise.iter_mut().for_each(|block| block.drop_blank_text());
        }
        Ok(NodeKind::If(Box::new(If { branches, otherwise })))
    }

    pub(super) fn case(&mut self, scanner: &mut Scanner<'s>, tag: &Tag<'s>) -> Result<NodeKind, Fault> {
        const STOPS: &[&str] = &["when", "else", "endcase"];
        let open = ("case", tag.at);
        let mut lexer = self.lexer(tag)?;
        let subject = self.expression(&mut lexer)?;
        end(&lexer)?;
        let (_, mut stop) = self.block(scanner, open, STOPS)?;
        let mut arms = Vec::new();
        while stop.name != "endcase" {
            let values = match stop.name {
                "when" => Some(self.when_values(&mut self.lexer(&stop)?)?),
                _ => None,
            };
            let (block, next) = self.block(scanner, open, STOPS)?;
            stop = next;
            arms.push(match values {
                Some(values) => Arm::When(values, block),
                None => Arm::Else(block),
            });
        }
        if arms.iter().all(|arm| arm.block().blank) {
            arms.iter_mut().for_each(|arm| arm.block_mut().drop_blank_text());
        }
        Ok(NodeKind::Case(Box::new(Case { subject, arms })))
    }

    fn when_values(&mut self, lexer: &mut Lexer<'s>) -> Result<Vec<Expr>, Fault> {
        let mut values = vec![self.expression(lexer)?];
        while lexer.accept(",")? || lexer.accept_name("or")? {
            values.push(self.expression(lexer)?);
        }
        match lexer.peek() {
            Token::End => Ok(values),
            _ => Err(lexer.unexpected("`,` or `or` and another value, or the end")),
        }
    }

    pub(super) fn capture(&mut self, scanner: &mut Scanner<'s>, tag: &Tag<'s>) -> Result<NodeKind, Fault> {
        let mut lexer = self.lexer(tag)?;
        let name = match lexer.peek() {
            Token::Text(name) => {
                lexer.take()?;
                Box::from(name)
            }
            _ => self.target(&mut lexer)?,
        };
        end(&lexer)?;
        let (block, _) = self.block(scanner, ("capture", tag.at), &["endcapture"])?;
        self.binds(&name);
        Ok(NodeKind::Capture(name, block))
    }

    pub(super) fn if_changed(&mut self, scanner: &mut Scanner<'s>, tag: &Tag<'s>) -> Result<NodeKind, Fault> {
        end(&self.lexer(tag)?)?;
        let (mut block, _) = self.block(scanner, ("ifchanged", tag.at), &["endifchanged"])?;
        if block.blank {
            block.drop_blank_text();
        }
        Ok(NodeKind::IfChanged(block))
    }
}
