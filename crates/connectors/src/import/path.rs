//! Paths of documents, taken apart.

/// A path as the format has it.
pub(super) struct Cut {
    pub(super) pieces: Vec<Piece>,
    /// Names whose values hold slashes: `{+name}` and `{name*}`.
    wide: Vec<String>,
    /// A query that stands in the path: sent with every call.
    pub(super) query: Vec<(String, String)>,
}

pub(super) enum Piece {
    Text(String),
    Name(String),
}

impl Cut {
    pub(super) fn is_wide(&self, name: &str) -> bool {
        self.wide.iter().any(|own| own == name)
    }
}

/// Takes a path apart, or says why it cannot be one.
pub(super) fn read(path: &str) -> Result<Cut, String> {
    if path.contains('#') {
        return Err("its path has a `#`, behind which nothing is sent".to_owned());
    }
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    if query.contains(['{', '}']) {
        return Err("the query in its path has names in it".to_owned());
    }
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let mut cut = Cut {
        pieces: Vec::new(),
        wide: Vec::new(),
        query: pairs.into_owned().collect(),
    };
    let mut text = String::new();
    if !bare.starts_with('/') {
        text.push('/');
    }
    let mut rest = bare;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let inner = rest[at..].strip_prefix('{');
        let end = inner.and_then(|inner| inner.find('}'));
        let (Some(inner), Some(end)) = (inner, end) else {
            return Err("its path has a brace without its other half".to_owned());
        };
        let name = inner[..end].trim();
        rest = &inner[end + 1..];
        let bare = name.trim_start_matches('+').trim_end_matches('*');
        if bare.is_empty() || bare.starts_with(['?', '&', '/', ';', '.', '#', '{']) {
            return Err(format!(
                "its path has {{{}}}, which the format cannot say",
                super::words::line(name, 40)
            ));
        }
        if bare != name {
            cut.wide.push(bare.to_owned());
        }
        if !text.is_empty() {
            cut.pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        cut.pieces.push(Piece::Name(bare.to_owned()));
    }
    text.push_str(rest);
    if !text.is_empty() {
        cut.pieces.push(Piece::Text(text));
    }
    let whole: String = cut
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Name(_) => "x",
        })
        .collect();
    let inner = whole.strip_suffix('/').unwrap_or(&whole);
    if inner
        .split('/')
        .skip(1)
        .any(|part| matches!(part, "" | "." | ".."))
    {
        return Err("its path has an empty part, `.` or `..`".to_owned());
    }
    if whole.contains(['\\', ' ']) || whole.contains(char::is_control) {
        return Err("its path has a space, a backslash or a control character".to_owned());
    }
    Ok(cut)
}

/// The name of an input for a name in a path: a letter, then letters, digits and `_`.
pub(super) fn input(name: &str) -> String {
    let made: String = name
        .chars()
        .take(80)
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if made.starts_with(|c: char| c.is_ascii_alphabetic()) {
        made
    } else {
        format!("p_{}", made.trim_start_matches('_'))
    }
}
