//! The strict parser: from source text to a tree, or to an error with its place.

mod blocks;
mod expression;
mod lex;
mod loops;
mod scan;
mod suggest;
mod tags;
mod verbatim;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use self::lex::{Lexer, Token};
use self::scan::{Fault, Piece, Scanner};
use crate::ast::{Block, Expr, Filtered, Node, NodeKind, Step};
use crate::error::{ParseError, ParseErrorKind as Kind};
use crate::limits::Limits;
use crate::position::line_and_column;

/// All tags that open something or stand alone, in alphabetical order.
pub(crate) const TAGS: &[&str] = &[
    "#",
    "assign",
    "break",
    "capture",
    "case",
    "comment",
    "continue",
    "cycle",
    "decrement",
    "doc",
    "echo",
    "for",
    "if",
    "ifchanged",
    "include",
    "increment",
    "liquid",
    "random",
    "raw",
    "render",
    "tablerow",
    "unless",
];

/// Tags that only continue or end a block.
const INNER_TAGS: &[&str] = &["else", "elsif", "when"];

/// A parsed source.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) nodes: Vec<Node>,
    /// Root variables read where the template has not surely set them.
    pub(crate) variables: BTreeSet<Box<str>>,
    /// What is read directly below them.
    pub(crate) fields: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// Partials named by a literal.
    pub(crate) partials: BTreeSet<Box<str>>,
}

/// Parses a whole source.
pub(crate) fn parse(source: &str, limits: &Limits) -> Result<Parsed, ParseError> {
    let fail = |(offset, kind): Fault| {
        let (line, column) = line_and_column(source, offset);
        ParseError { line, column, kind }
    };
    let limit = limits.source_bytes;
    if source.len() > limit || u32::try_from(source.len()).is_err() {
        return Err(fail((0, Kind::SourceTooLong { limit })));
    }
    let mut parser = Parser {
        source,
        nesting: limits.nesting,
        depth: 0,
        reads: BTreeSet::new(),
        fields: BTreeMap::new(),
        bound: BTreeSet::new(),
        bindings: Vec::new(),
        partials: BTreeSet::new(),
    };
    let nodes = parser.all(&mut Scanner::template(source)).map_err(fail)?;
    Ok(Parsed { nodes, variables: parser.reads, fields: parser.fields, partials: parser.partials })
}

/// A tag at hand: where it starts, its name, and the range of what follows the name.
#[derive(Debug, Clone)]
struct Tag<'s> {
    at: usize,
    name: &'s str,
    body: Range<usize>,
}

struct Parser<'s> {
    source: &'s str,
    nesting: usize,
    depth: usize,
    reads: BTreeSet<Box<str>>,
    fields: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// Variables that surely have their value from the template at this place.
    bound: BTreeSet<Box<str>>,
    /// The same in the order they were bound, to forget them at the end of a block.
    bindings: Vec<Box<str>>,
    partials: BTreeSet<Box<str>>,
}

impl<'s> Parser<'s> {
    fn slice(&self, range: Range<usize>) -> &'s str {
        self.source.get(range).unwrap_or_default()
    }

    fn lexer(&self, tag: &Tag<'s>) -> Result<Lexer<'s>, Fault> {
        Lexer::new(self.source, tag.body.clone())
    }

    /// Notes that a root variable is read.
    fn reads(&mut self, name: &str) {
        if !self.bound.contains(name) && !self.reads.contains(name) {
            self.reads.insert(name.into());
        }
    }

    /// Notes what a path reads directly below its root variable.
    fn reads_field(&mut self, path: &[Step]) {
        if let [Step::Key(root), Step::Key(name), ..] = path
            && !self.bound.contains(root)
        {
            self.fields.entry(root.clone()).or_default().insert(name.clone());
        }
    }

    /// Notes that the template itself gives a variable its value.
    fn binds(&mut self, name: &str) {
        if !self.bound.contains(name) {
            self.bound.insert(name.into());
            self.bindings.push(name.into());
        }
    }

    /// Forgets what was bound since there were `count` bindings: the block may not be rendered.
    fn unbind(&mut self, count: usize) {
        for name in self.bindings.drain(count.min(self.bindings.len())..) {
            self.bound.remove(&name);
        }
    }

    /// Descends one level. Every recursion of the parser goes through here.
    fn nested<T>(&mut self, at: usize, inside: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= self.nesting {
            return Err((at, Kind::NestedTooDeeply { limit: self.nesting }));
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    /// Everything up to the end of the scanner.
    fn all(&mut self, scanner: &mut Scanner<'s>) -> Result<Vec<Node>, Fault> {
        let mut nodes = Vec::new();
        match self.until(&mut nodes, scanner, None, &[])? {
            None => Ok(nodes),
            Some(tag) => Err(misplaced(&tag, None)),
        }
    }

    /// The inside of `open`, up to one of the tags `stops`, which is given back.
    fn block(
        &mut self,
        scanner: &mut Scanner<'s>,
        open: (&'static str, usize),
        stops: &[&str],
    ) -> Result<(Block, Tag<'s>), Fault> {
        let (tag, at) = open;
        self.nested(at, |parser| {
            let mut nodes = Vec::new();
            let bindings = parser.bindings.len();
            let stop = parser.until(&mut nodes, scanner, Some(tag), stops)?;
            parser.unbind(bindings);
            match stop {
                Some(stop) => {
                    let blank = nodes.iter().all(is_blank);
                    Ok((Block { nodes, blank }, stop))
                }
                None => Err((at, Kind::UnclosedBlock { tag })),
            }
        })
    }

    fn until(
        &mut self,
        nodes: &mut Vec<Node>,
        scanner: &mut Scanner<'s>,
        open: Option<&'static str>,
        stops: &[&str],
    ) -> Result<Option<Tag<'s>>, Fault> {
        while let Some(piece) = scanner.next_piece()? {
            match piece {
                Piece::Text(range) => {
                    let text = self.slice(range.clone());
                    push(nodes, range.start, NodeKind::Text(text.into()));
                }
                Piece::Output { at, body } => {
                    let output = self.output(body)?;
                    push(nodes, at, NodeKind::Output(output));
                }
                Piece::Tag { at, name, body } => {
                    let tag = Tag { at, name: self.slice(name), body };
                    if stops.contains(&tag.name) {
                        return Ok(Some(tag));
                    }
                    self.tag(nodes, scanner, open, &tag)?;
                }
            }
        }
        Ok(None)
    }

    /// The inside of an output or `echo`; nothing at all is nil.
    fn output(&mut self, body: Range<usize>) -> Result<Filtered, Fault> {
        let mut lexer = Lexer::new(self.source, body)?;
        if lexer.peek() == Token::End {
            return Ok(Filtered { expr: Expr::Nil, filters: Vec::new() });
        }
        self.filtered(&mut lexer)
    }
}

fn push(nodes: &mut Vec<Node>, at: usize, kind: NodeKind) {
    // The source is shorter than 4 GiB; `parse` has seen to it.
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    nodes.push(Node { at, kind });
}

/// Whether a node prints nothing but white space.
fn is_blank(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Text(text) => text.trim_ascii().is_empty(),
        NodeKind::Assign(..) | NodeKind::Capture(..) => true,
        NodeKind::If(tag) => {
            tag.branches.iter().all(|(_, block)| block.blank) && tag.otherwise.as_ref().is_none_or(|block| block.blank)
        }
        NodeKind::Case(tag) => tag.arms.iter().all(|arm| arm.block().blank),
        NodeKind::For(tag) => tag.body.blank && tag.otherwise.as_ref().is_none_or(|block| block.blank),
        NodeKind::IfChanged(block) => block.blank,
        _ => false,
    }
}

/// The fault that a known tag stands in the wrong place, or that the tag is not known.
fn misplaced(tag: &Tag<'_>, open: Option<&str>) -> Fault {
    let name = tag.name.to_owned();
    let opener = tag.name.strip_prefix("end");
    let is_end = opener.is_some_and(|opener| TAGS.contains(&opener));
    if !is_end && !INNER_TAGS.contains(&tag.name) {
        let suggestion = suggest::nearest(tag.name, TAGS.iter().copied());
        return (tag.at, Kind::UnknownTag { name, suggestion });
    }
    let expected = match (open, opener) {
        (Some(open), _) => format!("close `{open}` with `{{% end{open} %}}` first"),
        (None, Some(opener)) => format!("there is no open `{opener}` to close"),
        (None, None) if tag.name == "when" => "use it inside `case`".to_owned(),
        (None, None) => "use it inside `if`, `unless`, `case` or `for`".to_owned(),
    };
    (tag.at, Kind::MisplacedTag { name, expected })
}
