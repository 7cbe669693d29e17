//! From the text of an expression to something that runs.

use super::Why;
use super::allowed::{ALLOWED, LEFT_OUT, instead_of};
use super::walk::{Use, walk};
use jaq_core::compile::Undefined;
use jaq_core::data::JustLut;
use jaq_core::load::lex::{self, Lexer};
use jaq_core::load::parse::{Def, Parser, Term};
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::Fun;
use jaq_json::Val;
use quaymaster_core::suggest::did_you_mean;
use std::collections::{BTreeSet, HashMap};

pub(super) type Data = JustLut<Val>;
/// An expression that can be run.
pub(super) type Compiled = jaq_core::Filter<Data>;

const MORE: &str = include_str!("more.jq");
/// The interpreter's function under the name by which `more.jq` calls it.
const RENAMED: (&str, &str) = ("strptime", "strptime_utc");

/// All that expressions can be made of.
pub(super) struct Library {
    definitions: Vec<Def<&'static str>>,
    /// What definitions of a name call, whatever their number of arguments.
    calls: HashMap<&'static str, BTreeSet<&'static str>>,
    /// The interpreter's functions, with their numbers of arguments.
    natives: Vec<(&'static str, usize)>,
}

/// The functions of the interpreter that an expression may be made of.
fn natives() -> impl Iterator<Item = Fun<Data>> {
    jaq_core::funs::<Data>()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .filter(|(name, ..)| !LEFT_OUT.contains(name))
        .map(|(name, args, run)| {
            let name = if name == RENAMED.0 { RENAMED.1 } else { name };
            (name, args, run)
        })
}

impl Library {
    pub(super) fn load() -> Library {
        let more = load::parse(MORE, |parser| parser.defs()).unwrap_or_default();
        let definitions: Vec<_> = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .chain(more)
            .collect();
        let mut calls: HashMap<_, BTreeSet<_>> = HashMap::new();
        for definition in &definitions {
            let called = calls.entry(definition.name).or_default();
            walk(&definition.body, &mut |seen| {
                if let Use::Filter(name) = seen {
                    called.insert(name);
                }
            });
        }
        Library {
            definitions,
            calls,
            natives: natives()
                .map(|(name, args, _)| (name, args.len()))
                .collect(),
        }
    }

    /// How many arguments a filter of this name can have.
    fn arities(&self, name: &str) -> BTreeSet<usize> {
        let defined = self
            .definitions
            .iter()
            .filter(|definition| definition.name == name)
            .map(|definition| definition.args.len());
        let native = self
            .natives
            .iter()
            .filter(|(native, _)| *native == name)
            .map(|(_, args)| *args);
        defined.chain(native).collect()
    }

    /// Makes an expression of its text, of no more of the library than it uses.
    pub(super) fn compile(&self, source: &str) -> Result<Compiled, Why> {
        let term = parse(source)?;
        let mut used = BTreeSet::new();
        check(source, &term, &mut used)?;
        self.complete(&mut used);
        let definitions = self
            .definitions
            .iter()
            .filter(|definition| used.contains(definition.name))
            .cloned();
        let natives = natives().filter(|(name, ..)| used.contains(name));
        let arena = Arena::default();
        let file = File {
            code: source,
            path: (),
        };
        // It was parsed before, but parts of it cannot be given.
        let modules = Loader::new(definitions)
            .load(&arena, file)
            .map_err(|_| syntax(source, source, "it cannot be read"))?;
        jaq_core::Compiler::default()
            .with_funs(natives)
            .compile(modules)
            .map_err(|errors| {
                let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
                match first {
                    Some((name, undefined)) => self.undefined(source, name, &undefined),
                    None => syntax(source, source, "it cannot be compiled"),
                }
            })
    }

    /// Adds what the definitions of these names call, and so on.
    fn complete<'s>(&self, used: &mut BTreeSet<&'s str>)
    where
        'static: 's,
    {
        let mut open: Vec<&str> = used.iter().copied().collect();
        while let Some(name) = open.pop() {
            for &called in self.calls.get(name).into_iter().flatten() {
                if used.insert(called) {
                    open.push(called);
                }
            }
        }
    }

    fn undefined(&self, source: &str, name: &str, undefined: &Undefined) -> Why {
        match undefined {
            Undefined::Filter(given) => {
                let known: Vec<_> = self.arities(name).iter().map(ToString::to_string).collect();
                let message = format!("{name} takes {} arguments, not {given}", known.join(" or "));
                syntax(source, name, &message)
            }
            Undefined::Var if instead_of(name).is_some() => forbidden(source, name, name),
            Undefined::Var => syntax(source, name, &format!("there is no variable {name}")),
            Undefined::Label => syntax(source, name, &format!("there is no label {name}")),
            _ => syntax(source, name, &format!("there is no module {name}")),
        }
    }
}

fn parse(source: &str) -> Result<Term<&str>, Why> {
    let tokens = Lexer::new(source)
        .lex()
        .map_err(|errors| unlexed(source, &errors))?;
    if let Some(word) = tokens
        .iter()
        .map(|token| token.0)
        .find(|word| ["import", "include", "module"].contains(word))
    {
        return Err(forbidden(source, word, word));
    }
    Parser::new(&tokens).parse(Parser::term).map_err(|errors| {
        let Some((expected, found)) = errors.into_iter().next() else {
            return syntax(source, source, "it cannot be read");
        };
        let expected = expected.as_str();
        match found {
            Some(token) => {
                let shown: String = token.0.chars().take(30).collect();
                syntax(
                    source,
                    token.0,
                    &format!("expected {expected}, found {shown}"),
                )
            }
            None if source.trim().is_empty() => syntax(source, source, "the expression is empty"),
            None => {
                let end = &source[source.len()..];
                syntax(source, end, &format!("expected {expected}, found the end"))
            }
        }
    })
}

fn unlexed(source: &str, errors: &[lex::Error<&str>]) -> Why {
    match errors.first() {
        Some((lex::Expect::Token, at)) => {
            let shown: String = at.chars().take(1).collect();
            syntax(source, at, &format!("{shown} does not belong here"))
        }
        Some((expected, at)) => syntax(source, at, &format!("expected {}", expected.as_str())),
        None => syntax(source, source, "it cannot be read"),
    }
}

/// Collects the filters that a term calls, all of which must be allowed.
fn check<'s>(
    source: &'s str,
    term: &Term<&'s str>,
    used: &mut BTreeSet<&'s str>,
) -> Result<(), Why> {
    let mut wrong = None;
    walk(term, &mut |seen| match seen {
        Use::Filter(name) if ALLOWED.contains(&name) => {
            used.insert(name);
        }
        Use::Filter(name) => {
            wrong.get_or_insert_with(|| unknown(source, name));
        }
        Use::Definition(name) => {
            wrong.get_or_insert_with(|| forbidden(source, name, "def"));
        }
    });
    wrong.map_or(Ok(()), Err)
}

fn unknown(source: &str, name: &str) -> Why {
    if instead_of(name).is_some() {
        return forbidden(source, name, name);
    }
    let shown: String = name.chars().take(60).collect();
    let close = did_you_mean(name, ALLOWED.iter().copied(), 2);
    let mut message = format!("there is no function {shown}");
    if !close.is_empty() {
        message.push_str("; did you mean ");
        message.push_str(&close.join(" or "));
        message.push('?');
    }
    syntax(source, name, &message)
}

fn syntax(source: &str, at: &str, message: &str) -> Why {
    let (line, column) = place(source, at);
    Why::Syntax {
        message: message.to_owned(),
        line,
        column,
    }
}

fn forbidden(source: &str, at: &str, name: &str) -> Why {
    let (line, column) = place(source, at);
    Why::Forbidden {
        name: name.to_owned(),
        line,
        column,
    }
}

/// Line and column of a part, both from 1 and in characters. The start for what is no part.
fn place(source: &str, part: &str) -> (u32, u32) {
    let offset = (part.as_ptr() as usize).wrapping_sub(source.as_ptr() as usize);
    // What begins behind its end only happens to lie there.
    let before = match offset.checked_add(part.len()) {
        Some(end) if end <= source.len() => source.get(..offset).unwrap_or_default(),
        _ => "",
    };
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    (line as u32, last.chars().count() as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_allowed_name_is_there_and_its_definitions_are_complete() {
        let library = Library::load();
        for name in ALLOWED {
            assert!(!library.arities(name).is_empty(), "{name} is nowhere");
            for arity in library.arities(name) {
                let args = vec!["."; arity].join("; ");
                let call = match arity {
                    0 => (*name).to_owned(),
                    _ => format!("{name}({args})"),
                };
                let compiled = library.compile(&call);
                assert!(compiled.is_ok(), "{call}: {:?}", compiled.err());
            }
        }
    }

    #[test]
    fn nothing_that_reaches_out_is_in_the_library() {
        let library = Library::load();
        for name in LEFT_OUT {
            assert!(library.natives.iter().all(|(native, _)| native != name));
            assert!(!ALLOWED.contains(name), "{name}");
        }
        // Whatever an allowed filter calls ends at functions that are there.
        let mut used: BTreeSet<&str> = ALLOWED.iter().copied().collect();
        library.complete(&mut used);
        for name in LEFT_OUT {
            assert!(!used.contains(name), "{name} can be reached");
        }
    }

    #[test]
    fn places_count_lines_and_characters() {
        let source = "ä |\n  ö foo";
        assert_eq!(place(source, &source[source.len() - 3..]), (2, 5));
        assert_eq!(place(source, source), (1, 1));
        assert_eq!(place(source, "elsewhere"), (1, 1));
    }
}
