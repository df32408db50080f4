//! Writing: what is printed is paid for first, and escaped where it must be.

use super::{Raised, Renderer, Value, escape_into, show};
use crate::template::Escape;
use crate::value::write_float;

/// Longest text one character is escaped to (`&quot;`).
const LONGEST_ESCAPE: usize = 6;

impl Renderer<'_> {
    /// Writes text as it is.
    pub(super) fn write(&mut self, text: &str) -> Result<(), Raised> {
        self.pay(text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    /// Pays for text of the result, or of a capture.
    fn pay(&mut self, bytes: usize) -> Result<(), Raised> {
        if self.captures > 0 {
            self.env.make(bytes)?
        } else {
            self.env.emit(bytes)?
        }
        Ok(())
    }

    /// Writes a value, escaped if outputs are and if it is not safe.
    pub(super) fn print(&mut self, value: &Value<'_>) -> Result<(), Raised> {
        match value {
            Value::Nil => Ok(()),
            Value::Text(text) if text.safe || self.env.escape == Escape::None => self.write(text.as_str()),
            Value::Text(text) => self.write_escaped(text.as_str()),
            Value::Int(number) => {
                let text = number.to_string();
                self.write(&text)
            }
            Value::Float(number) => {
                let mut text = String::new();
                write_float(&mut text, *number);
                self.write(&text)
            }
            other => {
                let text = show(other, &mut self.env)?;
                match self.env.escape {
                    Escape::None => self.write(text.as_str()),
                    Escape::Html => self.write_escaped(text.as_str()),
                }
            }
        }
    }

    fn write_escaped(&mut self, text: &str) -> Result<(), Raised> {
        // Escaped piece by piece, so that no more than the limit is ever held.
        const PIECE: usize = 4096 / LONGEST_ESCAPE;
        let mut rest = text;
        while !rest.is_empty() {
            let mut cut = rest.len().min(PIECE);
            while !rest.is_char_boundary(cut) {
                cut += 1;
            }
            let (piece, after) = rest.split_at(cut);
            let before = self.out.len();
            escape_into(&mut self.out, piece);
            self.pay(self.out.len() - before)?;
            rest = after;
        }
        Ok(())
    }
}
