//! A document in memory, about a third of what general JSON values take: names are shared, texts
//! and lists have no room to grow.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;

/// A value of a document.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Box<[Node]>),
    Map(Box<Members>),
}

/// Members in the order of the document.
#[derive(Debug)]
pub(super) struct Members {
    list: Box<[(Rc<str>, Node)]>,
    /// Places in the list by name, where looking through it would take long.
    places: Option<HashMap<Rc<str>, usize>>,
}

/// From so many members on, names are looked up.
const MANY: usize = 24;

impl Members {
    fn new(list: Vec<(Rc<str>, Node)>) -> Members {
        let places = (list.len() >= MANY).then(|| {
            let names = list.iter().map(|(name, _)| Rc::clone(name));
            names.zip(0..).collect()
        });
        Members {
            list: list.into(),
            places,
        }
    }

    fn get(&self, name: &str) -> Option<&Node> {
        let at = match &self.places {
            Some(places) => *places.get(name)?,
            None => self.list.iter().position(|(own, _)| &**own == name)?,
        };
        self.list.get(at).map(|(_, node)| node)
    }
}

impl Node {
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        match self {
            Node::Map(members) => members.get(name),
            _ => None,
        }
    }

    pub(super) fn members(&self) -> &[(Rc<str>, Node)] {
        match self {
            Node::Map(members) => &members.list,
            _ => &[],
        }
    }

    pub(super) fn list(&self) -> &[Node] {
        match self {
            Node::List(list) => list,
            _ => &[],
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(self, Node::Bool(true))
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self, Node::Map(_))
    }

    /// A map; a name may stand in it several times, and all are listed.
    pub(super) fn map(members: Vec<(String, Node)>) -> Node {
        let list = members
            .into_iter()
            .map(|(name, node)| (Rc::from(name), node));
        Node::Map(Box::new(Members::new(list.collect())))
    }

    /// As a JSON value, without what stands deeper or behind so many parts.
    pub(super) fn value(&self, left: &mut usize) -> Value {
        let Some(rest) = left.checked_sub(1) else {
            return Value::Null;
        };
        *left = rest;
        match self {
            Node::Null => Value::Null,
            Node::Bool(flag) => Value::Bool(*flag),
            Node::Number(number) => Value::Number(number.clone()),
            Node::Text(text) => Value::String(text.to_string()),
            Node::List(list) => {
                let mut made = Vec::new();
                for item in list {
                    if *left == 0 {
                        break;
                    }
                    made.push(item.value(left));
                }
                Value::Array(made)
            }
            Node::Map(members) => {
                let mut made = Map::new();
                for (name, member) in &members.list {
                    if *left == 0 {
                        break;
                    }
                    made.insert(name.to_string(), member.value(left));
                }
                Value::Object(made)
            }
        }
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Node {
        match value {
            Value::Null => Node::Null,
            Value::Bool(flag) => Node::Bool(flag),
            Value::Number(number) => Node::Number(number),
            Value::String(text) => Node::Text(text.into()),
            Value::Array(list) => Node::List(list.into_iter().map(Node::from).collect()),
            Value::Object(map) => {
                let list = map.into_iter();
                let list = list.map(|(name, value)| (Rc::from(name), Node::from(value)));
                Node::Map(Box::new(Members::new(list.collect())))
            }
        }
    }
}

/// Reads documents within one budget.
pub(super) struct Reader {
    /// How many values may still come.
    pub(super) left: Cell<usize>,
    names: RefCell<HashSet<Rc<str>>>,
    /// A name that stood twice in one object.
    pub(super) doubled: RefCell<Option<Rc<str>>>,
}

impl Reader {
    pub(super) fn new(most: usize) -> Reader {
        Reader {
            left: Cell::new(most),
            names: RefCell::default(),
            doubled: RefCell::default(),
        }
    }

    fn shared(&self, name: &str) -> Rc<str> {
        let mut names = self.names.borrow_mut();
        if let Some(known) = names.get(name) {
            return Rc::clone(known);
        }
        let new: Rc<str> = name.into();
        names.insert(Rc::clone(&new));
        new
    }

    fn take<E: Error>(&self) -> Result<(), E> {
        let rest = self.left.get().checked_sub(1);
        self.left.set(rest.unwrap_or(0));
        rest.map(|_| ())
            .ok_or_else(|| E::custom("the document has too many values"))
    }
}

impl<'de> DeserializeSeed<'de> for &Reader {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.take()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Number::from_f64(number).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Node::List(list.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut list: Vec<(Rc<str>, Node)> = Vec::new();
        let mut seen: HashMap<Rc<str>, usize> = HashMap::new();
        while let Some(name) = members.next_key_seed(Name(self))? {
            let node = members.next_value_seed(self)?;
            // Names are shared, so one pointer is one name.
            let before = if list.len() < MANY {
                list.iter().position(|(own, _)| Rc::ptr_eq(own, &name))
            } else {
                if seen.is_empty() {
                    seen = list
                        .iter()
                        .map(|(own, _)| Rc::clone(own))
                        .zip(0..)
                        .collect();
                }
                seen.get(&name).copied()
            };
            match before.and_then(|at| list.get_mut(at)) {
                Some((_, place)) => {
                    *place = node;
                    *self.doubled.borrow_mut() = Some(name);
                }
                None => {
                    if !seen.is_empty() {
                        seen.insert(Rc::clone(&name), list.len());
                    }
                    list.push((name, node));
                }
            }
        }
        Ok(Node::Map(Box::new(Members::new(list))))
    }
}

/// The name of a member. YAML writes statuses as numbers.
struct Name<'r>(&'r Reader);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Rc<str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Rc<str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Rc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rc<str>, E> {
        self.0.take()?;
        Ok(self.0.shared(text))
    }
}
