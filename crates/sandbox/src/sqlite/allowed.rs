//! What a statement may do, and what views and triggers of the database may do with it.

use super::Failed;
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use std::sync::{Arc, Mutex, PoisonError};

/// Settings that can be read, some with the name of a table or index.
const READ: &[&str] = &[
    "application_id",
    "collation_list",
    "compile_options",
    "data_version",
    "database_list",
    "encoding",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "freelist_count",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "journal_mode",
    "module_list",
    "page_count",
    "page_size",
    "pragma_list",
    "quick_check",
    "schema_version",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];
/// Those of them that take a name or a number and set nothing.
const WITH_NAME: &[&str] = &[
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];
/// Numbers that programs keep in a database, which a statement that may change something may set.
const SET: &[&str] = &["application_id", "user_version"];

/// What was refused first, if anything.
#[derive(Clone, Default)]
pub(super) struct Refused(Arc<Mutex<Option<String>>>);

impl Refused {
    fn note(&self, what: String) -> Authorization {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(what);
        Authorization::Deny
    }

    /// The library says only that it was refused something.
    pub(super) fn instead_of(&self, failed: Failed) -> Failed {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*first, failed) {
            (Some(what), Failed::Refused { .. }) => Failed::Forbidden(what.clone()),
            (_, failed) => failed,
        }
    }
}

/// From here on every statement is looked at while it is read.
pub(super) fn watch(database: &Connection) -> rusqlite::Result<Refused> {
    let refused = Refused::default();
    let noted = refused.clone();
    database.authorizer(Some(move |context: AuthContext<'_>| {
        match forbidden(&context.action) {
            Some(what) => noted.note(what),
            None => Authorization::Allow,
        }
    }))?;
    Ok(refused)
}

pub(super) fn let_go(database: &Connection) -> rusqlite::Result<()> {
    database.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
}

/// The name of what may not be done, if it is that.
fn forbidden(action: &AuthAction<'_>) -> Option<String> {
    let what = match action {
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => {
            let name = pragma_name.to_ascii_lowercase();
            let known = |list: &[&str]| list.contains(&name.as_str());
            let allowed = match pragma_value {
                None => known(READ),
                Some(_) => known(WITH_NAME) || known(SET),
            };
            return (!allowed).then(|| {
                let short: String = name.chars().take(60).collect();
                format!("PRAGMA {short}")
            });
        }
        AuthAction::Function { function_name } => {
            let name = function_name.to_ascii_lowercase();
            if !matches!(name.as_str(), "load_extension" | "fts3_tokenizer") {
                return None;
            }
            return Some(name);
        }
        // Reclaiming space attaches a database, too.
        AuthAction::Attach { .. } => "ATTACH or VACUUM",
        AuthAction::Detach { .. } => "DETACH",
        AuthAction::Transaction { .. } => "BEGIN, COMMIT or ROLLBACK",
        AuthAction::Savepoint { .. } => "SAVEPOINT",
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Recursive
        | AuthAction::Insert { .. }
        | AuthAction::Update { .. }
        | AuthAction::Delete { .. }
        | AuthAction::CreateIndex { .. }
        | AuthAction::CreateTable { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::CreateVtable { .. }
        | AuthAction::DropIndex { .. }
        | AuthAction::DropTable { .. }
        | AuthAction::DropTempIndex { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropTempTrigger { .. }
        | AuthAction::DropTempView { .. }
        | AuthAction::DropTrigger { .. }
        | AuthAction::DropView { .. }
        | AuthAction::DropVtable { .. }
        | AuthAction::AlterTable { .. }
        | AuthAction::Reindex { .. }
        | AuthAction::Analyze { .. } => return None,
        // Among them what a later library may know.
        _ => "something that is not known",
    };
    Some(what.to_owned())
}
