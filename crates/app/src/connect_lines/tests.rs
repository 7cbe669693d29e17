use super::*;
use std::collections::BTreeMap;

const TARGET: Target<'_> = Target {
    name: "quaymaster",
    endpoint: "http://127.0.0.1:8080/mcp",
    token: Some("crd_x.y"),
    program: None,
};

/// The lines of each client, one after the other.
fn by_client(lines: &[ConnectLine]) -> BTreeMap<&'static str, String> {
    let mut all: BTreeMap<_, String> = BTreeMap::new();
    for line in lines {
        all.entry(line.client).or_default().push_str(&line.text);
    }
    all
}

#[test]
fn every_client_gets_the_endpoint_and_the_token() {
    let clients = by_client(&connect_lines(TARGET));
    assert_eq!(clients.len(), 17);
    for (client, text) in clients {
        assert!(text.contains(TARGET.endpoint), "{client}");
        assert!(text.contains("crd_x.y"), "{client}");
    }
}

#[test]
fn an_open_endpoint_needs_no_header() {
    let open = Target {
        token: None,
        ..TARGET
    };
    for line in connect_lines(open) {
        assert!(!line.text.contains("Authorization"), "{line:?}");
        assert!(!line.text.contains("Bearer"), "{line:?}");
    }
}

/// Names and tokens that would need care if they were pasted together.
fn awkward() -> [Target<'static>; 3] {
    let nasty = Target {
        name: "a \"b\" \\c'",
        endpoint: "https://quay.example/mcp?a=\"b\"&c=\\d",
        token: Some("at_x.\"y\\z\""),
        program: Some("C:\\Program Files\\quaymaster.exe"),
    };
    [
        TARGET,
        nasty,
        Target {
            token: None,
            ..nasty
        },
    ]
}

#[test]
fn every_json_file_parses_and_has_the_address() {
    for target in awkward() {
        let lines = [
            connect_lines(target),
            sign_in_lines(target.name, target.endpoint),
            bridge_lines(target.name, target.endpoint),
        ];
        let files = lines.iter().flatten().filter(|line| line.kind == "file");
        let json = files.filter(|line| line.place.contains("json") || line.text.starts_with('{'));
        let mut count = 0;
        for line in json {
            let value: Value = serde_json::from_str(&line.text).expect(&line.text);
            let all = value.to_string();
            let address = json!(target.endpoint).to_string();
            assert!(all.contains(&address), "{line:?}");
            count += 1;
        }
        assert_eq!(count, 16);
    }
}

#[test]
fn the_toml_of_codex_parses() {
    for target in awkward() {
        let lines = connect_lines(target);
        let file = lines.iter().find(|line| line.place.contains("config.toml"));
        let table: toml::Table = file.unwrap().text.parse().unwrap();
        let server = &table["mcp_servers"][target.name];
        assert_eq!(server["url"].as_str(), Some(target.endpoint));
        let header = server.get("http_headers");
        let header = header.and_then(|headers| headers["Authorization"].as_str());
        assert_eq!(header.map(str::to_owned), target.bearer());
    }
}

#[test]
fn the_yaml_of_goose_and_librechat_parses() {
    for target in awkward() {
        let lines = connect_lines(target);
        let of = |place: &str| {
            let line = lines.iter().find(|line| line.place.contains(place));
            let text = &line.unwrap().text;
            serde_saphyr::from_str::<Value>(text).unwrap()
        };
        let goose = of("goose");
        assert_eq!(goose["extensions"][target.name]["uri"], target.endpoint);
        let librechat = of("librechat");
        let server = &librechat["mcpServers"][target.name];
        assert_eq!(server["url"], target.endpoint);
        assert_eq!(
            server["headers"]["Authorization"]
                .as_str()
                .map(str::to_owned),
            target.bearer()
        );
    }
}

#[test]
fn a_bridge_is_allowed_plain_http_only_where_it_leaves_the_machine() {
    for (address, flags) in [
        ("https://quay.example/mcp?token=at_x.y", 0),
        ("http://localhost:8080/mcp", 0),
        ("http://quay.lan/mcp?token=at_x.y", 3),
    ] {
        let lines = bridge_lines("quaymaster", address);
        assert!(lines.iter().all(|line| line.text.contains(address)));
        let flagged = lines
            .iter()
            .filter(|line| line.text.contains("--allow-http"));
        assert_eq!(flagged.count(), flags, "{address}");
    }
}

#[test]
fn a_client_that_signs_in_gets_the_endpoint_and_no_header() {
    for line in sign_in_lines("quaymaster", "https://quay.example/mcp") {
        assert!(line.text.contains("https://quay.example/mcp"), "{line:?}");
        assert!(!line.text.contains("Authorization"), "{line:?}");
    }
}
