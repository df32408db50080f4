//! `render` and `include`.

use std::cell::Cell;
use std::rc::Rc;

use super::{Flow, Frame, Loaded, Raised, Renderer, Store};
use crate::ast::Partial;
use crate::error::RenderErrorKind as Kind;
use crate::template::{Inner, Partials};
use crate::value::{Items, LoopState, Value};

/// What a partial is given under its own name.
enum Given<'a> {
    Nothing,
    One(&'a str, Value<'a>),
    Each(&'a str, Items<'a>),
}

impl<'a> Renderer<'a> {
    /// A partial that does not exist prints nothing.
    pub(super) fn partial(&mut self, tag: &'a Partial) -> Result<Flow, Raised> {
        let Value::Text(name) = self.value(&tag.name)? else {
            return Ok(Flow::Next);
        };
        let limit = self.env.limits.partials;
        let found = self.store.load(name.as_str(), self.partials, limit)?;
        let Some((name, template)) = found else {
            return Ok(Flow::Next);
        };
        let given = self.given(tag, name)?;
        let mut arguments = Vec::with_capacity(tag.keywords.len());
        self.env.work(tag.keywords.len())?;
        for (name, expr) in &tag.keywords {
            arguments.push((&**name, self.value(expr)?));
        }
        let callers = (self.template, self.name);
        (self.template, self.name) = (template, Some(name));
        let flow = if tag.isolated {
            self.isolated(template, given, arguments)
        } else {
            self.shared(template, given, arguments)
        };
        if flow.is_ok() {
            (self.template, self.name) = callers;
        }
        flow
    }

    fn given(&mut self, tag: &'a Partial, name: &'a str) -> Result<Given<'a>, Raised> {
        let Some(bound) = &tag.bound else {
            return Ok(Given::Nothing);
        };
        let alias = match &bound.alias {
            Some(alias) => alias,
            None => name.rsplit('/').next().unwrap_or(name),
        };
        let value = self.value(&bound.value)?;
        let is_array = matches!(value, Value::List(_) | Value::Array(_) | Value::Range(..));
        if is_array && (bound.each || !tag.isolated) {
            return Ok(Given::Each(alias, Items::of(value, &mut self.env)?));
        }
        Ok(Given::One(alias, value))
    }

    /// `include`: sees and changes the variables of its caller.
    fn shared(
        &mut self,
        template: &'a Inner,
        given: Given<'a>,
        arguments: Vec<(&'a str, Value<'a>)>,
    ) -> Result<Flow, Raised> {
        let scope = self.scopes.len();
        self.scopes.extend(arguments);
        let mut flow = Flow::Next;
        match given {
            Given::Nothing => flow = self.body(template)?,
            Given::One(alias, value) => {
                self.scopes.push((alias, value));
                flow = self.body(template)?;
            }
            Given::Each(alias, items) => {
                for index in 0..items.len() {
                    self.env.work(1)?;
                    self.scopes.push((alias, items.item(index)));
                    flow = self.body(template)?;
                    self.scopes.pop();
                    if flow != Flow::Next {
                        break;
                    }
                }
            }
        }
        self.scopes.truncate(scope);
        Ok(flow)
    }

    /// `render`: sees the data and its arguments only, and leaves nothing behind.
    fn isolated(
        &mut self,
        template: &'a Inner,
        given: Given<'a>,
        arguments: Vec<(&'a str, Value<'a>)>,
    ) -> Result<Flow, Raised> {
        let scopes = std::mem::take(&mut self.scopes);
        let frame = std::mem::take(&mut self.frame);
        match given {
            Given::Nothing => {
                self.once(template, arguments)?;
            }
            Given::One(alias, value) => {
                let bound = std::iter::once((alias, value));
                self.once(template, arguments.into_iter().chain(bound))?;
            }
            Given::Each(alias, items) => {
                let state = Rc::new(LoopState {
                    name: alias,
                    length: items.len(),
                    index: Cell::new(0),
                    parent: None,
                    columns: None,
                });
                for index in 0..items.len() {
                    self.env.work(1)?;
                    self.env.work(arguments.len())?;
                    state.index.set(index);
                    self.scopes.push(("forloop", Value::Loop(Rc::clone(&state))));
                    let bound = std::iter::once((alias, items.item(index)));
                    let flow = self.once(template, arguments.iter().cloned().chain(bound))?;
                    self.scopes.clear();
                    if flow == Flow::Break {
                        break;
                    }
                }
            }
        }
        self.scopes = scopes;
        self.frame = frame;
        Ok(Flow::Next)
    }

    fn once(
        &mut self,
        template: &'a Inner,
        locals: impl IntoIterator<Item = (&'a str, Value<'a>)>,
    ) -> Result<Flow, Raised> {
        self.frame = Frame { locals: locals.into_iter().collect(), ..Frame::default() };
        self.body(template)
    }

    fn body(&mut self, template: &'a Inner) -> Result<Flow, Raised> {
        self.descend(|this| this.nodes(&template.parsed.nodes))
    }
}

impl Store {
    /// The partial of this name, loaded once per render, and its name.
    fn load<'a>(
        &'a self,
        name: &str,
        partials: &dyn Partials,
        limit: usize,
    ) -> Result<Option<(&'a str, &'a Inner)>, Kind> {
        let mut store = self;
        for _ in 0..limit {
            let loaded = store.next.get_or_init(|| {
                Box::new(Loaded { name: name.to_owned(), template: partials.get(name), rest: Self::default() })
            });
            if loaded.name == name {
                let template = loaded.template.as_ref();
                return Ok(template.map(|template| (loaded.name.as_str(), template.inner())));
            }
            store = &loaded.rest;
        }
        Err(Kind::TooManyPartials { limit })
    }
}

impl Drop for Store {
    /// One after the other: the list may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(mut loaded) = next {
            next = loaded.rest.next.take();
        }
    }
}
