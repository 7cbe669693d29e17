//! Where in a program something went wrong.

use super::typescript::Plain;

/// The name of programs in stacks.
pub(super) const FILE: &str = "program";
/// Lines in front of the program's first one.
const BEFORE: u32 = 1;

/// The program as a function that the engine can make.
pub(super) fn wrapped(code: &str) -> String {
    format!("(async function () {{\n{code}\n}})")
}

/// Line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Place {
    /// The innermost place of a stack that is in the program, in the wrapped code.
    ///
    /// A program can write its errors' stacks itself. Then it misleads its own author.
    pub(super) fn in_stack(stack: &str) -> Option<Place> {
        stack.lines().find_map(|line| {
            let (_, at) = line.rsplit_once(FILE)?;
            let mut numbers = at.strip_prefix(':')?.trim_end_matches(')').split(':');
            let place = Place {
                line: numbers.next()?.parse().ok()?,
                column: numbers.next()?.parse().ok()?,
            };
            (place.line > BEFORE).then_some(place)
        })
    }

    /// The same place in the code as it was given. `lines` is how many it has: an end that is missing is
    /// missed behind them.
    pub(super) fn in_source(self, plain: Option<&Plain>, lines: u32) -> Place {
        let place = plain.map_or(self, |plain| plain.source_of(self));
        Place {
            line: place.line.saturating_sub(BEFORE).clamp(1, lines.max(1)),
            column: place.column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_that_is_in_the_program_counts() {
        let stack = "    at parse (native)\n    at f (quaymaster:9:1)\n    at <anonymous> (program:1:2)\n    at g (program:4:7)\n    at program:5:1\n";
        assert_eq!(Place::in_stack(stack), Some(Place { line: 4, column: 7 }));
        assert_eq!(
            Place::in_stack("    at program:5:1\n"),
            Some(Place { line: 5, column: 1 })
        );
        assert_eq!(Place::in_stack("    at program\n"), None);
    }
}
