//! Values of expressions, and the filters they go through.

use super::{Raised, Renderer, Value};
use crate::ast::{Call, Expr, Filtered, Step};
use crate::filters::Args;
use crate::value::{Number, number};

impl<'a> Renderer<'a> {
    /// The value of an expression without filters.
    pub(super) fn value(&mut self, expr: &'a Expr) -> Result<Value<'a>, Raised> {
        Ok(match expr {
            Expr::Nil => Value::Nil,
            Expr::Blank => Value::Blank,
            Expr::Empty => Value::Empty,
            Expr::Bool(value) => Value::Bool(*value),
            Expr::Int(number) => Value::Int(*number),
            Expr::Float(number) => Value::Float(*number),
            Expr::Text(text) => Value::text(text),
            Expr::Path(steps) => self.path(steps)?,
            Expr::Range(ends) => {
                let (first, last) = &**ends;
                let (first, last) = self.descend(|this| Ok((this.operand(first)?, this.operand(last)?)))?;
                Value::Range(whole(&first), whole(&last))
            }
        })
    }

    /// The value of an expression that is going to be read as a number: text is paid for.
    pub(super) fn operand(&mut self, expr: &'a Expr) -> Result<Value<'a>, Raised> {
        let value = self.value(expr)?;
        self.pay_text(&value)?;
        Ok(value)
    }

    fn pay_text(&mut self, value: &Value<'a>) -> Result<(), Raised> {
        if let Value::Text(text) = value {
            self.env.read(text.as_str().len())?;
        }
        Ok(())
    }

    fn path(&mut self, steps: &'a [Step]) -> Result<Value<'a>, Raised> {
        // Scopes are searched one by one.
        self.env.work(self.scopes.len() / 16)?;
        let mut steps = steps.iter();
        let mut value = match steps.next() {
            Some(Step::Key(name)) => self.lookup(name),
            Some(Step::Index(expr)) => match self.descend(|this| this.value(expr))? {
                Value::Text(name) => self.lookup(name.as_str()),
                _ => Value::Nil,
            },
            None => Value::Nil,
        };
        for step in steps {
            value = match step {
                Step::Key(key) => {
                    self.env.work(1)?;
                    self.pay_text(&value)?;
                    value.get(key)
                }
                Step::Index(expr) => {
                    let index = self.descend(|this| this.value(expr))?;
                    value.look(&index, &mut self.env)?
                }
            };
        }
        Ok(value)
    }

    /// A variable: of a loop or `include`, then assigned, then of the data, then a counter.
    fn lookup(&self, name: &str) -> Value<'a> {
        if let Some((_, value)) = self.scopes.iter().rev().find(|(found, _)| *found == name) {
            return value.clone();
        }
        if let Some(value) = self.frame.locals.get(name) {
            return value.clone();
        }
        if let Some(value) = self.globals.get(name) {
            return Value::from_json(value);
        }
        self.frame.counters.get(name).map_or(Value::Nil, |count| Value::Int(*count))
    }

    /// The value of an expression after its filters.
    pub(super) fn filtered(&mut self, filtered: &'a Filtered) -> Result<Value<'a>, Raised> {
        let mut value = self.value(&filtered.expr)?;
        for call in &filtered.filters {
            value = self.call(value, call)?;
        }
        Ok(value)
    }

    fn call(&mut self, input: Value<'a>, call: &'a Call) -> Result<Value<'a>, Raised> {
        let mut args = Args::default();
        for expr in &call.arguments {
            let value = self.operand(expr)?;
            args.push(value);
        }
        for (_, expr) in &call.keywords {
            // `allow_false` is the only one there is.
            args.allow_false = self.value(expr)?.is_truthy();
        }
        self.env.work(1)?;
        self.pay_text(&input)?;
        Ok((call.spec.run)(input, &args, &mut self.env)?)
    }
}

/// The end of a range: the whole part of a number, zero for what is none.
fn whole(value: &Value<'_>) -> i64 {
    match number(value) {
        Number::Int(number) => number,
        Number::Float(number) => match Number::whole(number.trunc()) {
            Ok(Number::Int(number)) => number,
            _ => 0,
        },
    }
}
