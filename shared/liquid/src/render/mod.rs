//! The lenient renderer: walks the tree, looks variables up, writes.

mod condition;
mod expression;
mod loops;
mod output;
mod partial;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::ast::{Block, Cycle, Node, NodeKind};
use crate::env::Env;
use crate::error::{RenderError, RenderErrorKind as Kind};
use crate::template::{Inner, Partials, RenderOptions, Template};
use crate::value::{LoopState, Text, Value, escape_into, integer, show};

/// Renders a template.
pub(crate) fn render(template: &Inner, globals: &Json, options: &RenderOptions<'_>) -> Result<String, RenderError> {
    rendered(template, globals, options, |renderer| renderer.out)
}

/// Renders a template as a value: a number or a truth value where it is nothing but one output of it, else a text.
pub(crate) fn value(template: &Inner, globals: &Json, options: &RenderOptions<'_>) -> Result<Json, RenderError> {
    rendered(template, globals, options, |mut renderer| {
        let alone = match renderer.template.parsed.nodes.as_slice() {
            [Node { kind: NodeKind::Output(filtered), .. }] => renderer.filtered(filtered).ok(),
            _ => None,
        };
        match alone {
            Some(Value::Bool(truth)) => truth.into(),
            Some(Value::Int(number)) => number.into(),
            Some(Value::Float(number)) => number.into(),
            _ => renderer.out.into(),
        }
    })
}

fn rendered<T>(
    template: &Inner,
    globals: &Json,
    options: &RenderOptions<'_>,
    made: impl FnOnce(Renderer<'_>) -> T,
) -> Result<T, RenderError> {
    let store = Store::default();
    let mut renderer = Renderer {
        env: Env::new(options.escape, options.now, options.limits, options.seed),
        globals,
        partials: options.partials,
        store: &store,
        template,
        name: None,
        scopes: Vec::new(),
        frame: Frame::default(),
        changed: None,
        out: String::with_capacity(template.size_hint().min(options.limits.output_bytes)),
        captures: 0,
        depth: 0,
    };
    match renderer.nodes(&template.parsed.nodes) {
        Ok(_) => Ok(made(renderer)),
        Err(raised) => {
            let place = raised.place.unwrap_or_default();
            let Place { partial, line, column } = place;
            Err(RenderError { partial, line, column, kind: raised.kind })
        }
    }
}

/// What to do after a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// An error on its way out; the innermost node gives it its place.
#[derive(Debug)]
struct Raised {
    kind: Kind,
    place: Option<Place>,
}

#[derive(Debug, Default)]
struct Place {
    partial: Option<String>,
    line: usize,
    column: usize,
}

impl From<Kind> for Raised {
    fn from(kind: Kind) -> Self {
        Self { kind, place: None }
    }
}

/// The partials loaded by this render. They live as long as it does, so values may borrow from
/// them: a list that only grows, each cell holding the next.
#[derive(Default)]
struct Store {
    next: OnceCell<Box<Loaded>>,
}

struct Loaded {
    name: String,
    template: Option<Template>,
    rest: Store,
}

/// The variables a `render` hides from its partial.
#[derive(Default)]
struct Frame<'a> {
    /// `assign` and `capture`
    locals: BTreeMap<&'a str, Value<'a>>,
    /// `increment` and `decrement`
    counters: BTreeMap<&'a str, i64>,
    /// Next value of each `cycle`.
    cycles: BTreeMap<String, usize>,
    /// Where each loop stopped, for `offset: continue`.
    stopped: BTreeMap<&'a str, usize>,
    /// The `for` loops around.
    loops: Vec<Rc<LoopState<'a>>>,
}

struct Renderer<'a> {
    env: Env,
    globals: &'a Json,
    partials: &'a dyn Partials,
    store: &'a Store,
    /// The template at hand, for the places of errors, and its name if it is a partial.
    template: &'a Inner,
    name: Option<&'a str>,
    /// Loop variables and the arguments of `include`, innermost last.
    scopes: Vec<(&'a str, Value<'a>)>,
    frame: Frame<'a>,
    /// What the last `ifchanged` printed.
    changed: Option<String>,
    out: String,
    /// How many captures are open: their text is paid as text made, not as output.
    captures: usize,
    depth: usize,
}

impl<'a> Renderer<'a> {
    /// Descends one level. Every recursion over the tree goes through here.
    fn descend<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T, Raised>) -> Result<T, Raised> {
        let limit = self.env.limits.depth;
        if self.depth >= limit {
            return Err(Kind::TooDeep { limit }.into());
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    fn block(&mut self, block: &'a Block) -> Result<Flow, Raised> {
        self.descend(|this| this.nodes(&block.nodes))
    }

    fn nodes(&mut self, nodes: &'a [Node]) -> Result<Flow, Raised> {
        for node in nodes {
            let flow = self.node(node).map_err(|mut raised| {
                raised.place.get_or_insert_with(|| self.place(node.at));
                raised
            })?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn place(&self, at: u32) -> Place {
        let (line, column) = self.template.position(at);
        Place { partial: self.name.map(str::to_owned), line, column }
    }

    fn node(&mut self, node: &'a Node) -> Result<Flow, Raised> {
        self.env.work(1)?;
        match &node.kind {
            NodeKind::Text(text) => self.write(text)?,
            NodeKind::Output(filtered) => {
                let value = self.filtered(filtered)?;
                self.print(&value)?;
            }
            NodeKind::Assign(name, filtered) => {
                let value = self.filtered(filtered)?;
                self.frame.locals.insert(name, value);
            }
            NodeKind::Capture(name, block) => return self.capture(name, block),
            NodeKind::If(tag) => return self.conditional(tag),
            NodeKind::Case(tag) => return self.case(tag),
            NodeKind::For(tag) => return self.for_loop(tag),
            NodeKind::TableRow(tag) => return self.table_row(tag),
            NodeKind::Cycle(tag) => self.cycle(tag)?,
            NodeKind::Increment(name) => {
                let next = self.frame.counters.entry(name).or_insert(0);
                let now = *next;
                *next = now.saturating_add(1);
                self.print(&Value::Int(now))?;
            }
            NodeKind::Decrement(name) => {
                let next = self.frame.counters.entry(name).or_insert(0);
                *next = next.saturating_sub(1);
                let now = *next;
                self.print(&Value::Int(now))?;
            }
            NodeKind::IfChanged(block) => return self.if_changed(block),
            NodeKind::Partial(tag) => return self.partial(tag),
            NodeKind::Random(bound) => {
                let bound = integer(&self.operand(bound)?).max(1).unsigned_abs();
                let number = self.env.next_random() % bound;
                self.write(&number.to_string())?;
            }
            NodeKind::Break => return Ok(Flow::Break),
            NodeKind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// Renders into a text of its own.
    fn captured(&mut self, block: &'a Block) -> Result<(String, Flow), Raised> {
        let before = std::mem::take(&mut self.out);
        self.captures += 1;
        let flow = self.block(block);
        self.captures -= 1;
        let text = std::mem::replace(&mut self.out, before);
        Ok((text, flow?))
    }

    fn capture(&mut self, name: &'a str, block: &'a Block) -> Result<Flow, Raised> {
        let (text, flow) = self.captured(block)?;
        // Its outputs are escaped already.
        let value = Value::Text(Text::made(text).with_safe(true));
        self.frame.locals.insert(name, value);
        Ok(flow)
    }

    fn if_changed(&mut self, block: &'a Block) -> Result<Flow, Raised> {
        let (text, flow) = self.captured(block)?;
        if self.changed.as_deref().unwrap_or_default() != text {
            self.write(&text)?;
            self.changed = Some(text);
        }
        Ok(flow)
    }

    fn cycle(&mut self, tag: &'a Cycle) -> Result<(), Raised> {
        let key = match &tag.group {
            Some(group) => {
                let group = self.value(group)?;
                crate::value::key(&group, &mut self.env)?
            }
            None => format!("={}", tag.written),
        };
        let at = self.frame.cycles.get(&key).copied().unwrap_or(0);
        let next = if at + 1 >= tag.values.len() { 0 } else { at + 1 };
        self.env.make(key.len())?;
        self.frame.cycles.insert(key, next);
        if let Some(expr) = tag.values.get(at) {
            let value = self.value(expr)?;
            self.print(&value)?;
        }
        Ok(())
    }
}
