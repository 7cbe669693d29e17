//! Server-sent events out of bytes, however they are cut.

/// Puts the `data:` lines of server-sent events together (WHATWG HTML §9.2.6).
#[derive(Default)]
pub(super) struct EventLines {
    rest: Vec<u8>,
    data: Vec<String>,
}

impl EventLines {
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(chunk);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some(length) = self.rest[start..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.rest[start..start + length]);
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                if !self.data.is_empty() {
                    events.push(std::mem::take(&mut self.data).join("\n"));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                self.data
                    .push(data.strip_prefix(' ').unwrap_or(data).to_owned());
            }
            start += length + 1;
        }
        self.rest.drain(..start);
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whole_however_the_bytes_are_cut() {
        let text = b": ping\n\nid: 1\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata:x\n\n";
        for cut in 1..text.len() {
            let mut lines = EventLines::default();
            let events: Vec<_> = text
                .chunks(cut)
                .flat_map(|chunk| lines.push(chunk))
                .collect();
            assert_eq!(events, ["{\"a\":\n1}", "x"], "cut {cut}");
        }
    }
}
