//! The steps of a flow, drawn: boxes and lines with their places, which the template writes as SVG.
//!
//! A list of steps goes down. A step that has lists within it is a frame with the lists beside each other.

/// One step to draw or to list.
#[derive(Debug, Clone, Default)]
pub struct StepView {
    /// What it is called: its title, its id, or nothing.
    pub name: String,
    pub kind: &'static str,
    pub detail: String,
    pub when: Option<String>,
    pub lists: Vec<StepList>,
}

#[derive(Debug, Clone, Default)]
pub struct StepList {
    pub label: String,
    pub steps: Vec<StepView>,
}

/// A row of the list beside the drawing.
#[derive(Debug, Clone)]
pub struct StepRow {
    /// How deep it lies, at most [`DEEPEST`].
    pub depth: usize,
    /// The number of its form; none where it is changed in the text alone.
    pub at: Option<usize>,
    /// The list within the step before that begins here.
    pub label: Option<String>,
    pub name: String,
    pub kind: &'static str,
    pub detail: String,
    pub when: Option<String>,
}

const DEEPEST: usize = 6;

/// Steps in the order of the text.
pub fn rows(steps: &[StepView]) -> Vec<StepRow> {
    let mut rows = Vec::new();
    gather(steps, 0, None, &mut rows);
    rows
}

fn gather(steps: &[StepView], depth: usize, label: Option<&str>, rows: &mut Vec<StepRow>) {
    for (index, step) in steps.iter().enumerate() {
        rows.push(StepRow {
            depth: depth.min(DEEPEST),
            at: None,
            label: label.filter(|_| index == 0).map(str::to_owned),
            name: step.name.clone(),
            kind: step.kind,
            detail: step.detail.clone(),
            when: step.when.clone(),
        });
        for list in &step.lists {
            gather(&list.steps, depth + 1, Some(&list.label), rows);
        }
    }
}

/// What is drawn, in units of the drawing.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub width: u32,
    pub height: u32,
    pub frames: Vec<Rect>,
    pub boxes: Vec<Labelled>,
    pub lines: Vec<Line>,
    pub notes: Vec<Note>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

#[derive(Debug, Clone)]
pub struct Labelled {
    pub rect: Rect,
    /// `step`, `end` for where a run begins and ends, `fail`.
    pub class: &'static str,
    pub title: String,
    pub detail: String,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub x1: u32,
    pub y1: u32,
    pub x2: u32,
    pub y2: u32,
}

/// A small text: a condition, the name of a list.
#[derive(Debug, Clone)]
pub struct Note {
    pub x: u32,
    pub y: u32,
    pub text: String,
}

impl Labelled {
    /// The middle of the box.
    pub fn middle(&self) -> u32 {
        self.rect.x + self.rect.width / 2
    }

    pub fn title_y(&self) -> u32 {
        let up = if self.detail.is_empty() { 0 } else { 8 };
        self.rect.y + self.rect.height / 2 + 5 - up
    }

    pub fn detail_y(&self) -> u32 {
        self.rect.y + self.rect.height / 2 + 13
    }
}

const BOX: u32 = 208;
const TALL: u32 = 46;
const END: u32 = 30;
/// Between two steps; a condition stands in it.
const GAP: u32 = 30;
const BESIDE: u32 = 20;
const PAD: u32 = 14;
/// Room for the name of a list.
const LABEL: u32 = 18;
const TITLE_CHARS: usize = 26;
const DETAIL_CHARS: usize = 31;
const NOTE_CHARS: usize = 30;
/// What has more is not drawn to its end.
const MOST: usize = 200;

/// Draws steps between `first` and `last`, which say what starts a run and what ends it.
pub fn draw(steps: &[StepView], first: &str, last: &str) -> Graph {
    let mut left = MOST;
    let steps = cut(steps, &mut left);
    let (wide, tall) = size_of_list(&steps);
    let wide = wide.max(BOX);
    let mut graph = Graph {
        width: wide + 2 * PAD,
        height: tall + 2 * (END + GAP) + 2 * PAD,
        ..Graph::default()
    };
    let middle = PAD + wide / 2;
    graph.end(middle, PAD, first);
    let mut y = PAD + END;
    if !steps.is_empty() {
        graph.line(middle, y, middle, y + GAP);
        graph.list(&steps, middle, y + GAP);
        y += GAP + tall;
    }
    graph.line(middle, y, middle, y + GAP);
    graph.end(middle, y + GAP, last);
    graph.height = y + GAP + END + PAD;
    graph
}

/// The first steps, those within others counted.
fn cut(steps: &[StepView], left: &mut usize) -> Vec<StepView> {
    let mut kept = Vec::new();
    for step in steps {
        let Some(less) = left.checked_sub(1) else {
            break;
        };
        *left = less;
        let lists = step.lists.iter().map(|list| StepList {
            label: list.label.clone(),
            steps: cut(&list.steps, left),
        });
        kept.push(StepView {
            lists: lists.collect(),
            ..step.clone()
        });
    }
    kept
}

fn size_of_list(steps: &[StepView]) -> (u32, u32) {
    let mut size = (0, 0);
    for (index, step) in steps.iter().enumerate() {
        let (wide, tall) = size_of(step);
        size.0 = size.0.max(wide);
        size.1 += tall + if index > 0 { GAP } else { 0 };
    }
    size
}

fn size_of(step: &StepView) -> (u32, u32) {
    if step.lists.is_empty() {
        return (BOX, TALL);
    }
    let (mut wide, mut tall) = (0, 0);
    for (index, list) in step.lists.iter().enumerate() {
        let (own, high) = size_of_list(&list.steps);
        wide += own.max(BOX) + if index > 0 { BESIDE } else { 0 };
        tall = tall.max(high);
    }
    (wide + 2 * PAD, TALL + LABEL + tall + PAD + PAD / 2)
}

impl Graph {
    fn line(&mut self, x1: u32, y1: u32, x2: u32, y2: u32) {
        self.lines.push(Line { x1, y1, x2, y2 });
    }

    fn end(&mut self, middle: u32, y: u32, title: &str) {
        self.boxes.push(Labelled {
            rect: Rect {
                x: middle.saturating_sub(BOX / 2),
                y,
                width: BOX,
                height: END,
            },
            class: "end",
            title: short(title, TITLE_CHARS),
            detail: String::new(),
        });
    }

    /// Steps under each other around a vertical line.
    fn list(&mut self, steps: &[StepView], middle: u32, top: u32) {
        let mut y = top;
        for (index, step) in steps.iter().enumerate() {
            if index > 0 {
                self.line(middle, y, middle, y + GAP);
                y += GAP;
            }
            if let Some(when) = &step.when {
                let text = format!("if {}", short(when, NOTE_CHARS));
                self.note(middle + 8, y.saturating_sub(9), text);
            }
            y += self.step(step, middle, y);
        }
    }

    fn note(&mut self, x: u32, y: u32, text: String) {
        self.notes.push(Note { x, y, text });
    }

    /// How tall it is.
    fn step(&mut self, step: &StepView, middle: u32, y: u32) -> u32 {
        let (wide, tall) = size_of(step);
        let left = middle.saturating_sub(wide / 2);
        if !step.lists.is_empty() {
            self.frames.push(Rect {
                x: left,
                y: y + TALL / 2,
                width: wide,
                height: tall - TALL / 2,
            });
        }
        let name = if step.name.is_empty() {
            step.kind.to_owned()
        } else {
            format!("{} {}", step.kind, step.name)
        };
        self.boxes.push(Labelled {
            rect: Rect {
                x: middle.saturating_sub(BOX / 2),
                y,
                width: BOX,
                height: TALL,
            },
            class: if step.kind == "fail" { "fail" } else { "step" },
            title: short(&name, TITLE_CHARS),
            detail: short(&step.detail, DETAIL_CHARS),
        });
        let mut x = left + PAD;
        for list in &step.lists {
            let (own, _) = size_of_list(&list.steps);
            let own = own.max(BOX);
            let centre = x + own / 2;
            let top = y + TALL + LABEL + PAD / 2;
            self.note(x, top - 6, short(&list.label, NOTE_CHARS));
            self.list(&list.steps, centre, top);
            x += own + BESIDE;
        }
        tall
    }
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most - 1).collect();
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, lists: Vec<Vec<StepView>>) -> StepView {
        let lists = lists.into_iter().enumerate();
        StepView {
            name: name.into(),
            kind: "map",
            lists: lists
                .map(|(index, steps)| StepList {
                    label: index.to_string(),
                    steps,
                })
                .collect(),
            ..StepView::default()
        }
    }

    fn overlap(a: &Rect, b: &Rect) -> bool {
        let apart = a.x + a.width <= b.x
            || b.x + b.width <= a.x
            || a.y + a.height <= b.y
            || b.y + b.height <= a.y;
        !apart
    }

    #[test]
    fn no_box_covers_another_and_all_lie_within_the_drawing() {
        let deep = step(
            "c",
            vec![vec![step("d", vec![]), step("e", vec![])], vec![]],
        );
        let steps = vec![
            step("a", vec![]),
            step(
                "b",
                vec![vec![deep, step("f", vec![])], vec![step("g", vec![])]],
            ),
            step("h", vec![]),
        ];
        let graph = draw(&steps, "tool x", "result");
        assert_eq!(graph.boxes.len(), 8 + 2);
        for (index, one) in graph.boxes.iter().enumerate() {
            assert!(one.rect.x + one.rect.width <= graph.width, "{one:?}");
            assert!(one.rect.y + one.rect.height <= graph.height, "{one:?}");
            for other in &graph.boxes[index + 1..] {
                assert!(!overlap(&one.rect, &other.rect), "{one:?} {other:?}");
            }
        }
        for frame in &graph.frames {
            assert!(frame.x + frame.width <= graph.width && frame.y + frame.height <= graph.height);
        }
        let names: Vec<String> = rows(&steps).into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["a", "b", "c", "d", "e", "f", "g", "h"]);
    }

    #[test]
    fn what_is_too_long_is_cut_and_too_many_steps_are_not_drawn() {
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
        let many: Vec<StepView> = (0..500).map(|n| step(&n.to_string(), vec![])).collect();
        assert_eq!(draw(&many, "a", "b").boxes.len(), MOST + 2);
    }
}
