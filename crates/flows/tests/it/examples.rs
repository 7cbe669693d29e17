//! The examples of the guide, with their own tests.

use crate::jq::Jq;
use crate::world::block_on;
use quaymaster_flows::load;
use quaymaster_flows::testing::test;

const WEATHER: &str = include_str!("examples/get_weather.yaml");
const ORDERS: &str = include_str!("examples/find_orders.yaml");
const STOCK: &str = include_str!("examples/stock_alert.yaml");

#[test]
fn the_examples_load_and_their_tests_pass() {
    for text in [WEATHER, ORDERS, STOCK] {
        let flow = load::flow(text, "example").unwrap_or_else(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"))
        });
        let tested = block_on(test(&flow, &Jq));
        assert!(!tested.is_empty(), "{} has no tests", flow.flow);
        for tested in tested {
            assert!(tested.passed(), "{}: {:#?}", tested.test, tested.failures);
        }
    }
}

#[test]
fn a_test_that_is_not_met_says_where() {
    let text = WEATHER.replace("city: \"Lisbon, Portugal\"", "city: \"Porto, Portugal\"");
    let flow = load::flow(&text, "").unwrap();
    let tested = block_on(test(&flow, &Jq));
    let failed: Vec<_> = tested.iter().filter(|tested| !tested.passed()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        failed[0].failures,
        ["result.city: \"Porto, Portugal\" is expected, and \"Lisbon, Portugal\" is there."]
    );
}

#[test]
fn a_flow_written_as_json_is_the_same_flow() {
    let flow = load::flow(WEATHER, "").unwrap();
    let json = serde_json::to_string_pretty(&flow).unwrap();
    let again = load::flow(&json, "").unwrap();
    assert_eq!(
        serde_json::to_value(&flow).unwrap(),
        serde_json::to_value(&again).unwrap()
    );
}
