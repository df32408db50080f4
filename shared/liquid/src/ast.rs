//! The tree a source is parsed into. It owns its text, so that a template can be kept and shared.

use crate::filters::Spec;

/// A piece of a template and where it starts, in bytes.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: u32,
    pub(crate) kind: NodeKind,
}

/// The pieces a template is made of.
#[derive(Debug)]
pub(crate) enum NodeKind {
    /// Text between tags.
    Text(Box<str>),
    /// `{{ … }}` and `echo`.
    Output(Filtered),
    /// `assign`
    Assign(Box<str>, Filtered),
    /// `capture`
    Capture(Box<str>, Block),
    /// `if` and `unless`
    If(Box<If>),
    /// `case`
    Case(Box<Case>),
    /// `for`
    For(Box<For>),
    /// `tablerow`
    TableRow(Box<TableRow>),
    /// `cycle`
    Cycle(Box<Cycle>),
    /// `increment`
    Increment(Box<str>),
    /// `decrement`
    Decrement(Box<str>),
    /// `ifchanged`
    IfChanged(Block),
    /// `render` and `include`
    Partial(Box<Partial>),
    /// `random`
    Random(Expr),
    /// `break`
    Break,
    /// `continue`
    Continue,
}

/// The inside of a block tag.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) nodes: Vec<Node>,
    /// Nothing in it prints: text of white space only, assignments, comments.
    pub(crate) blank: bool,
}

/// A value and the filters it goes through.
#[derive(Debug)]
pub(crate) struct Filtered {
    pub(crate) expr: Expr,
    pub(crate) filters: Vec<Call>,
}

/// One filter with its arguments.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) spec: &'static Spec,
    pub(crate) arguments: Vec<Expr>,
    pub(crate) keywords: Vec<(Box<str>, Expr)>,
}

/// Something that has a value.
#[derive(Debug)]
pub(crate) enum Expr {
    Nil,
    Blank,
    Empty,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    /// `a.b[c]`: the first step names the variable.
    Path(Box<[Step]>),
    /// `(a..b)`
    Range(Box<(Expr, Expr)>),
}

/// One step of a path.
#[derive(Debug)]
pub(crate) enum Step {
    /// `.name` and `['name']`
    Key(Box<str>),
    /// `[expression]`
    Index(Expr),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

/// `and` or `or`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logic {
    And,
    Or,
}

/// One operand of `and` / `or`: a value, or two compared, and how it is joined to what follows.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) left: Expr,
    pub(crate) compare: Option<(Operator, Expr)>,
    pub(crate) join: Option<Logic>,
}

/// A condition: tests from left to right, grouped from the right as Liquid does.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) tests: Vec<Test>,
    /// `unless`
    pub(crate) negated: bool,
}

/// `if`, `unless`, their `elsif`s and `else`
#[derive(Debug)]
pub(crate) struct If {
    pub(crate) branches: Vec<(Condition, Block)>,
    pub(crate) otherwise: Option<Block>,
}

/// `case`
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) subject: Expr,
    pub(crate) arms: Vec<Arm>,
}

/// `when` with its values, or `else`
#[derive(Debug)]
pub(crate) enum Arm {
    When(Vec<Expr>, Block),
    Else(Block),
}

/// The collection of a loop and the part of it that is walked.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) variable: Box<str>,
    /// `variable-collection`, as written: the loop's name, and its key for `offset: continue`.
    pub(crate) name: Box<str>,
    pub(crate) collection: Expr,
    pub(crate) reversed: bool,
    pub(crate) limit: Option<Expr>,
    pub(crate) offset: Offset,
}

/// Where a loop starts.
#[derive(Debug)]
pub(crate) enum Offset {
    None,
    At(Expr),
    /// Where the last loop of this name stopped.
    Continue,
}

/// `for`
#[derive(Debug)]
pub(crate) struct For {
    pub(crate) source: Source,
    pub(crate) body: Block,
    pub(crate) otherwise: Option<Block>,
}

/// `tablerow`
#[derive(Debug)]
pub(crate) struct TableRow {
    pub(crate) source: Source,
    pub(crate) columns: Option<Expr>,
    pub(crate) body: Block,
}

/// `cycle`
#[derive(Debug)]
pub(crate) struct Cycle {
    pub(crate) group: Option<Expr>,
    /// The values as written: the group of a cycle without a name.
    pub(crate) written: Box<str>,
    pub(crate) values: Vec<Expr>,
}

/// `render` and `include`
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) name: Expr,
    /// `render` sees no local variables of its caller and leaves none behind.
    pub(crate) isolated: bool,
    pub(crate) bound: Option<Bound>,
    pub(crate) keywords: Vec<(Box<str>, Expr)>,
}

/// `with value as name` or `for values as name`
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) value: Expr,
    pub(crate) each: bool,
    pub(crate) alias: Option<Box<str>>,
}

impl Arm {
    /// What the arm renders.
    pub(crate) fn block(&self) -> &Block {
        match self {
            Self::When(_, block) | Self::Else(block) => block,
        }
    }

    /// What the arm renders, to change it.
    pub(crate) fn block_mut(&mut self) -> &mut Block {
        match self {
            Self::When(_, block) | Self::Else(block) => block,
        }
    }
}

impl Block {
    /// Drops the text of a blank block: a block that prints nothing else prints no white space.
    pub(crate) fn drop_blank_text(&mut self) {
        self.nodes.retain(|node| !matches!(node.kind, NodeKind::Text(_)));
    }
}
