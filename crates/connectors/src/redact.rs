//! Takes an account's secrets out of what comes back, however they are written.

use crate::clean;
use crate::definition::push_segment;
use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use quaymaster_core::{Fault, hex};
use serde_json::Value;
use std::borrow::Cow;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";
/// A shorter value is no secret: it would tear words apart.
const SHORTEST: usize = 6;
/// Of base64 somewhere in a longer one, what can be told for sure.
const SHORTEST_WITHIN: usize = 8;

/// Finds the secrets of one account: as they are, percent-encoded, as base64 (on its own or within
/// a longer one), as hexadecimal digits, in other cases, and escaped as in JSON, HTML and forms.
///
/// All are looked for at once; of those that begin at one place the longest counts. Making one
/// takes longer than a search, so it is kept with its account.
#[derive(Clone, Default)]
pub struct Redactor(Option<AhoCorasick>);

impl Redactor {
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Redactor {
        let mut forms = Vec::new();
        for secret in secrets {
            // A value is redacted without what surrounds it.
            let secret = secret.trim();
            if secret.len() >= SHORTEST {
                push_forms(&mut forms, secret);
            }
            // Texts are cleaned before they are searched.
            if let Cow::Owned(clean) = clean::text(secret)
                && clean.len() >= SHORTEST
            {
                push_forms(&mut forms, &clean);
            }
        }
        forms.sort();
        forms.dedup();
        if forms.is_empty() {
            return Redactor(None);
        }
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&forms);
        // It fails for more forms than memory can hold.
        Redactor(searcher.ok())
    }

    /// Whether there is a secret in it as it stands.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        self.0.as_ref().is_some_and(|forms| forms.is_match(bytes))
    }

    /// The text without the secrets.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(forms) = self.0.as_ref().filter(|forms| forms.is_match(text)) else {
            return Cow::Borrowed(text);
        };
        let mut redacted = String::with_capacity(text.len());
        forms.replace_all_with(text, &mut redacted, |_, _, redacted| {
            redacted.push_str(REDACTED);
            true
        });
        Cow::Owned(redacted)
    }

    /// Cleaned of hidden characters, then redacted: a secret with one of them in it is one.
    pub fn tidy<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match clean::text(text) {
            Cow::Borrowed(text) => self.text(text),
            Cow::Owned(clean) => Cow::Owned(self.text(&clean).into_owned()),
        }
    }

    /// [`tidy`](Self::tidy) of a text that went on where it was cut. Its last secret may be there in part, which no
    /// search finds: as much as the longest one has is left out at the end.
    pub fn tidy_cut(&self, text: &str) -> String {
        let text = clean::text(text);
        let Some(forms) = &self.0 else {
            return text.into_owned();
        };
        // What was half a character is one of its own by now.
        let longest = forms.max_pattern_len() + char::REPLACEMENT_CHARACTER.len_utf8();
        let sure = text.floor_char_boundary(text.len().saturating_sub(longest));
        let mut tidied = String::with_capacity(sure);
        let mut from = 0;
        for found in forms.find_iter(&*text) {
            if found.start() >= sure {
                break;
            }
            tidied.push_str(&text[from..found.start()]);
            tidied.push_str(REDACTED);
            from = found.end();
        }
        tidied.push_str(text.get(from..sure).unwrap_or_default());
        tidied
    }

    /// Every text of the value, tidied.
    pub fn value(&self, value: &mut Value) {
        clean::each_text(value, &|text| match self.tidy(text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(changed) => Some(changed),
        });
    }

    /// Bytes of any kind keep their length; the secrets in them become asterisks.
    pub fn bytes(&self, bytes: &mut [u8]) {
        let Some(forms) = &self.0 else {
            return;
        };
        let found: Vec<_> = forms.find_iter(&*bytes).map(|form| form.range()).collect();
        for form in found {
            bytes[form].fill(b'*');
        }
    }

    /// What a fault tells.
    pub fn fault(&self, fault: &mut Fault) {
        fault.message = self.tidy(&fault.message).into_owned();
        if let Some(hint) = &mut fault.hint {
            *hint = self.tidy(hint).into_owned();
        }
        if let Some(details) = &mut fault.details {
            self.value(details);
        }
    }
}

fn push_forms(forms: &mut Vec<Vec<u8>>, secret: &str) {
    let mut push = |form: String| forms.push(form.into_bytes());
    push(secret.to_owned());
    // As somebody's log or header writes it.
    push(secret.to_ascii_uppercase());
    push(secret.to_ascii_lowercase());
    push(swapped(secret));
    let mut encoded = String::new();
    push_segment(&mut encoded, secret);
    push(lower_escapes(&encoded));
    push(encoded);
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    push(lower_escapes(&form));
    push(form);
    let digits = hex(secret.as_bytes());
    push(digits.to_ascii_uppercase());
    push(digits);
    let json = Value::from(secret).to_string();
    let json = &json[1..json.len() - 1];
    push(json.replace('/', "\\/"));
    push(Value::from(json).to_string().trim_matches('"').to_owned());
    push(json.to_owned());
    push(
        secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;"),
    );
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        push(engine.encode(secret));
        // Within a longer base64 it looks otherwise at each of three places; the characters at its
        // ends hold bits of the neighbours and are left out.
        for (before, skipped) in [(0, 0), (1, 2), (2, 3)] {
            let mut padded = vec![0; before];
            padded.extend_from_slice(secret.as_bytes());
            let encoded = engine.encode(&padded);
            let whole = padded.len() * 8 / 6;
            if let Some(sure) = encoded.get(skipped..whole)
                && sure.len() >= SHORTEST_WITHIN
            {
                push(sure.to_owned());
            }
        }
    }
}

/// Capitals as small letters and the other way round.
fn swapped(text: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_uppercase() {
            c.to_ascii_lowercase()
        } else {
            c.to_ascii_uppercase()
        }
    };
    text.chars().map(swap).collect()
}

/// `%2F` as `%2f`.
fn lower_escapes(text: &str) -> String {
    let mut lower = String::with_capacity(text.len());
    let mut left = 0;
    for c in text.chars() {
        left = if c == '%' { 2 } else { left };
        if c != '%' && left > 0 {
            left -= 1;
            lower.push(c.to_ascii_lowercase());
        } else {
            lower.push(c);
        }
    }
    lower
}
