//! The inner language: the tokens of expressions.

use std::ops::Range;

use super::scan::Fault;
use crate::ast::Operator;
use crate::error::ParseErrorKind as Kind;

/// A token; names and texts borrow the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Token<'s> {
    Name(&'s str),
    Text(&'s str),
    Int(i64),
    Float(f64),
    Operator(Operator),
    /// One of `. .. [ ] ( ) | : , =`
    Mark(&'static str),
    End,
}

/// Reads the tokens of one tag or output, with one token of foresight.
#[derive(Debug)]
pub(crate) struct Lexer<'s> {
    source: &'s str,
    next: usize,
    end: usize,
    token: Token<'s>,
    at: usize,
    last_end: usize,
}

impl<'s> Lexer<'s> {
    /// Starts at `body` of `source`.
    pub(crate) fn new(source: &'s str, body: Range<usize>) -> Result<Self, Fault> {
        let mut lexer =
            Self { source, next: body.start, end: body.end, token: Token::End, at: body.start, last_end: body.start };
        lexer.advance()?;
        Ok(lexer)
    }

    /// The token at hand.
    pub(crate) fn peek(&self) -> Token<'s> {
        self.token
    }

    /// Where the token at hand starts.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The source from `start` up to the end of the last token taken.
    pub(crate) fn written_since(&self, start: usize) -> &'s str {
        self.source.get(start..self.last_end).unwrap_or_default()
    }

    /// What follows the token at hand.
    pub(crate) fn rest_after_token(&self) -> Range<usize> {
        self.next..self.end
    }

    /// Takes the token at hand.
    pub(crate) fn take(&mut self) -> Result<Token<'s>, Fault> {
        let token = self.token;
        self.last_end = self.next;
        self.advance()?;
        Ok(token)
    }

    /// Takes the mark if it is at hand.
    pub(crate) fn accept(&mut self, mark: &'static str) -> Result<bool, Fault> {
        let found = self.token == Token::Mark(mark);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    /// Takes the name if it is at hand.
    pub(crate) fn accept_name(&mut self, name: &str) -> Result<bool, Fault> {
        let found = self.token == Token::Name(name);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    /// The fault that something else was expected at the token at hand.
    pub(crate) fn unexpected(&self, expected: &'static str) -> Fault {
        let found = match self.token {
            Token::End => "the end".to_owned(),
            _ => {
                let written = self.source.get(self.at..self.next).unwrap_or_default();
                format!("`{}`", written.chars().take(40).collect::<String>())
            }
        };
        (self.at, Kind::Unexpected { expected, found })
    }

    fn advance(&mut self) -> Result<(), Fault> {
        let rest = self.source.get(self.next..self.end).unwrap_or_default();
        let trimmed = rest.trim_start();
        self.at = self.next + (rest.len() - trimmed.len());
        self.next = self.at;
        let (token, length) = self.read(trimmed)?;
        self.token = token;
        self.next = self.at + length;
        Ok(())
    }

    fn read(&self, rest: &'s str) -> Result<(Token<'s>, usize), Fault> {
        let mut chars = rest.chars();
        let Some(first) = chars.next() else {
            return Ok((Token::End, 0));
        };
        let second = chars.next();
        if first == '_' || first.is_alphabetic() {
            return Ok(name(rest));
        }
        if first.is_ascii_digit() || (first == '-' && second.is_some_and(|c| c.is_ascii_digit())) {
            return self.number(rest);
        }
        if first == '\'' || first == '"' {
            let inside = rest.get(1..).unwrap_or_default();
            let length = inside.find(first).ok_or((self.at, Kind::UnclosedText { quote: first }))?;
            return Ok((Token::Text(inside.get(..length).unwrap_or_default()), length + 2));
        }
        if let Some(token) = two_characters(first, second) {
            return Ok((token, 2));
        }
        let mark = match first {
            '<' => return Ok((Token::Operator(Operator::Less), 1)),
            '>' => return Ok((Token::Operator(Operator::Greater), 1)),
            '.' => ".",
            '[' => "[",
            ']' => "]",
            '(' => "(",
            ')' => ")",
            '|' => "|",
            ':' => ":",
            ',' => ",",
            '=' => "=",
            other => {
                let expected = "a variable, a number, a text in quotes or a filter";
                return Err((self.at, Kind::Unexpected { expected, found: format!("`{other}`") }));
            }
        };
        Ok((Token::Mark(mark), 1))
    }

    fn number(&self, rest: &'s str) -> Result<(Token<'s>, usize), Fault> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let sign = usize::from(rest.starts_with('-'));
        let whole = sign + digits(rest.get(sign..).unwrap_or_default());
        let fraction = match rest.get(whole..).and_then(|rest| rest.strip_prefix('.')) {
            Some(rest) => digits(rest),
            None => 0,
        };
        let length = if fraction > 0 { whole + 1 + fraction } else { whole };
        let written = rest.get(..length).unwrap_or_default();
        let token = if fraction > 0 {
            written.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Float)
        } else {
            written.parse().ok().map(Token::Int)
        };
        token.map(|token| (token, length)).ok_or((self.at, Kind::NumberTooLarge))
    }
}

/// A name: a letter or `_`, then letters, digits, `_` and `-`, and at the end perhaps `?`.
fn name(rest: &str) -> (Token<'_>, usize) {
    let is_part = |c: char| c == '_' || c == '-' || c.is_alphanumeric();
    let mut length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    if rest.get(length..).is_some_and(|rest| rest.starts_with('?')) {
        length += 1;
    }
    let name = rest.get(..length).unwrap_or_default();
    if name == "contains" {
        return (Token::Operator(Operator::Contains), length);
    }
    (Token::Name(name), length)
}

fn two_characters(first: char, second: Option<char>) -> Option<Token<'static>> {
    Some(match (first, second?) {
        ('=', '=') => Token::Operator(Operator::Equal),
        ('!', '=') | ('<', '>') => Token::Operator(Operator::NotEqual),
        ('<', '=') => Token::Operator(Operator::LessOrEqual),
        ('>', '=') => Token::Operator(Operator::GreaterOrEqual),
        ('.', '.') => Token::Mark(".."),
        _ => return None,
    })
}
