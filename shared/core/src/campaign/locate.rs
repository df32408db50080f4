//! The lines of a YAML file at which paths like `steps[2].wait` stand.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A document of which only the shape and the lines are kept.
pub(super) enum Node {
    Map(Vec<(Spanned<String>, Node)>),
    List(Vec<Spanned<Node>>),
    Scalar,
}

impl Node {
    /// Reads the shape of a file that is known to be YAML; `None` where that cannot be had.
    pub(super) fn parse(text: &str, options: serde_saphyr::Options) -> Option<Self> {
        serde_saphyr::from_str_with_options(text, options).ok()
    }

    /// The line of a path, or of the nearest thing around it that is in the file.
    pub(super) fn line(&self, path: &str) -> Option<u64> {
        let path = path.strip_prefix('.').unwrap_or(path);
        match self {
            Self::Map(fields) => {
                let rest = |key: &str| {
                    path.strip_prefix(key).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']))
                };
                let found = fields.iter().filter_map(|(key, node)| Some((key, node, rest(&key.value)?)));
                let (key, node, rest) = found.max_by_key(|(key, ..)| key.value.len())?;
                node.line(rest).or(Some(key.referenced.line()))
            }
            Self::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                let item = items.get(index.parse::<usize>().ok()?)?;
                item.value.line(rest).or(Some(item.referenced.line()))
            }
            Self::Scalar => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Shape)
    }
}

struct Shape;

impl<'de> Visitor<'de> for Shape {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Map(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Node::Scalar)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Scalar)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Scalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_line() {
        let text = "name: x\n\nmessages:\n  a.b: {subject: s}\n  a:\n    subject: 5\nsteps:\n  - send: a\n\n  - wait: 3\n    next:\n";
        let node = Node::parse(text, serde_saphyr::Options::default()).expect("a shape");
        let table = [
            ("name", Some(1)),
            ("messages.a.b.subject", Some(4)),
            ("messages.a.subject", Some(6)),
            ("messages.a.html", Some(5)),
            ("steps[0]", Some(8)),
            ("steps[1].wait", Some(10)),
            ("steps[1].next", Some(11)),
            ("steps[7]", Some(7)),
            ("messages.a.subject line 1, column 2", Some(6)),
            ("kind", None),
            ("", None),
        ];
        for (path, line) in table {
            assert_eq!(node.line(path), line, "{path}");
        }
    }
}
