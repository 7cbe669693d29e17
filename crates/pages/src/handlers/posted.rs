//! Forms, from our own pages only: `application/x-www-form-urlencoded`, or `multipart/form-data`
//! where there is a file to send; at most 64 KiB unless a form says more.

mod multipart;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt as _;
use quaymaster_core::{Code, Fault};

use super::answer::{Failed, Stop};
use super::person::{browser, to_sign_in};
use super::{Pages, local};

const MOST_BYTES: usize = 64 * 1024;
/// Of a file that is passed on.
const PIECE: usize = 1024 * 1024;
/// A browser that takes longer for a form is a slow or hostile one.
const WITHIN: Duration = Duration::from_secs(30);

/// What a form is read into. Fields that are unknown are left alone, missing ones are empty.
pub(super) trait Form: Sized + Send {
    /// Bytes of the whole form.
    const MOST: usize = MOST_BYTES;
    /// For the whole of it to arrive.
    const WITHIN: Duration = WITHIN;
    fn read(fields: &Fields) -> Self;
}

/// A form that has only its button.
impl Form for () {
    fn read(_: &Fields) -> Self {}
}

/// The fields in the order of the form; one name can stand several times.
pub(super) struct Fields {
    texts: Vec<(String, String)>,
    files: Vec<(String, File)>,
}

/// A file that somebody chose.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) name: String,
    /// A part of the form, which is in memory once.
    pub(super) bytes: Bytes,
}

impl File {
    /// Piece by piece, for whoever stores them.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Vec<u8>> {
        self.bytes.chunks(PIECE).map(<[u8]>::to_vec)
    }

    /// As text, without a byte order mark; what is not UTF-8 is replaced.
    pub(super) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
    }
}

impl Fields {
    pub(super) fn one<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.one(name).to_owned()
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |(key, _): &&(String, String)| key == name;
        self.texts
            .iter()
            .filter(named)
            .map(|(_, value)| value.as_str())
    }

    /// The fields `<prefix><name>` as they were sent, by name.
    pub(super) fn below(&self, prefix: &str) -> BTreeMap<String, String> {
        let named = |(key, value): &(String, String)| {
            Some((key.strip_prefix(prefix)?.to_owned(), value.clone()))
        };
        self.texts.iter().filter_map(named).collect()
    }

    /// The file of a field; none when nobody chose one.
    pub(super) fn file(&self, name: &str) -> Option<File> {
        let (_, file) = self.files.iter().find(|(key, _)| key == name)?;
        (!file.name.is_empty() || !file.bytes.is_empty()).then(|| file.clone())
    }

    /// What somebody wrote into `source`, or the text of the `file` that they chose instead.
    pub(super) fn source(&self) -> String {
        match self.file("file") {
            Some(file) => file.text(),
            // Browsers send line ends of their own (HTML, "newline normalization").
            None => self.one("source").replace("\r\n", "\n"),
        }
    }

    fn of_parts(body: &Bytes, boundary: &str) -> Option<Fields> {
        let (mut texts, mut files) = (Vec::new(), Vec::new());
        for part in multipart::parts(body, boundary)? {
            match part.file_name {
                Some(name) => {
                    let bytes = body.slice_ref(part.bytes);
                    files.push((part.name, File { name, bytes }));
                }
                None => texts.push((part.name, String::from_utf8(part.bytes.to_vec()).ok()?)),
            }
        }
        Some(Fields { texts, files })
    }

    async fn of(
        headers: &HeaderMap,
        body: Body,
        most: usize,
        within: Duration,
    ) -> Result<Self, Stop> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        let boundary = multipart::boundary(kind);
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if boundary.is_none() && !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        {
            return Err(Stop::from(Failed {
                status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
                code: None,
                message: "This address takes the form of its page only.".to_owned(),
                hint: Some("Programs use the API; see the API reference.".to_owned()),
            }));
        }
        let whole = tokio::time::timeout(within, arrived(headers, body, most));
        let body = whole.await.ok().flatten().ok_or_else(|| {
            Fault::new(
                Code::TooLarge,
                "The form is too large, or did not arrive whole.",
            )
            .hint("Shorten the text and send it again.")
        })?;
        let Some(boundary) = boundary else {
            return Ok(Fields {
                texts: form_urlencoded::parse(&body).into_owned().collect(),
                files: Vec::new(),
            });
        };
        Fields::of_parts(&body, boundary).ok_or_else(|| {
            Fault::new(Code::InvalidArg, "The form cannot be read.")
                .hint("Open the page again and send its form. Texts are UTF-8.")
                .into()
        })
    }
}

/// The whole body; none when it is larger than `most` or breaks off. What was announced is made room for
/// at once, so that nothing is moved while it grows.
async fn arrived(headers: &HeaderMap, body: Body, most: usize) -> Option<Bytes> {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
    let mut whole = Vec::with_capacity(announced.unwrap_or(0).min(most));
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.ok()?;
        if whole.len() + piece.len() > most {
            return None;
        }
        whole.extend_from_slice(&piece);
    }
    Some(Bytes::from(whole))
}

/// A form of somebody signed in, which carries the token that only their own pages contain.
pub(super) struct Posted<T>(pub(super) T);

impl<T: Form> FromRequest<Pages> for Posted<T> {
    type Rejection = Stop;
    async fn from_request(request: Request, pages: &Pages) -> Result<Self, Stop> {
        let (mut parts, body) = request.into_parts();
        let Some(browser) = browser(&mut parts, pages).await? else {
            return Err(to_sign_in(&parts));
        };
        let fields = Fields::of(&parts.headers, body, T::MOST, T::WITHIN).await?;
        if !pages.app.csrf_is_good(&browser.session, fields.one("csrf")) {
            return Err(foreign());
        }
        Ok(Posted(T::read(&fields)))
    }
}

/// A form that comes before signing in, when there is no session to bind a token to. What the
/// browser says of its origin decides.
pub(super) struct PostedOutside<T>(pub(super) T);

impl<T: Form> FromRequest<Pages> for PostedOutside<T> {
    type Rejection = Stop;
    async fn from_request(request: Request, pages: &Pages) -> Result<Self, Stop> {
        let (parts, body) = request.into_parts();
        if !local::is_from_here(&parts.headers, &pages.app.settings().public_url) {
            return Err(foreign());
        }
        let fields = Fields::of(&parts.headers, body, T::MOST, T::WITHIN).await?;
        Ok(PostedOutside(T::read(&fields)))
    }
}

fn foreign() -> Stop {
    Fault::new(
        Code::Forbidden,
        "This form did not come from a page of yours, so nothing was changed.",
    )
    .hint("Open the page again and send its form.")
    .into()
}
