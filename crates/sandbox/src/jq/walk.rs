//! The names that a term uses.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Part, Path};

/// A use of a name.
pub(super) enum Use<'s> {
    /// A filter that is called.
    Filter(&'s str),
    /// A definition. Whether what is in it is good does not matter any more.
    Definition(&'s str),
}

/// Tells `seen` of every name in `term`, from left to right as far as the tree has kept that.
pub(super) fn walk<'s>(term: &Term<&'s str>, seen: &mut impl FnMut(Use<'s>)) {
    match term {
        Term::Id
        | Term::Recurse
        | Term::Num(_)
        | Term::Arr(None)
        | Term::Break(_)
        | Term::Var(_) => {}
        Term::Str(format, parts) => {
            if let Some(format) = format {
                seen(Use::Filter(format));
            }
            for part in parts {
                if let StrPart::Term(term) = part {
                    walk(term, seen);
                }
            }
        }
        Term::Arr(Some(term)) | Term::Neg(term) | Term::Label(_, term) => walk(term, seen),
        Term::Obj(entries) => {
            for (key, value) in entries {
                walk(key, seen);
                if let Some(value) = value {
                    walk(value, seen);
                }
            }
        }
        Term::BinOp(left, operator, right) => {
            walk(left, seen);
            if let BinaryOp::Pipe(Some(pattern)) = operator {
                walk_pattern(pattern, seen);
            }
            walk(right, seen);
        }
        Term::Fold(_, stream, pattern, args) => {
            walk(stream, seen);
            walk_pattern(pattern, seen);
            for arg in args {
                walk(arg, seen);
            }
        }
        Term::TryCatch(tried, caught) => {
            walk(tried, seen);
            if let Some(caught) = caught {
                walk(caught, seen);
            }
        }
        Term::IfThenElse(branches, otherwise) => {
            for (condition, then) in branches {
                walk(condition, seen);
                walk(then, seen);
            }
            if let Some(otherwise) = otherwise {
                walk(otherwise, seen);
            }
        }
        Term::Def(definitions, term) => {
            for definition in definitions {
                seen(Use::Definition(definition.name));
                walk(&definition.body, seen);
            }
            walk(term, seen);
        }
        Term::Call(name, args) => {
            seen(Use::Filter(name));
            for arg in args {
                walk(arg, seen);
            }
        }
        Term::Path(term, Path(parts)) => {
            walk(term, seen);
            for (part, _) in parts {
                match part {
                    Part::Index(index) => walk(index, seen),
                    Part::Range(from, to) => {
                        for bound in from.iter().chain(to) {
                            walk(bound, seen);
                        }
                    }
                }
            }
        }
    }
}

fn walk_pattern<'s>(pattern: &Pattern<&'s str>, seen: &mut impl FnMut(Use<'s>)) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(patterns) => {
            for pattern in patterns {
                walk_pattern(pattern, seen);
            }
        }
        Pattern::Obj(entries) => {
            for (key, pattern) in entries {
                walk(key, seen);
                walk_pattern(pattern, seen);
            }
        }
    }
}
