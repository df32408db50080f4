//! Expressions, filters and conditions.

use super::lex::{Lexer, Token};
use super::scan::Fault;
use super::{Parser, suggest};
use crate::ast::{Call, Condition, Expr, Filtered, Logic, Step, Test};
use crate::error::ParseErrorKind as Kind;
use crate::filters::{self, Spec};

const EXPECTED_VALUE: &str = "a variable, a number or a text in quotes";

impl<'s> Parser<'s> {
    /// A value: a literal, a range or a path.
    pub(super) fn expression(&mut self, lexer: &mut Lexer<'s>) -> Result<Expr, Fault> {
        match lexer.peek() {
            Token::Text(text) => {
                lexer.take()?;
                Ok(Expr::Text(text.into()))
            }
            Token::Int(number) => {
                lexer.take()?;
                Ok(Expr::Int(number))
            }
            Token::Float(number) => {
                lexer.take()?;
                Ok(Expr::Float(number))
            }
            Token::Mark("(") => self.nested(lexer.at(), |parser| parser.range(lexer)),
            Token::Mark("[") => self.path(Vec::new(), lexer),
            Token::Name(name) => {
                lexer.take()?;
                let goes_on = matches!(lexer.peek(), Token::Mark("." | "["));
                match literal(name).filter(|_| !goes_on) {
                    Some(literal) => Ok(literal),
                    None => {
                        self.reads(name);
                        self.path(vec![Step::Key(name.into())], lexer)
                    }
                }
            }
            _ => Err(lexer.unexpected(EXPECTED_VALUE)),
        }
    }

    fn range(&mut self, lexer: &mut Lexer<'s>) -> Result<Expr, Fault> {
        lexer.take()?;
        let first = self.expression(lexer)?;
        if !lexer.accept("..")? {
            return Err(lexer.unexpected("`..` between the ends of the range"));
        }
        let last = self.expression(lexer)?;
        if !lexer.accept(")")? {
            return Err(lexer.unexpected("`)` after the range"));
        }
        Ok(Expr::Range(Box::new((first, last))))
    }

    fn path(&mut self, mut steps: Vec<Step>, lexer: &mut Lexer<'s>) -> Result<Expr, Fault> {
        loop {
            if lexer.accept(".")? {
                let Token::Name(name) = lexer.peek() else {
                    return Err(lexer.unexpected("a name after `.`"));
                };
                lexer.take()?;
                steps.push(Step::Key(name.into()));
            } else if lexer.peek() == Token::Mark("[") {
                let index = self.nested(lexer.at(), |parser| {
                    lexer.take()?;
                    parser.expression(lexer)
                })?;
                if !lexer.accept("]")? {
                    return Err(lexer.unexpected("`]`"));
                }
                if let (true, Expr::Text(name)) = (steps.is_empty(), &index) {
                    self.reads(name);
                }
                steps.push(match index {
                    Expr::Text(name) => Step::Key(name),
                    index => Step::Index(index),
                });
            } else {
                self.reads_field(&steps);
                return Ok(Expr::Path(steps.into()));
            }
        }
    }

    /// A value and its filters, up to the end of the markup.
    pub(super) fn filtered(&mut self, lexer: &mut Lexer<'s>) -> Result<Filtered, Fault> {
        let expr = self.expression(lexer)?;
        let mut filters = Vec::new();
        while lexer.accept("|")? {
            filters.push(self.call(lexer)?);
        }
        if lexer.peek() != Token::End {
            return Err(lexer.unexpected("`|` and a filter, or the end"));
        }
        Ok(Filtered { expr, filters })
    }

    fn call(&mut self, lexer: &mut Lexer<'s>) -> Result<Call, Fault> {
        let at = lexer.at();
        let Token::Name(name) = lexer.peek() else {
            return Err(lexer.unexpected("the name of a filter after `|`"));
        };
        let Some(spec) = filters::find(name) else {
            let suggestion = suggest::nearest(name, filters::FILTERS.iter().map(|spec| spec.name));
            return Err((at, Kind::UnknownFilter { name: name.to_owned(), suggestion }));
        };
        lexer.take()?;
        let mut call = Call { spec, arguments: Vec::new(), keywords: Vec::new() };
        if lexer.accept(":")? {
            loop {
                self.argument(&mut call, lexer)?;
                if !lexer.accept(",")? {
                    break;
                }
            }
        }
        let given = call.arguments.len();
        if given < spec.least || given > spec.most {
            let (least, most) = (spec.least, spec.most);
            return Err((at, Kind::ArgumentCount { filter: spec.name, least, most, given }));
        }
        check_zone(spec, &call, at)?;
        Ok(call)
    }

    fn argument(&mut self, call: &mut Call, lexer: &mut Lexer<'s>) -> Result<(), Fault> {
        let at = lexer.at();
        if let Token::Name(name) = lexer.peek() {
            let mut ahead = Lexer::new(self.source, lexer.rest_after_token())?;
            if ahead.accept(":")? {
                if !call.spec.keywords.contains(&name) {
                    let keyword = name.to_owned();
                    return Err((at, Kind::UnknownKeyword { filter: call.spec.name, keyword }));
                }
                lexer.take()?;
                lexer.take()?;
                let value = self.expression(lexer)?;
                call.keywords.push((name.into(), value));
                return Ok(());
            }
        }
        call.arguments.push(self.expression(lexer)?);
        Ok(())
    }

    /// A condition of `if`, `elsif` or `unless`, up to the end of the tag.
    pub(super) fn condition(&mut self, negated: bool, lexer: &mut Lexer<'s>) -> Result<Condition, Fault> {
        let mut tests = Vec::new();
        loop {
            let left = self.expression(lexer)?;
            let compare = match lexer.peek() {
                Token::Operator(operator) => {
                    lexer.take()?;
                    Some((operator, self.expression(lexer)?))
                }
                _ => None,
            };
            let join = match lexer.peek() {
                Token::Name("and") => Some(Logic::And),
                Token::Name("or") => Some(Logic::Or),
                Token::End => None,
                _ => {
                    return Err(lexer.unexpected("an operator (== != < > <= >= contains), `and`, `or` or the end"));
                }
            };
            tests.push(Test { left, compare, join });
            if join.is_none() {
                return Ok(Condition { tests, negated });
            }
            lexer.take()?;
        }
    }
}

fn literal(name: &str) -> Option<Expr> {
    Some(match name {
        "nil" | "null" => Expr::Nil,
        "true" => Expr::Bool(true),
        "false" => Expr::Bool(false),
        "blank" => Expr::Blank,
        "empty" => Expr::Empty,
        _ => return None,
    })
}

/// A time zone written in the template is checked when the template is saved.
fn check_zone(spec: &Spec, call: &Call, at: usize) -> Result<(), Fault> {
    match (spec.name, call.arguments.first()) {
        ("time_zone", Some(Expr::Text(name))) if crate::date::zone(name).is_none() => {
            Err((at, Kind::UnknownTimeZone { name: name.to_string() }))
        }
        _ => Ok(()),
    }
}
