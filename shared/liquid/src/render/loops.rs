//! `for` and `tablerow`.

use std::cell::Cell;
use std::rc::Rc;

use super::{Flow, Raised, Renderer};
use crate::ast::{Expr, For, Offset, Source, TableRow};
use crate::error::RenderErrorKind as Kind;
use crate::value::{Items, LoopState, Number, Value, number, strict_integer};

/// The part of the items a loop walks.
struct Segment<'a> {
    items: Items<'a>,
    start: usize,
    length: usize,
    reversed: bool,
}

impl<'a> Segment<'a> {
    fn item(&self, index: usize) -> Value<'a> {
        let index = if self.reversed { self.length - 1 - index } else { index };
        self.items.item(self.start + index)
    }
}

impl<'a> Renderer<'a> {
    pub(super) fn for_loop(&mut self, tag: &'a For) -> Result<Flow, Raised> {
        let segment = self.segment(&tag.source)?;
        if segment.length == 0 {
            return tag.otherwise.as_ref().map_or(Ok(Flow::Next), |block| self.block(block));
        }
        let state = Rc::new(LoopState {
            name: &tag.source.name,
            length: segment.length,
            index: Cell::new(0),
            parent: self.frame.loops.last().cloned(),
            columns: None,
        });
        self.frame.loops.push(Rc::clone(&state));
        let scope = self.scopes.len();
        self.scopes.push(("forloop", Value::Loop(Rc::clone(&state))));
        self.scopes.push((&tag.source.variable, Value::Nil));
        for index in 0..segment.length {
            self.env.work(1)?;
            state.index.set(index);
            if let Some((_, variable)) = self.scopes.get_mut(scope + 1) {
                *variable = segment.item(index);
            }
            if self.block(&tag.body)? == Flow::Break {
                break;
            }
        }
        self.scopes.truncate(scope);
        self.frame.loops.pop();
        Ok(Flow::Next)
    }

    pub(super) fn table_row(&mut self, tag: &'a TableRow) -> Result<Flow, Raised> {
        let segment = self.segment(&tag.source)?;
        let columns = match &tag.columns {
            Some(expr) => {
                let value = self.operand(expr)?;
                usize::try_from(whole("cols", &value)?.unwrap_or(0)).unwrap_or(0)
            }
            None => segment.length,
        };
        let state = Rc::new(LoopState {
            name: &tag.source.name,
            length: segment.length,
            index: Cell::new(0),
            parent: None,
            columns: Some(columns),
        });
        let scope = self.scopes.len();
        self.scopes.push(("tablerowloop", Value::Loop(Rc::clone(&state))));
        self.scopes.push((&tag.source.variable, Value::Nil));
        self.write("<tr class=\"row1\">\n")?;
        for index in 0..segment.length {
            self.env.work(1)?;
            state.index.set(index);
            if let Some((_, variable)) = self.scopes.get_mut(scope + 1) {
                *variable = segment.item(index);
            }
            let column = index % columns.max(1) + 1;
            self.write(&format!("<td class=\"col{column}\">"))?;
            let flow = self.block(&tag.body)?;
            self.write("</td>")?;
            if flow == Flow::Break {
                break;
            }
            if column == columns && index + 1 < segment.length {
                let row = index / columns.max(1) + 2;
                self.write(&format!("</tr>\n<tr class=\"row{row}\">"))?;
            }
        }
        self.write("</tr>\n")?;
        self.scopes.truncate(scope);
        Ok(Flow::Next)
    }

    fn segment(&mut self, source: &'a Source) -> Result<Segment<'a>, Raised> {
        let collection = self.value(&source.collection)?;
        let items = Items::of(collection, &mut self.env)?;
        let start = match &source.offset {
            Offset::None => 0,
            Offset::At(expr) => self.bound("offset", expr)?.unwrap_or(0),
            Offset::Continue => self.frame.stopped.get(&*source.name).copied().unwrap_or(0),
        };
        let left = items.len().saturating_sub(start);
        let length = match &source.limit {
            Some(expr) => self.bound("limit", expr)?.map_or(left, |limit| limit.min(left)),
            None => left,
        };
        self.frame.stopped.insert(&source.name, start.saturating_add(length));
        Ok(Segment { items, start, length, reversed: source.reversed })
    }

    /// A `limit` or `offset`: nil is none, negative is zero.
    fn bound(&mut self, what: &'static str, expr: &'a Expr) -> Result<Option<usize>, Raised> {
        let value = self.operand(expr)?;
        let bound = whole(what, &value)?;
        Ok(bound.map(|bound| usize::try_from(bound.max(0)).unwrap_or(usize::MAX)))
    }
}

/// A whole number or nil; a fraction is cut off.
fn whole(operation: &'static str, value: &Value<'_>) -> Result<Option<i64>, Kind> {
    if matches!(value, Value::Nil) {
        return Ok(None);
    }
    let number = match value {
        Value::Float(_) => match number(value) {
            Number::Float(float) => Number::whole(float.trunc()).ok(),
            whole => Some(whole),
        },
        other => strict_integer(other).map(Number::Int),
    };
    match number {
        Some(Number::Int(number)) => Ok(Some(number)),
        _ => {
            let (expected, found) = ("a whole number", value.type_name());
            Err(Kind::WrongType { operation, expected, found })
        }
    }
}
