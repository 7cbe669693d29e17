//! `/workspaces/{id}/flows/{name}/versions`: versions, what each changed, and back to one of them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::flows::FlowVersion;
use quaymaster_core::id::WorkspaceId;
use similar::{ChangeTag, TextDiff};

use super::answer::{self, At, Stop, shown};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::Posted;
use super::writers::Writers;
use super::{Pages, place};
use crate::views::{DiffLine, FlowVersionPage, FlowVersionRow, FlowVersionsPage, flow_path};

/// Lines around a change.
const AROUND: usize = 4;
/// Lines of a comparison that a page shows.
const MOST_LINES: usize = 4_000;

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    At((id, name)): At<(WorkspaceId, String)>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let place = place::find(&app, actor, &id).await?;
    let flow = app.flow(actor, &id, &name).await?.flow;
    let versions = app.flow_versions(actor, &id, &name).await?;
    let ids: Vec<_> = versions
        .iter()
        .map(|version| version.made_by.as_str())
        .collect();
    let writers = Writers::of(&app, actor, &ids).await?;
    let page = FlowVersionsPage {
        versions: versions
            .iter()
            .map(|version| row(version, flow.version, &writers))
            .collect(),
        name: flow.name,
        title: flow.title,
        place,
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn row(version: &FlowVersion, current: i64, writers: &Writers) -> FlowVersionRow {
    FlowVersionRow {
        version: version.version,
        title: version.title.clone(),
        made_by: writers.name(&version.made_by),
        made_at: version.made_at,
        is_current: version.version == current,
    }
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At((id, name, number)): At<(WorkspaceId, String, i64)>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let place = place::find(&app, actor, &id).await?;
    let full = app.flow(actor, &id, &name).await?;
    let version = app.flow_version(actor, &id, &name, number).await?;
    // The one that runs is compared with the one before, any other with the one that runs.
    let other = if number == full.flow.version {
        let versions = app.flow_versions(actor, &id, &name).await?;
        versions.into_iter().find(|one| one.version < number)
    } else {
        Some(full.current)
    };
    let diff = other.as_ref().map(|other| {
        if other.version < number {
            diff(&other.source, &version.source)
        } else {
            diff(&version.source, &other.source)
        }
    });
    let writers = Writers::of(&app, actor, &[&version.made_by]).await?;
    let page = FlowVersionPage {
        row: row(&version, full.flow.version, &writers),
        against: other.map(|other| other.version),
        diff: diff.unwrap_or_default(),
        source: version.source,
        name: full.flow.name,
        title: full.flow.title,
        place,
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

/// The lines that changed, with some around them.
fn diff(before: &str, after: &str) -> Vec<DiffLine> {
    let compared = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (index, group) in compared.grouped_ops(AROUND).iter().enumerate() {
        if index > 0 {
            lines.push(DiffLine {
                class: "gap",
                before: None,
                after: None,
                text: "…".to_owned(),
            });
        }
        for change in group.iter().flat_map(|op| compared.iter_changes(op)) {
            lines.push(DiffLine {
                class: match change.tag() {
                    ChangeTag::Equal => "same",
                    ChangeTag::Insert => "added",
                    ChangeTag::Delete => "removed",
                },
                before: change.old_index().map(|line| line + 1),
                after: change.new_index().map(|line| line + 1),
                text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
            });
        }
    }
    lines.truncate(MOST_LINES);
    lines
}

pub(super) async fn restore(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At((id, name, number)): At<(WorkspaceId, String, i64)>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let place = place::find(&pages.app, &admin, &id).await?;
    let restored = pages.app.roll_flow_back(&admin, &id, &name, number).await?;
    let path = flow_path(&place, &restored.flow.name);
    Ok(answer::done(&pages, &path, Notice::FlowRolledBack))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_has_the_numbers_of_both_texts_and_leaves_out_what_is_far() {
        let lines: Vec<String> = (1..=30).map(|n| format!("line {n}\n")).collect();
        let before = lines.concat();
        let after = before
            .replace("line 2\n", "")
            .replace("line 29\n", "line 29 new\n");
        let lines = diff(&before, &after);
        let gone = lines.iter().find(|line| line.class == "removed").unwrap();
        assert_eq!(
            (gone.before, gone.after, &*gone.text),
            (Some(2), None, "line 2")
        );
        let new = lines.iter().find(|line| line.class == "added").unwrap();
        assert_eq!((new.before, new.after, new.sign()), (None, Some(28), "+"));
        assert_eq!(lines.iter().filter(|line| line.class == "gap").count(), 1);
        assert!(lines.len() < 20);
        assert!(diff(&before, &before).is_empty());
    }
}
