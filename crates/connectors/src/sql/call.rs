//! A statement as a call of a connector of the kind `sql`.

use super::{DatabaseFile, Databases, Query, Server, Tls, Unusable, run};
use crate::request::{Account, Base, Invocation, Prepared, Signer};
use crate::send::{Answer, Data, Failure, FailureKind, Meta, Options, Sender};
use quaymaster_core::{Code, Fault};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Rows of an answer, unless the call says otherwise, and at most.
const USUAL_ROWS: u64 = 100;
const MOST_ROWS: u64 = 10_000;
/// As a service of the web answers a call that was done.
const DONE: u16 = 200;

/// Answers `{columns, rows, affected}`. Nothing is tried twice: whoever asks knows whether that is safe.
pub(crate) async fn call(
    sender: &Sender,
    prepared: &Prepared,
    account: &Account,
    connection: &str,
    call: &Invocation,
    options: &Options,
) -> Result<Answer, Failure> {
    let definition = prepared.definition();
    let signer = Signer::new(definition, account).map_err(Failure::refused)?;
    let asked = Asked::of(prepared, call, options).map_err(Failure::refused)?;
    let base = Base::resolve(&definition.base_url, signer).map_err(Failure::refused)?;
    let server = server(signer, &base).map_err(Failure::refused)?;
    let egress = sender.way_out(account, &base)?;
    let module = call.module.as_deref();
    sender
        .take_turn(connection, definition, module, options, Duration::ZERO)
        .await?;
    let rows = run(&egress, &server, &asked.query()).await;
    Ok(answer(&rows.map_err(failed)?, signer))
}

/// The same for a database that is a file, which others open.
pub(crate) async fn call_file(
    sender: &Sender,
    prepared: &Prepared,
    account: &Account,
    connection: &str,
    call: &Invocation,
    options: &Options,
    databases: &dyn Databases,
) -> Result<Answer, Failure> {
    let definition = prepared.definition();
    let signer = Signer::new(definition, account).map_err(Failure::refused)?;
    let asked = Asked::of(prepared, call, options).map_err(Failure::refused)?;
    if asked.text.contains('\0') {
        return Err(Failure::refused(Unusable::Nul.fault()));
    }
    let field = |name: &str| signer.value(name).ok_or_else(|| signer.missing(name));
    let file = DatabaseFile {
        workspace: field("workspace").map_err(failed)?.trim(),
        path: field("file").map_err(failed)?.trim(),
    };
    let module = call.module.as_deref();
    sender
        .take_turn(connection, definition, module, options, Duration::ZERO)
        .await?;
    let rows = databases.run(&file, &asked.query()).await;
    Ok(answer(&rows.map_err(failed)?, signer))
}

/// What a call asks for, whatever database it goes to.
struct Asked {
    text: String,
    params: Map<String, Value>,
    read_only: bool,
    max_rows: usize,
    max_bytes: usize,
    timeout: Duration,
}

impl Asked {
    fn of(prepared: &Prepared, call: &Invocation, options: &Options) -> Result<Asked, Fault> {
        let (mut inputs, read_only) = inputs(prepared, call)?;
        let rows = inputs.get("max_rows").and_then(Value::as_u64);
        Ok(Asked {
            text: match inputs.remove("query") {
                Some(Value::String(text)) => text,
                _ => String::new(),
            },
            params: match inputs.remove("params") {
                Some(Value::Object(params)) => params,
                _ => Map::new(),
            },
            read_only,
            max_rows: rows.unwrap_or(USUAL_ROWS).min(MOST_ROWS) as usize,
            max_bytes: options.max_bytes,
            timeout: options
                .timeout
                .unwrap_or_else(|| Sender::usual_timeout(prepared.definition())),
        })
    }

    fn query(&self) -> Query<'_> {
        Query {
            text: &self.text,
            params: &self.params,
            read_only: self.read_only,
            max_rows: self.max_rows,
            max_bytes: self.max_bytes,
            timeout: self.timeout,
        }
    }
}

fn answer(rows: &super::Answer, signer: Signer<'_>) -> Answer {
    let mut data = json!({ "columns": rows.columns, "rows": rows.rows, "affected": rows.affected });
    // Without what nobody sees and what nobody may see, as of every service.
    signer.redactor().value(&mut data);
    Answer {
        status: DONE,
        data: Data::Value(data),
        media: Vec::new(),
        meta: Meta {
            pages: 1,
            ..Meta::default()
        },
    }
}

/// The inputs, checked against the action, and whether it only reads.
fn inputs(prepared: &Prepared, call: &Invocation) -> Result<(Map<String, Value>, bool), Fault> {
    let definition = prepared.definition();
    let wanted = call.rpc.as_deref();
    let key = call.action.as_deref().or_else(|| {
        let mut actions = definition
            .modules
            .values()
            .flat_map(|module| &module.actions);
        let own = actions.find(|(_, action)| wanted.is_some() && action.rpc.as_deref() == wanted);
        own.map(|(key, _)| key.as_str())
    });
    let key = key.ok_or_else(|| {
        let message = format!("{} has no such method.", definition.title);
        Fault::invalid_arg("/method", "enum", message).hint("Call `query` or `execute`.")
    })?;
    let known = prepared.known(key)?;
    let mut inputs = call.inputs.clone();
    inputs.extend(call.query.clone());
    match &call.body {
        Some(Value::Object(members)) => inputs.extend(members.clone()),
        None | Some(Value::Null) => {}
        Some(_) => {
            let message = "The inputs of a statement are an object.";
            return Err(
                Fault::invalid_arg("/body", "type", message).hint("Give them by name, in `body`.")
            );
        }
    }
    known.plan.complete(&mut inputs);
    known.plan.check(&inputs)?;
    Ok((inputs, known.action.reads()))
}

fn server(signer: Signer<'_>, base: &Base) -> Result<Server, Fault> {
    let field = |name: &str| signer.value(name).ok_or_else(|| signer.missing(name));
    let (user, password) = signer.basic()?.ok_or_else(|| signer.missing("username"))?;
    let tls = match signer.value("tls") {
        Some("off") => Tls::Off,
        _ => Tls::Required,
    };
    let (Some(host), Some(port)) = (base.url.host_str(), base.url.port_or_known_default()) else {
        return Err(Fault::internal());
    };
    Ok(Server {
        host: host.to_owned(),
        port,
        database: field("database")?.to_owned(),
        user: user.to_owned(),
        password: SecretString::from(password),
        tls,
    })
}

fn failed(fault: Fault) -> Failure {
    let kind = match fault.code {
        Code::ConnectionRequired => FailureKind::Auth,
        Code::InvalidArg => FailureKind::Refused,
        Code::Timeout => FailureKind::Timeout,
        _ if fault.has_detail("sqlstate") || fault.has_detail("sqlite") => FailureKind::Upstream,
        _ if fault.retryable => FailureKind::Unreachable,
        _ => FailureKind::Upstream,
    };
    Failure {
        kind,
        fault,
        status: None,
        retries: 0,
    }
}
