//! The six scopes.

use serde::{Deserialize, Serialize};

/// What a credential may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    ReadTools,
    WriteTools,
    ReadData,
    Admin,
    Chat,
    ConnectorGateway,
}

impl Scope {
    pub const ALL: [Scope; 6] = [
        Scope::ReadTools,
        Scope::WriteTools,
        Scope::ReadData,
        Scope::Admin,
        Scope::Chat,
        Scope::ConnectorGateway,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Scope::ReadTools => "read:tools",
            Scope::WriteTools => "write:tools",
            Scope::ReadData => "read:data",
            Scope::Admin => "admin",
            Scope::Chat => "chat",
            Scope::ConnectorGateway => "connector:gateway",
        }
    }

    /// One sentence for the page where keys are made.
    pub const fn sentence(self) -> &'static str {
        match self {
            Scope::ReadTools => "List tools and call those that only read",
            Scope::WriteTools => "Call tools that change something",
            Scope::ReadData => "Read memory, knowledge and skills",
            Scope::Admin => "Everything of the organization, the management API included",
            Scope::Chat => "Call the same tools over REST",
            Scope::ConnectorGateway => "Send calls to connectors over REST",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl std::str::FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Scope::ALL
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScope(pub String);

impl std::fmt::Display for UnknownScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known: Vec<_> = Scope::ALL.iter().map(|scope| scope.name()).collect();
        write!(
            f,
            "unknown scope {:?}; known are {}",
            self.0,
            known.join(", ")
        )
    }
}

impl std::error::Error for UnknownScope {}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A set of scopes. In JSON and in the database: an array of names.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Scopes(u8);

impl Scopes {
    pub const NONE: Scopes = Scopes(0);

    /// What a workspace token has: the file tools, all of them.
    pub fn of_tools() -> Self {
        [Scope::ReadTools, Scope::WriteTools].into_iter().collect()
    }

    /// What a workspace token has that may change nothing.
    pub fn of_reading_tools() -> Self {
        [Scope::ReadTools].into_iter().collect()
    }

    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// `admin` includes every other scope.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0 || self.0 & Scope::Admin.bit() != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether everything here is also allowed by `other`.
    pub fn within(self, other: Scopes) -> bool {
        self.iter().all(|scope| other.has(scope))
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Scopes(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl std::fmt::Debug for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter().map(Scope::name)).finish()
    }
}

impl Serialize for Scopes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Scope>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_includes_every_scope() {
        let admin: Scopes = [Scope::Admin].into_iter().collect();
        assert!(Scope::ALL.into_iter().all(|scope| admin.has(scope)));
        assert!(Scopes::all().within(admin));
        assert!(!admin.within(Scopes::of_tools()));
    }

    #[test]
    fn scopes_are_an_array_of_names() {
        let json = serde_json::to_string(&Scopes::of_tools()).unwrap();
        assert_eq!(json, r#"["read:tools","write:tools"]"#);
        let error = serde_json::from_str::<Scopes>(r#"["root"]"#)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("unknown scope \"root\"; known are read:tools"),
            "{error}"
        );
    }
}
