//! Forms with files: `multipart/form-data` (RFC 7578), a whole body at once.

/// A field of a form, or a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) name: String,
    /// Only of files; empty when none was chosen.
    pub(super) file_name: Option<String>,
    pub(super) bytes: &'a [u8],
}

/// Fields of one form at most.
const MOST_PARTS: usize = 64;

/// The boundary of a content type (RFC 2046 §5.1.1).
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let mut pieces = content_type.split(';');
    let kind = pieces.next()?.trim();
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = pieces.find_map(|piece| {
        let (name, value) = piece.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let boundary = boundary.trim_matches('"');
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// The parts of a body; `None` when it is no such form.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let first = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(first.as_bytes())?;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        if parts.len() == MOST_PARTS {
            return None;
        }
        let inner = rest.strip_prefix(b"\r\n")?;
        let end = find(inner, between.as_bytes())?;
        let part = &inner[..end];
        let head = find(part, b"\r\n\r\n")?;
        let about = std::str::from_utf8(&part[..head]).ok()?;
        let (name, file_name) = disposition(about)?;
        parts.push(Part {
            name,
            file_name,
            bytes: &part[head + 4..],
        });
        rest = &inner[end + between.len()..];
    }
}

/// Name and file name of `Content-Disposition: form-data` (RFC 7578 §4.2), as browsers write them
/// (HTML, "multipart form data").
fn disposition(head: &str) -> Option<(String, Option<String>)> {
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value.trim())
    })?;
    let mut rest = line.strip_prefix("form-data")?;
    let (mut name, mut file_name) = (None, None);
    while let Some(after) = rest.trim_start().strip_prefix(';') {
        let (key, value) = after.split_once('=')?;
        let value = value.strip_prefix('"')?;
        let end = value.find('"')?;
        let text = value[..end]
            .replace("%22", "\"")
            .replace("%0D", "\r")
            .replace("%0A", "\n");
        match key.trim() {
            "name" => name = Some(text),
            "filename" => file_name = Some(text),
            _ => {}
        }
        rest = &value[end + 1..];
    }
    Some((name?, file_name))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.iter().position(|byte| *byte == first)?;
        if text[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_files_are_read_as_browsers_send_them() {
        let body = b"--x1\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n--x1\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"a%22b.yaml\"\r\nContent-Type: text/yaml\r\n\r\n\
            --x\r\n\r\n--y\r\n--x1--\r\n";
        let parts = parts(body, "x1").unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(
            (parts[0].name.as_str(), parts[0].bytes),
            ("csrf", &b"abc"[..])
        );
        assert_eq!(parts[1].file_name.as_deref(), Some("a\"b.yaml"));
        assert_eq!(parts[1].bytes, b"--x\r\n\r\n--y");
    }

    #[test]
    fn what_is_no_form_is_none() {
        let none: [&[u8]; 6] = [
            b"",
            b"--x1",
            b"--x1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nnever ends",
            b"--x1\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x1--",
            b"--x1\r\nContent-Disposition: attachment\r\n\r\n1\r\n--x1--",
            b"--x1\r\nno head\r\n--x1--",
        ];
        for body in none {
            assert_eq!(parts(body, "x1"), None, "{}", String::from_utf8_lossy(body));
        }
        assert_eq!(
            boundary("multipart/form-data; boundary=\"a b\""),
            Some("a b")
        );
        assert_eq!(boundary("multipart/form-data"), None);
        assert_eq!(boundary("text/plain; boundary=x"), None);
    }
}
