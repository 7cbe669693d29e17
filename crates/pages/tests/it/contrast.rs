//! WCAG 2.2: text 4.5 to 1 (1.4.3), parts of controls 3 to 1 (1.4.11), in both themes.

use std::collections::HashMap;

#[derive(Clone, Copy)]
struct Colour([f64; 3]);

impl Colour {
    fn parse(hex: &str) -> Option<Colour> {
        let hex = hex.strip_prefix('#').filter(|hex| hex.len() == 6)?;
        let channel = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).ok().map(f64::from);
        Some(Colour([channel(0)?, channel(2)?, channel(4)?]))
    }

    /// Relative luminance as WCAG defines it for sRGB.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let part = channel / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Colour) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }
}

/// The tokens of the stylesheet: name to light and dark.
fn tokens() -> HashMap<String, [Colour; 2]> {
    let css = include_str!("../../assets/app.css");
    let pair = |line: &str| -> Option<(String, [Colour; 2])> {
        let (name, value) = line
            .trim()
            .strip_prefix("--")?
            .split_once(": light-dark(")?;
        let (light, dark) = value.strip_suffix(");")?.split_once(", ")?;
        Some((
            name.to_owned(),
            [Colour::parse(light)?, Colour::parse(dark)?],
        ))
    };
    css.lines().filter_map(pair).collect()
}

#[test]
fn the_measure_agrees_with_known_values() {
    let contrast = |one, two| {
        Colour::parse(one)
            .unwrap()
            .contrast(Colour::parse(two).unwrap())
    };
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
    assert!((contrast("#777777", "#ffffff") - 4.48).abs() < 0.01);
}

#[test]
fn text_has_enough_contrast_in_both_themes() {
    let grounds = ["bg", "surface", "sunken"];
    let mut pairs = vec![
        ("on-accent", "accent"),
        ("on-accent", "accent-hover"),
        ("on-danger", "danger-fill"),
        ("danger", "danger-bg"),
        ("warning", "warning-bg"),
        ("done", "done-bg"),
        ("text", "warning-bg"),
    ];
    for text in [
        "text",
        "muted",
        "accent",
        "accent-hover",
        "danger",
        "warning",
        "done",
    ] {
        pairs.extend(grounds.map(|ground| (text, ground)));
    }
    check(&pairs, 4.5);
}

#[test]
fn controls_and_bars_have_enough_contrast_in_both_themes() {
    let mut pairs = vec![("accent", "line"), ("danger-fill", "line")];
    for part in ["control", "accent", "danger", "danger-fill", "warning-fill"] {
        pairs.extend(["bg", "surface"].map(|ground| (part, ground)));
    }
    check(&pairs, 3.0);
}

fn check(pairs: &[(&str, &str)], least: f64) {
    let tokens = tokens();
    let mut poor = Vec::new();
    for (text, ground) in pairs {
        for (theme, name) in ["light", "dark"].into_iter().enumerate() {
            let contrast = tokens[*text][theme].contrast(tokens[*ground][theme]);
            if contrast < least {
                poor.push(format!("{name}: {text} on {ground} is {contrast:.2}"));
            }
        }
    }
    assert!(poor.is_empty(), "below {least}: {poor:#?}");
}

#[test]
fn colours_are_tokens_and_stand_nowhere_else() {
    let css = include_str!("../../assets/app.css");
    for line in css.lines().filter(|line| !line.trim().starts_with("--")) {
        let colour = line.split([' ', ':', ';', ',', '(', ')']).find(|word| {
            word.starts_with('#')
                && word.len() > 3
                && word[1..].chars().all(|c| c.is_ascii_hexdigit())
        });
        assert_eq!(colour, None, "{line}");
        assert!(!line.contains("gradient"), "{line}");
    }
}

#[test]
fn every_token_is_used() {
    let css = include_str!("../../assets/app.css");
    for name in tokens().keys() {
        assert!(css.contains(&format!("var(--{name})")), "--{name}");
    }
}
