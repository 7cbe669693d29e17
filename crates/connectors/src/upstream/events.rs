//! Server-sent events (WHATWG HTML §9.2), read as they come.

use std::time::Duration;

/// An event with data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) data: String,
}

/// Takes bytes in, gives events out. What is not finished is kept; how much comes at all is limited
/// by whoever reads the stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    buffer: Vec<u8>,
    /// Where the unread part of the buffer begins.
    start: usize,
    /// Up to here there is no end of a line in it.
    scanned: usize,
    data: String,
    has_data: bool,
    /// The last event's id, for a stream that goes on where it broke off.
    pub(super) last_id: Option<String>,
    /// How long the server wants a client to wait before that.
    pub(super) retry: Option<Duration>,
}

impl Events {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole event.
    pub(super) fn next(&mut self) -> Option<Event> {
        while let Some(line) = self.line() {
            if let Some(event) = self.take(&line) {
                return Some(event);
            }
        }
        None
    }

    /// A line without its end, which is CR, LF or both.
    fn line(&mut self) -> Option<String> {
        let unread = &self.buffer[self.scanned..];
        let Some(found) = unread.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            self.scanned = self.buffer.len();
            return None;
        };
        let end = self.scanned + found;
        let mut next = end + 1;
        if self.buffer[end] == b'\r' {
            match self.buffer.get(next) {
                Some(b'\n') => next += 1,
                Some(_) => {}
                // The other half may be on its way.
                None => {
                    self.scanned = end;
                    return None;
                }
            }
        }
        let line = String::from_utf8_lossy(&self.buffer[self.start..end]).into_owned();
        self.start = next;
        self.scanned = next;
        Some(line)
    }

    fn take(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return std::mem::take(&mut self.has_data).then_some(Event { data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field.trim_start_matches('\u{feff}') {
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "id" if !value.contains('\0') => self.last_id = Some(value.to_owned()),
            "retry" => self.retry = value.parse().ok().map(Duration::from_millis),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&str]) -> Vec<String> {
        let mut events = Events::default();
        let mut found = Vec::new();
        for piece in pieces {
            events.feed(piece.as_bytes());
            while let Some(event) = events.next() {
                found.push(event.data);
            }
        }
        found
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let whole = ": hello\r\nid: 7\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata:b\n\nevent: x\n\ndata\r\rretry: 9\n\n";
        let expected = ["{\"a\":\n1}", "b", ""];
        assert_eq!(all(&[whole]), expected);
        let pieces: Vec<&str> = (0..whole.len()).map(|at| &whole[at..=at]).collect();
        assert_eq!(all(&pieces), expected);
    }

    #[test]
    fn ids_and_waits_are_kept_and_an_unfinished_event_is_none() {
        let mut events = Events::default();
        events.feed(b"id: a\nretry: 250\ndata: x");
        assert_eq!(events.next(), None);
        assert_eq!(events.last_id.as_deref(), Some("a"));
        assert_eq!(events.retry, Some(Duration::from_millis(250)));
    }
}
