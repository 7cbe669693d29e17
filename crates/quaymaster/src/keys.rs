//! `keys`: rotation and verification of what seals secrets at rest.

use crate::cli::KeysVerb;
use crate::config::Config;
use crate::{open, output};
use quaymaster_core::Clock as _;
use quaymaster_core::clock::SystemClock;
use serde_json::json;

pub(crate) async fn keys(config: &Config, verb: KeysVerb, as_json: bool) -> anyhow::Result<()> {
    let store = open::store_in_use(config).await?;
    let report = match verb {
        KeysVerb::Rotate => store.rotate_key().await?,
        KeysVerb::RotateData => store.rotate_data_key(SystemClock.now()).await?,
        KeysVerb::Verify => store.verify_keys().await?,
    };
    store.close().await;
    let value = json!({
        "key_id": report.key_id,
        "data_keys": report.data_keys,
        "sealed_values": report.sealed_values,
        "unreadable": report.unreadable,
    });
    let text = format!(
        "Key-encryption key {}: {} data keys, {} sealed values, {} of them unreadable.",
        report.key_id, report.data_keys, report.sealed_values, report.unreadable
    );
    output::print(as_json, &value, &text);
    anyhow::ensure!(
        report.unreadable == 0,
        output::Told("some sealed values do not open")
    );
    Ok(())
}
