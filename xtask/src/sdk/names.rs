//! A name as TypeScript, as a class and as Python spell it.

/// `mcp_servers` and `end-users` as `mcpServers` and `endUsers`.
pub(super) fn camel(name: &str) -> String {
    let mut words = name.split(['_', '-']);
    let first = words.next().unwrap_or("").to_owned();
    words.fold(first, |joined, word| joined + &capital(word))
}

/// `mcp_servers` as `McpServers`.
pub(super) fn pascal(name: &str) -> String {
    capital(&camel(name))
}

/// `workspaceId` as `workspace_id`.
pub(super) fn snake(name: &str) -> String {
    let mut spelled = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            spelled.push('_');
        }
        spelled.push(letter.to_ascii_lowercase());
    }
    spelled
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_as_each_language_does() {
        assert_eq!(camel("end-users"), "endUsers");
        assert_eq!(camel("list"), "list");
        assert_eq!(pascal("mcp_servers"), "McpServers");
        assert_eq!(snake("connectionExternalId"), "connection_external_id");
    }
}
