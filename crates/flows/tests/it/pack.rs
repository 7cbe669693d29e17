//! Packs: loaded strictly, tested, and installed as normal flows.

use crate::jq::Jq;
use crate::world::block_on;
use quaymaster_flows::load::{self, Document, Text};
use quaymaster_flows::pack::PackTested;
use quaymaster_flows::testing::test_pack;

const PACK: &str = r#"
pack: quaymaster/v1
id: shop
title: Shop
version: 1.0.0
description: Orders of a shop.
variables:
  shop: { type: string, title: Name of the shop, pattern: "[a-z]+" }
  currency: { type: string, title: Currency, default: EUR }
  db: { type: connection, title: Database, service: postgresql }
  SHOP_KEY: { type: secret, title: Access token }
flows:
  - flow: get_order
    description: One order.
    triggers: [{ mcp_tool: {} }]
    input: { type: object, required: [id], properties: { id: { type: integer } } }
    steps:
      - id: get
        http:
          get: "https://${{ .vars.shop }}.example.com/orders/${{ .input.id }}"
          headers: { X-Token: "${{ secret.SHOP_KEY }}" }
      - id: rows
        sql: { connection: "${{ .vars.db }}", read_only: true, query: "SELECT 1" }
    return: "{order: .steps.get.body, currency: .vars.currency}"
    tests:
      - name: an order
        input: { id: 7 }
        mocks: { get: { returns: { body: { id: 7 } } }, rows: { returns: { rows: [] } } }
        expect:
          result: { order: { id: 7 }, currency: EUR }
          sent: { get: { url: "https://shop.example.com/orders/7" }, rows: { connection: db } }
      - name: another shop
        input: { id: 7 }
        vars: { shop: acme }
        mocks: { get: { fails: { code: NOT_FOUND } } }
        expect:
          fault: { code: NOT_FOUND }
          sent: { get: { url: "https://acme.example.com/orders/7" } }
"#;

fn problems(text: &str) -> Vec<String> {
    let problems = load::pack(text, "").unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_secret_of_a_webhook_is_one_that_somebody_is_asked_for() {
    let text = |secret: &str| {
        let hook = format!(
            "triggers: [{{ webhook: {{ path: orders, auth: {{ bearer: {{ secret: {secret} }} }} }} }}]"
        );
        PACK.replace("triggers: [{ mcp_tool: {} }]", &hook)
    };
    let told = problems(&text("HOOK_KEY"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("The secret HOOK_KEY is no variable"),
        "{told:?}"
    );
    load::pack(&text("SHOP_KEY"), "").unwrap_or_else(|problems| panic!("{problems:#?}"));
}

#[test]
fn the_tests_of_a_packs_flows_run_with_the_packs_variables() {
    let pack = load::pack(PACK, "").unwrap_or_else(|problems| panic!("{problems:#?}"));
    let tested = block_on(test_pack(&pack, &Jq));
    assert_eq!(tested.len(), 2);
    for tested in tested {
        assert!(tested.passed(), "{}: {:#?}", tested.test, tested.failures);
    }
}

#[test]
fn what_is_wrong_with_a_pack_is_told_at_its_place() {
    let text = PACK
        .replace("secret.SHOP_KEY", "secret.OTHER_KEY")
        .replace("default: EUR", "default: EUR, pattern: \"[a-z]+\"")
        .replace("currency: .vars.currency", "currency: .vars.curency")
        .replace(
            "type: secret, title: Access token",
            "type: secret, title: Access token, default: x",
        );
    insta::assert_snapshot!(problems(&text).join("\n"), @r#"
    9:46: variables.currency.default: It does not fit the `pattern`.
    11:50: variables.SHOP_KEY.default: Only variables of the type `string` have a default.
    13:5: flows.0: The secret OTHER_KEY is no variable of the pack, so nobody would be asked for it.
    24:5: flows.0.return: There is no variable "curency". A flow has its own in `vars`. Did you mean `currency`?
    "#);
}

#[test]
fn a_pack_that_says_it_was_tested_has_tests_in_every_flow() {
    let text = |tested: &str| {
        let pack =
            "pack: quaymaster/v1\nid: shop\ntitle: Shop\nversion: \"1\"\ndescription: A shop.\n";
        format!("{pack}{tested}flows:\n  - flow: a\n    steps: [{{ map: \"1\" }}]\n")
    };
    let untested = load::pack(&text(""), "").unwrap();
    assert_eq!(untested.tested, PackTested::None);
    for tested in ["mocks", "live"] {
        assert_eq!(
            problems(&text(&format!("tested: {tested}\n"))),
            ["8:5: flows.0: The pack says in `tested` that it is, and this flow has no `tests`."]
        );
    }
    let tested = load::pack(&PACK.replace("variables:", "tested: mocks\nvariables:"), "").unwrap();
    assert_eq!(tested.tested, PackTested::Mocks);
}

#[test]
fn a_file_is_a_pack_or_a_flow() {
    assert!(matches!(
        load::document(&Text::new(PACK, "")),
        Ok(Document::Pack(_))
    ));
    let flow = "
flow: a
input:
  type: object
  properties:
    pack: {type: string}
steps: [{map: .input.pack}]
";
    assert!(matches!(
        load::document(&Text::new(flow, "")),
        Ok(Document::Flow(_))
    ));
    assert!(matches!(
        load::document(&Text::new("flow: a\nsteps: [{map: '1'}]\n", "")),
        Ok(Document::Flow(_))
    ));
    assert!(matches!(
        load::document(&Text::new(
            "{\"flow\": \"a\", \"steps\": [{\"map\": \"1\"}]}",
            ""
        )),
        Ok(Document::Flow(_))
    ));
}
