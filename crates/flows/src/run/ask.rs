//! From a step and the values of its expressions to what it asks for.

use super::fill::Values;
use super::url;
use crate::fault::StepFault;
use crate::format::{Call, Http, HttpAuth, Kind, Kv, Span};
use crate::host::{
    Auth, Body, ConnectorCall, HttpRequest, KvRequest, Limits, McpCall, PythonRun, Request,
    SqlQuery, Text, TextPart,
};
use crate::template::written;
use quaymaster_core::Code;
use serde_json::Value;

/// Rows, unless the step says otherwise.
const ROWS: u32 = 1_000;

/// What a step asks for; none for a step that asks nobody.
pub(super) fn request(
    kind: Kind<'_>,
    values: &Values,
    idempotency_key: Option<String>,
    limits: Limits,
) -> Result<Option<Request>, StepFault> {
    Ok(Some(match kind {
        Kind::Http(http) => {
            Request::Http(Box::new(self::http(http, values, idempotency_key, limits)?))
        }
        Kind::Call(call) => {
            Request::Call(Box::new(self::call(call, values, idempotency_key, limits)?))
        }
        Kind::Mcp(mcp) => Request::Mcp(McpCall {
            connection: values.text(&mcp.connection),
            tool: mcp.tool.clone(),
            arguments: values.members(&mcp.arguments),
            limits,
        }),
        Kind::Sql(sql) => Request::Sql(SqlQuery {
            connection: values.text(&sql.connection),
            query: sql.query.clone(),
            params: values.members(&sql.params),
            read_only: sql.read_only,
            max_rows: sql.max_rows.unwrap_or(ROWS),
            limits,
        }),
        Kind::Python(python) => Request::Python(PythonRun {
            code: python.code.clone(),
            input: python
                .input
                .as_ref()
                .map_or(Value::Null, |input| values.shape(input)),
            limits,
        }),
        Kind::Kv(kv) => Request::Kv(self::kv(kv, values)?),
        _ => return Ok(None),
    }))
}

fn http(
    http: &Http,
    values: &Values,
    idempotency_key: Option<String>,
    limits: Limits,
) -> Result<HttpRequest, StepFault> {
    let Some((method, address)) = http.verbs().next() else {
        return Err(StepFault::flow("The request has no verb."));
    };
    let mut headers = values.pairs(&http.headers);
    if let Some(key) = &idempotency_key {
        headers.push(("Idempotency-Key".to_owned(), Text::literal(key)));
    }
    let control = |part: &TextPart| match part {
        TextPart::Literal(text) => text.chars().any(|c| c.is_control() && c != '\t'),
        TextPart::Secret(_) => false,
    };
    if let Some((name, _)) = headers.iter().find(|(_, text)| text.0.iter().any(control)) {
        return Err(StepFault::flow(format!(
            "The value of the header {name} has a line break or another control character."
        )));
    }
    let auth = http.auth.as_ref().map(|auth| match auth {
        HttpAuth::Bearer(token) => Auth::Bearer(values.secret_text(token)),
        HttpAuth::Basic { user, password } => Auth::Basic {
            user: values.secret_text(user),
            password: values.secret_text(password),
        },
    });
    let body = match (&http.body, &http.form, &http.text) {
        (Some(body), ..) => Some(Body::Body(values.shape(body))),
        (_, Some(form), _) => {
            let mut pairs = Vec::new();
            for (name, value) in values.members(form) {
                match value {
                    Value::Null => {}
                    Value::Array(list) => {
                        pairs.extend(list.iter().map(|item| (name.clone(), written(item))));
                    }
                    value => pairs.push((name, written(&value))),
                }
            }
            Some(Body::Form(pairs))
        }
        (.., Some(text)) => Some(Body::Text(values.text(text))),
        (None, None, None) => None,
    };
    Ok(HttpRequest {
        method,
        url: url::address(address, values)?,
        query: values.pairs(&http.query),
        headers,
        auth,
        body,
        idempotency_key,
        limits,
    })
}

fn call(
    call: &Call,
    values: &Values,
    idempotency_key: Option<String>,
    limits: Limits,
) -> Result<ConnectorCall, StepFault> {
    let path = call.path.as_ref().map(|path| url::path(path, values));
    // Null is how an expression leaves a parameter out.
    let present = |mut members: serde_json::Map<String, Value>| {
        members.retain(|_, value| !value.is_null());
        members
    };
    Ok(ConnectorCall {
        service: call.service.clone(),
        account: call.account.as_ref().map(|account| values.text(account)),
        action: call.action.clone(),
        with: present(values.members(&call.with)),
        module: call.module.clone(),
        method: call.method.clone(),
        path: path.transpose()?,
        query: present(values.members(&call.query)),
        headers: present(values.members(&call.headers)),
        body: call.body.as_ref().map(|body| values.shape(body)),
        idempotency_key,
        limits,
    })
}

fn kv(kv: &Kv, values: &Values) -> Result<KvRequest, StepFault> {
    const LONGEST_KEY: usize = 256;
    let (Kv::Get { key } | Kv::Set { key, .. } | Kv::Delete { key }) = kv;
    let key = values.text(key);
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(StepFault::flow(format!(
            "The key of a kept value has 1 to {LONGEST_KEY} bytes; this one has {}.",
            key.len()
        )));
    }
    Ok(match kv {
        Kv::Get { .. } => KvRequest::Get { key },
        Kv::Set { value, ttl, .. } => KvRequest::Set {
            key,
            value: values.shape(value),
            ttl: ttl.map(Span::duration),
        },
        Kv::Delete { .. } => KvRequest::Delete { key },
    })
}

/// An answer of `http`: a status of 400 and more is a failure.
pub(super) fn judged(http: &Http, url: &str, answer: Value) -> Result<Value, StepFault> {
    let status = answer["status"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok());
    let Some(status) = status.filter(|status| *status >= 400 && !http.accept.contains(status))
    else {
        return Ok(answer);
    };
    let host = url.split("://").nth(1).unwrap_or(url);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let code = if status == 429 {
        Code::RateLimited
    } else {
        Code::UpstreamError
    };
    let mut fault = StepFault::new(code, format!("{host} answered {status}."));
    fault.status = Some(status);
    fault.retryable = matches!(status, 408 | 425 | 429 | 500 | 502..=504);
    let wait = &answer["headers"]["retry-after"];
    let seconds = wait.as_u64().or_else(|| wait.as_str()?.trim().parse().ok());
    fault.retry_after = seconds.map(std::time::Duration::from_secs);
    if !answer["body"].is_null() {
        let body = quaymaster_core::schema::shorten(&written(&answer["body"]));
        fault.details = Some(serde_json::json!({ "body": body }));
    }
    Err(fault)
}
