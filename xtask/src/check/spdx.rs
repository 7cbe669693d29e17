//! Whether an SPDX licence expression can be met by licences of a list. `OR` gives a choice,
//! `AND` demands both and binds closer, `WITH` belongs to the licence before it; the `/` of old
//! manifests means `OR`. Source: the SPDX specification, annex on licence expressions.

use anyhow::{Result, bail};

/// True when one way to meet the expression uses only licences that `allowed` accepts. A licence
/// is asked for by its id, together with its exception when it has one: `GPL-2.0 WITH x`.
pub(super) fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser {
        words: &words,
        allowed,
    };
    let met = parser.any()?;
    if let Some(word) = parser.words.first() {
        bail!("unexpected \"{word}\" in licence \"{expression}\"");
    }
    Ok(met)
}

struct Parser<'a> {
    words: &'a [&'a str],
    allowed: &'a dyn Fn(&str) -> bool,
}

impl Parser<'_> {
    fn take(&mut self, word: &str) -> bool {
        let matches = self
            .words
            .first()
            .is_some_and(|next| next.eq_ignore_ascii_case(word));
        if matches {
            self.words = &self.words[1..];
        }
        matches
    }

    fn any(&mut self) -> Result<bool> {
        let mut met = self.all()?;
        while self.take("OR") {
            met |= self.all()?;
        }
        Ok(met)
    }

    fn all(&mut self) -> Result<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Ok(met)
    }

    fn one(&mut self) -> Result<bool> {
        if self.take("(") {
            let met = self.any()?;
            if !self.take(")") {
                bail!("a bracket is not closed in a licence");
            }
            return Ok(met);
        }
        let licence = self.id()?;
        if self.take("WITH") {
            let exception = self.id()?;
            return Ok((self.allowed)(&format!("{licence} WITH {exception}")));
        }
        Ok((self.allowed)(&licence))
    }

    fn id(&mut self) -> Result<String> {
        match self.words.split_first() {
            Some((word, rest)) if !["OR", "AND", "WITH", "(", ")"].contains(word) => {
                self.words = rest;
                Ok((*word).to_owned())
            }
            _ => bail!("a licence is missing in a licence expression"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(expression: &str) -> bool {
        let list = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"];
        satisfied(expression, &|licence| list.contains(&licence)).unwrap()
    }

    #[test]
    fn or_needs_one_and_and_needs_both() {
        assert!(ok("MIT"));
        assert!(ok("GPL-3.0 OR MIT"));
        assert!(ok("MIT/GPL-3.0"));
        assert!(ok("MIT AND ISC"));
        assert!(!ok("MIT AND GPL-3.0"));
        assert!(!ok("GPL-3.0"));
    }

    #[test]
    fn and_binds_closer_than_or_and_brackets_closer_still() {
        assert!(ok("MIT OR GPL-3.0 AND OpenSSL"));
        assert!(!ok("(MIT OR GPL-3.0) AND OpenSSL"));
        assert!(ok("ISC AND (GPL-3.0 OR (MIT AND Apache-2.0))"));
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        assert!(ok("Apache-2.0 WITH LLVM-exception"));
        assert!(!ok("MIT WITH LLVM-exception"));
    }

    #[test]
    fn broken_expressions_are_errors() {
        for text in [
            "", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT ISC", "MIT WITH",
        ] {
            assert!(satisfied(text, &|_| true).is_err(), "{text}");
        }
    }
}
