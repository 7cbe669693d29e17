//! What the bridge looks at in a message.

use serde_json::Value;

pub(super) const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The id of a request; notifications and the client's own answers have none to answer to.
pub(super) fn request_id(message: &Value) -> Option<Value> {
    message.get("method")?;
    message.get("id").filter(|id| !id.is_null()).cloned()
}

/// Whether the message is the client's answer to a request of the server.
pub(super) fn is_response(message: &Value) -> bool {
    message.get("method").is_none()
}

/// The protocol version that a message of the stateless era carries.
pub(super) fn own_version(message: &Value) -> Option<&str> {
    message["params"]["_meta"][META_VERSION].as_str()
}

/// Whether a message of the server answers the request with this id.
pub(super) fn answers(message: &Value, id: &Value) -> bool {
    message.get("method").is_none()
        && (message.get("result").is_some() || message.get("error").is_some())
        && message.get("id") == Some(id)
}

/// Header values are plain ASCII; others are wrapped as the protocol says (SEP-2243).
pub(super) fn header_text(text: &str) -> String {
    use base64::Engine as _;
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text {
        return text.to_owned();
    }
    format!(
        "=?base64?{}?=",
        base64::engine::general_purpose::STANDARD.encode(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_that_no_header_can_hold_are_wrapped() {
        assert_eq!(header_text("list_files"), "list_files");
        assert_eq!(header_text("größe"), "=?base64?Z3LDtsOfZQ==?=");
    }

    #[test]
    fn only_a_result_or_an_error_with_the_same_id_answers() {
        let id = json!(1);
        assert!(answers(&json!({ "id": 1, "result": {} }), &id));
        assert!(answers(&json!({ "id": 1, "error": {} }), &id));
        for other in [
            json!({ "id": "1", "result": {} }),
            json!({ "id": 2, "result": {} }),
            json!({ "id": 1, "method": "sampling/createMessage" }),
            json!({ "method": "notifications/progress" }),
        ] {
            assert!(!answers(&other, &id), "{other}");
        }
    }
}
