//! How many tokens a text is, about.

/// An estimate for pages, near what the tokenizers of today's models count for English, JSON and
/// code: a word of up to six letters is one token, three digits are one, marks go in pairs.
pub fn tokens(text: &str) -> usize {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Letters,
        Digits,
        Marks,
        Space,
        Other,
    }
    let mut count = 0.0_f64;
    let mut run = 0_usize;
    let mut kind = Kind::Space;
    let weigh = |kind: Kind, run: usize| -> f64 {
        match kind {
            _ if run == 0 => 0.0,
            Kind::Letters => 1.0 + (run.saturating_sub(6) as f64 / 5.0).ceil(),
            Kind::Digits => (run as f64 / 3.0).ceil(),
            Kind::Marks => (run as f64 / 2.0).ceil(),
            // A single space belongs to the word behind it.
            Kind::Space => f64::from(u8::from(run > 1)),
            Kind::Other => run as f64 * 0.7,
        }
    };
    for c in text.chars() {
        let own = match c {
            'a'..='z' | 'A'..='Z' => Kind::Letters,
            '0'..='9' => Kind::Digits,
            c if c.is_whitespace() => Kind::Space,
            c if c.is_ascii() => Kind::Marks,
            _ => Kind::Other,
        };
        if own != kind {
            count += weigh(kind, run);
            run = 0;
            kind = own;
        }
        run += 1;
    }
    (count + weigh(kind, run)).ceil() as usize
}
