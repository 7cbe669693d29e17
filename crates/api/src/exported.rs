//! Lists as files, streamed.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use quaymaster_app::activity::Format;
use quaymaster_core::Fault;
use std::str::FromStr;

/// The file that is wanted instead of a page of JSON.
pub(crate) fn file_of(headers: &HeaderMap, named: Option<&str>) -> Result<Option<Format>, Fault> {
    let Some(named) = named else {
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        let first = accept.unwrap_or_default().split([',', ';']).next();
        return Ok(match first.unwrap_or_default().trim() {
            "text/csv" => Some(Format::Csv),
            "application/jsonl" | "application/x-ndjson" => Some(Format::JsonLines),
            _ => None,
        });
    };
    match Format::from_name(named) {
        None if named == "json" => Ok(None),
        None => {
            let said = "A format is json, csv or jsonl.";
            Err(Fault::invalid_arg("/format", "enum", said))
        }
        format => Ok(format),
    }
}

/// An answer that is written while it is read. When reading fails it ends without its end, which clients
/// notice.
pub(crate) fn as_file(
    name: &str,
    format: Format,
    rows: impl Stream<Item = Result<String, Fault>> + Send + 'static,
) -> Response {
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.extension());
    let head = [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (CONTENT_DISPOSITION, disposition),
    ];
    (head, Body::from_stream(rows.map_ok(Bytes::from))).into_response()
}

/// An id of a query. One that cannot be an id is refused, rather than asked for in vain.
pub(crate) fn id_of<T: FromStr>(text: Option<String>, pointer: &str) -> Result<Option<T>, Fault>
where
    T::Err: std::fmt::Display,
{
    let read = |text: String| {
        text.parse()
            .map_err(|error: T::Err| Fault::invalid_arg(pointer, "format", format!("{error}.")))
    };
    text.map(read).transpose()
}
