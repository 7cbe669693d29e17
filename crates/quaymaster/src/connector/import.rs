//! `connector import`: a definition from a document.

use crate::output;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use quaymaster_connectors::import::{self, Imported, Options, Outcome, Report, Source};
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// More lines on a terminal are not read; the report has them all.
const MOST_LINES: usize = 40;

pub(crate) fn import(
    file: &Path,
    mut options: Options,
    out: Option<&Path>,
    report: Option<&Path>,
    as_json: bool,
) -> anyhow::Result<()> {
    let shown = file.display().to_string();
    let bytes = read(file)?;
    let bar = ProgressBar::no_length().with_message("Reading");
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} operations") {
        bar.set_style(style);
    }
    let told = bar.clone();
    options.progress.0 = Some(Box::new(move |done, all| {
        if done == 0 {
            told.set_message("Importing");
            told.set_length(all as u64);
        }
        told.set_position(done as u64);
    }));
    let done = import::import(Source { name: shown, bytes }, &options);
    bar.finish_and_clear();
    let imported = done?;
    if let Some(target) = report {
        let text = format!("{:#}\n", serde_json::to_value(&imported.report)?);
        write(target, &text)?;
    }
    if let Some(target) = out {
        write(target, &imported.yaml)?;
    }
    tell(&imported, out, as_json);
    Ok(())
}

/// No more than is read anyway.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let shown = file.display();
    let bytes = std::fs::metadata(file)
        .with_context(|| format!("cannot read {shown}"))?
        .len();
    anyhow::ensure!(
        bytes <= import::MOST_BYTES as u64,
        "{shown} has {bytes} bytes; at most {} are read. Cut the document into parts.",
        import::MOST_BYTES
    );
    std::fs::read(file).with_context(|| format!("cannot read {shown}"))
}

fn tell(imported: &Imported, out: Option<&Path>, as_json: bool) {
    let Imported {
        definition,
        yaml,
        report,
    } = imported;
    let summary = summary(report, &definition.key, out);
    let _ = write!(std::io::stderr().lock(), "{summary}");
    let value = match out {
        Some(out) => json!({ "key": definition.key, "file": out, "report": report }),
        None => json!({ "key": definition.key, "yaml": yaml, "report": report }),
    };
    if as_json {
        output::print(true, &value, "");
    } else if out.is_none() {
        let _ = write!(std::io::stdout().lock(), "{yaml}");
    }
}

/// What somebody at a terminal wants to know: counts, what concerns the whole, what is missing.
fn summary(report: &Report, key: &str, out: Option<&Path>) -> String {
    let counts = report.counts;
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{key}: {} operations imported, {} of them with changes; {} left out.",
        counts.imported + counts.changed,
        counts.changed,
        counts.left_out
    );
    for note in &report.notes {
        let _ = writeln!(text, "  {note}");
    }
    let left_out = report
        .operations
        .iter()
        .filter(|one| one.outcome == Outcome::LeftOut);
    for one in left_out.clone().take(MOST_LINES) {
        let _ = writeln!(text, "  {}: {}", one.operation, one.remarks.join(" "));
    }
    let more = left_out.count().saturating_sub(MOST_LINES);
    if more > 0 {
        let _ = writeln!(
            text,
            "  {more} more are left out; --report FILE tells all of them."
        );
    }
    if let Some(out) = out {
        let _ = writeln!(text, "Written to {}.", out.display());
    }
    text
}

/// A finished draft renamed into place: a file is the old one or the whole new one.
fn write(target: &Path, text: &str) -> anyhow::Result<()> {
    let mut name = target
        .file_name()
        .context("the file to write has no name")?
        .to_owned();
    name.push(format!(".draft-{}", std::process::id()));
    let draft = Draft(target.with_file_name(name));
    let written = (|| {
        let mut file = std::fs::File::create_new(&draft.0)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft.0, target)
    })();
    written.with_context(|| format!("cannot write {}", target.display()))
}

struct Draft(PathBuf);

impl Drop for Draft {
    fn drop(&mut self) {
        // After renaming there is none.
        let _ = std::fs::remove_file(&self.0);
    }
}
