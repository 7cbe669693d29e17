//! How much is kept of what runs take and answer.

use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Code, Fault};
use serde_json::{Value, json};

/// Bytes of the input of a run, and of one value that is kept of it.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// Bytes of the start of what is left out.
const START: usize = 1_024;

/// Refuses what nobody would keep.
pub(super) fn must_be_small(input: &JsonObject) -> Result<(), Fault> {
    let bytes = serde_json::to_string(input).map_or(0, |text| text.len());
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    let message = format!("The input has {bytes} bytes; a run takes {MOST_BYTES} at most.");
    Err(Fault::new(Code::TooLarge, message)
        .hint("Pass where the data is, and let a step of the flow fetch it.")
        .detail("limit_bytes", MOST_BYTES))
}

pub(super) fn is_large(value: &Value) -> bool {
    value.to_string().len() > MOST_BYTES
}

/// The value, or what is said in its place when it is too large.
pub(super) fn cut(value: Value) -> Value {
    Room::new(MOST_BYTES, MOST_BYTES).cut(value)
}

/// Room for several values.
pub(super) struct Room {
    /// Bytes of one.
    each: usize,
    /// Bytes that are left for all.
    left: usize,
}

impl Room {
    pub(super) const fn new(each: usize, all: usize) -> Self {
        Room { each, left: all }
    }

    /// The value, or what is said in its place when there is no room for it.
    pub(super) fn cut(&mut self, value: Value) -> Value {
        let text = value.to_string();
        let room = self.left.min(self.each);
        if text.len() <= room {
            self.left -= text.len();
            return value;
        }
        let start = &text[..text.floor_char_boundary(room.min(START))];
        self.left -= start.len();
        json!({ "left_out": format!("{} bytes", text.len()), "start": start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_told_and_not_kept() {
        const EACH: usize = 16 * 1024;
        let mut room = Room::new(EACH, 1 << 20);
        assert_eq!(room.cut(json!("small")), json!("small"));
        let large = room.cut(json!("x".repeat(EACH)));
        assert_eq!(large["left_out"], format!("{} bytes", EACH + 2));
        assert!(large["start"].as_str().unwrap().len() <= START);
        let many = json!("é".repeat(4_000));
        let mut kept = 0;
        for _ in 0..1_000 {
            kept += usize::from(room.cut(many.clone()) == many);
        }
        assert!((100..132).contains(&kept), "{kept}");
    }
}
