//! Unified diffs, bounded in time and size.

use similar::{ChangeTag, TextDiff};
use std::fmt::Write;
use std::time::Duration;

const CONTEXT: usize = 3;
/// After this the diff is coarser, not later.
const TIME: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Diff {
    pub(crate) text: String,
    pub(crate) truncated: bool,
}

/// Hunks between two texts whose first line has the number `first`; at most `most` bytes.
pub(crate) fn unified(old: &str, new: &str, first: u64, most: usize) -> Diff {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let skip = same.saturating_sub(CONTEXT);
    let rest = old.len().min(new.len()) - same;
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    let cut = tail.saturating_sub(CONTEXT);
    let (old, new) = (&old[skip..old.len() - cut], &new[skip..new.len() - cut]);
    let first = first + skip as u64;
    let diff = TextDiff::configure().timeout(TIME).diff_slices(old, new);
    let mut text = String::new();
    for group in diff.grouped_ops(CONTEXT) {
        let (Some(start), Some(end)) = (group.first(), group.last()) else {
            continue;
        };
        let side = |from: usize, to: usize| {
            let length = (to - from) as u64;
            let line = first + from as u64 - u64::from(length == 0);
            if length == 1 {
                line.to_string()
            } else {
                format!("{line},{length}")
            }
        };
        let _ = writeln!(
            text,
            "@@ -{} +{} @@",
            side(start.old_range().start, end.old_range().end),
            side(start.new_range().start, end.new_range().end)
        );
        for op in &group {
            for change in diff.iter_changes(op) {
                let sign = match change.tag() {
                    ChangeTag::Delete => '-',
                    ChangeTag::Insert => '+',
                    ChangeTag::Equal => ' ',
                };
                text.push(sign);
                text.push_str(change.value());
                if !change.value().ends_with('\n') {
                    text.push_str("\n\\ No newline at end of file\n");
                }
                if text.len() > most {
                    text.truncate(text.floor_char_boundary(most));
                    return Diff {
                        text,
                        truncated: true,
                    };
                }
            }
        }
    }
    Diff {
        text,
        truncated: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_carry_the_numbers_of_the_file() {
        let old = "a\nb\nc\nd\ne\nf\ng\n";
        let new = "a\nb\nc\nd\nE\nf\ng";
        insta::assert_snapshot!(unified(old, new, 100, 1000).text, @r#"
        @@ -101,6 +101,6 @@
         b
         c
         d
        -e
        +E
         f
        -g
        +g
        \ No newline at end of file
        "#);
        assert_eq!(unified("", "a\n", 1, 1000).text, "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(unified("a\n", "a\n", 1, 1000), Diff::default());
    }

    #[test]
    fn a_long_diff_is_cut() {
        let diff = unified("", &"line\n".repeat(1000), 1, 100);
        assert!(diff.truncated && diff.text.len() <= 100);
    }
}
