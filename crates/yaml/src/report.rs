use crate::Finding;

/// A place in a file: the keys that lead there.
#[derive(Debug, Clone, Default)]
pub struct Spot(Vec<String>);

impl Spot {
    #[must_use]
    pub fn key(&self, name: &str) -> Spot {
        let mut path = self.0.clone();
        path.push(name.to_owned());
        Spot(path)
    }

    #[must_use]
    pub fn item(&self, index: usize) -> Spot {
        self.key(&index.to_string())
    }

    #[must_use]
    pub fn keys(&self, names: &[String]) -> Spot {
        names.iter().fold(self.clone(), |spot, name| spot.key(name))
    }
}

/// What a lint finds.
#[derive(Debug)]
pub struct Report {
    found: Vec<Finding>,
    most: usize,
}

impl Report {
    /// Keeps at most so many findings.
    pub fn new(most: usize) -> Self {
        Report {
            found: Vec::new(),
            most,
        }
    }

    /// Whether there is so much already that nobody reads more.
    pub fn is_full(&self) -> bool {
        self.found.len() >= self.most
    }

    pub fn found(&self) -> &[Finding] {
        &self.found
    }

    pub fn into_found(self) -> Vec<Finding> {
        self.found
    }

    pub fn say(&mut self, at: &Spot, message: impl Into<String>) {
        if !self.is_full() {
            self.found.push(Finding {
                at: at.0.clone(),
                message: message.into(),
            });
        }
    }

    pub fn unless(&mut self, good: bool, at: &Spot, message: impl Into<String>) {
        if !good {
            self.say(at, message);
        }
    }
}
