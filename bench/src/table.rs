//! The table of results.

#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// `goal` is what the design asks for, `held` whether this run met it; both may be unknown.
    pub(crate) fn row(&mut self, what: &str, measured: String, goal: &str, held: Option<bool>) {
        let verdict = match held {
            Some(true) => "held",
            Some(false) => "missed",
            None => "",
        };
        eprintln!("{what}: {measured} {verdict}");
        self.rows.push([
            what.to_owned(),
            measured,
            goal.to_owned(),
            verdict.to_owned(),
        ]);
    }

    pub(crate) fn print(&self) {
        println!("| what | measured | goal | |\n|---|---|---|---|");
        for [what, measured, goal, verdict] in &self.rows {
            println!("| {what} | {measured} | {goal} | {verdict} |");
        }
    }
}
