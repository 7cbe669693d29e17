//! No secret comes back, however it is written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use quaymaster_connectors::redact::{REDACTED, Redactor};
use quaymaster_core::{Code, Fault, hex};
use serde_json::{Value, json};

/// Every form of the secret that a server may answer with, between other texts.
fn echoes(secret: &str, before: &str, after: &str) -> Vec<String> {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let escaped = Value::from(secret).to_string();
    let all = [
        secret.to_owned(),
        secret.to_ascii_uppercase(),
        secret.to_ascii_lowercase(),
        STANDARD.encode(secret),
        URL_SAFE.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        hex(secret.as_bytes()),
        hex(secret.as_bytes()).to_uppercase(),
        form,
        escaped[1..escaped.len() - 1].to_owned(),
    ];
    all.iter()
        .map(|echo| format!("{before}{echo}{after}"))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_form_of_a_secret_is_left(
        secret in "[ -~]{6,60}|[a-zA-Z0-9+/=_-]{20,80}|\\PC{6,20}",
        before in "[ -~]{0,10}",
        after in "[ -~]{0,10}",
    ) {
        prop_assume!(secret.trim().len() >= 6);
        let secret = secret.trim();
        let redactor = Redactor::new([secret]);
        for echo in echoes(secret, &before, &after) {
            let text = redactor.text(&echo);
            prop_assert!(text.contains(REDACTED), "{echo:?} came back as {text:?}");
            prop_assert!(!text.contains(secret), "{echo:?} came back as {text:?}");
        }
    }

    #[test]
    fn a_password_inside_a_basic_header_is_found(user in "[a-z]{1,12}", secret in "[!-~]{9,40}") {
        let header = STANDARD.encode(format!("{user}:{secret}"));
        let redactor = Redactor::new([secret.as_str()]);
        let text = redactor.text(&header).into_owned();
        prop_assert!(text.contains(REDACTED), "{header} came back as {text}");
    }

    #[test]
    fn of_a_text_that_was_cut_no_part_of_a_secret_is_left(
        secret in "[!-~]{12,60}",
        before in "[ а-я]{0,40}",
        share in 0..100_usize,
    ) {
        let redactor = Redactor::new([secret.as_str()]);
        for echo in echoes(&secret, &before, "") {
            let mut text = format!("{secret}{before}{echo}");
            text.truncate(text.floor_char_boundary(text.len() * share / 100));
            let tidied = redactor.tidy_cut(&text);
            // What is left in the clear is only what was there before the secret, once or twice.
            for clear in tidied.split(REDACTED) {
                prop_assert!(before.repeat(2).starts_with(clear), "{text:?} came back as {tidied:?}");
            }
        }
    }

    #[test]
    fn texts_without_the_secret_stay_as_they_are(text in "[ -~]{0,200}") {
        let redactor = Redactor::new(["kq9-Zt7!wLxv0_Pp3mRr"]);
        prop_assert_eq!(redactor.text(&text), text.as_str());
    }

    #[test]
    fn any_bytes_keep_their_length(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..200usize) {
        let secret = b"s3cr3t-value";
        let at = at.min(bytes.len());
        bytes.splice(at..at, secret.iter().copied());
        let length = bytes.len();
        Redactor::new(["s3cr3t-value"]).bytes(&mut bytes);
        prop_assert_eq!(bytes.len(), length);
        prop_assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn secrets_hide_neither_in_names_nor_behind_invisible_characters_nor_as_numbers() {
    let redactor = Redactor::new(["hunter2-hunter2", "123456789"]);
    let mut value = json!({
        "hunter2-hunter2": 1,
        "deep": [{ "text": "it is hunter2\u{200b}-hunter2." }],
        "number": 123_456_789,
        "other": 12
    });
    redactor.value(&mut value);
    assert_eq!(
        value,
        json!({
            "[redacted]": 1,
            "deep": [{ "text": "it is [redacted]." }],
            "number": "[redacted]",
            "other": 12
        })
    );
}

#[test]
fn a_fault_tells_no_secret() {
    let mut fault = Fault::new(Code::UpstreamError, "bad key hunter2-hunter2")
        .hint("Replace hunter2-hunter2.")
        .detail("upstream", json!({ "key": "hunter2-hunter2" }));
    Redactor::new(["hunter2-hunter2"]).fault(&mut fault);
    assert!(!fault.to_json().to_string().contains("hunter2"), "{fault}");
}

#[test]
fn short_values_tear_no_words_apart() {
    let redactor = Redactor::new(["a", "12345", "", "  x  "]);
    assert_eq!(redactor.text("a 12345 x"), "a 12345 x");
}
