//! What an auditor beside a validator of `loded` needs: the key of the validator's account, and a
//! genesis in which every claim is audited, in windows that a slow machine keeps.

use anyhow::{Context, bail};
use chain_client::keys::{KeyStore, Protection};
use proto::params::Params;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// The name of the account in the node's keyring, and here.
pub(super) const ACCOUNT: &str = "validator";

/// Takes the account's key from the node's keyring, unless it is here.
pub(super) fn take_key(loded: &Path, node: &Path, keys: &KeyStore) -> anyhow::Result<()> {
    if keys.show(ACCOUNT).is_ok() {
        return Ok(());
    }
    let output = Command::new(loded)
        .args(["keys", "export", ACCOUNT, "--unsafe", "--unarmored-hex", "--yes"])
        .args(["--keyring-backend", "test", "--home"])
        .arg(node)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} cannot be run", loded.display()))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        bail!("loded keys export: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let mut secret = Zeroizing::new([0; 32]);
    // What was printed might be a part of the secret: it is not quoted.
    hex::decode_to_slice(printed.trim_ascii(), &mut *secret)
        .ok()
        .with_context(|| format!("{} holds no key of 32 bytes", node.display()))?;
    keys.import(ACCOUNT, &secret, &Protection::None)?;
    Ok(())
}

/// Sets what a development network has otherwise in the genesis of each node in `folder`.
pub(super) fn set_params(folder: &Path, nodes: u8, params: &Params) -> anyhow::Result<()> {
    for node in 0..nodes {
        let path = folder.join(format!("node{node}")).join("config/genesis.json");
        let at = || format!("{} cannot be changed", path.display());
        let mut genesis: Value =
            serde_json::from_slice(&std::fs::read(&path).with_context(at)?).with_context(at)?;
        set(&mut genesis, params).with_context(at)?;
        let text = serde_json::to_vec_pretty(&genesis)?;
        daemon::file::write_private(&path, &text).with_context(at)?;
    }
    Ok(())
}

/// Numbers of 64 bits and more are texts in the JSON of protocol buffers.
fn set(genesis: &mut Value, params: &Params) -> anyhow::Result<()> {
    let audits = &params.audits;
    let changes = [
        ("/suppliers_per_session", json!(params.suppliers_per_session)),
        ("/windows/audit", json!(params.windows.audit.to_string())),
        ("/unbonding", json!(params.unbonding.to_string())),
        ("/audits/rate", json!(audits.rate.0)),
        ("/audits/claim_typical", json!(audits.claim_typical.to_string())),
        ("/audits/fines/exact", json!(audits.fines.exact)),
        ("/audits/fines/banded", json!(audits.fines.banded)),
    ];
    for (name, value) in changes {
        let place = genesis.pointer_mut(&format!("/app_state/market/params{name}"));
        *place.with_context(|| format!("it has no {name}"))? = value;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_genesis_gets_the_audits_and_keeps_all_else() {
        let params = Params::dev();
        let mut genesis = json!({"app_state": {"market": {"params": {
            "windows": {"audit": "8", "claim": "24"},
            "unbonding": "60",
            "suppliers_per_session": 1,
            "audits": {"rate": 1, "claim_typical": "1", "fee": "20000", "fines": {"exact": 1, "banded": 1}},
        }}}});
        set(&mut genesis, &params).unwrap();
        let kept = &genesis["app_state"]["market"]["params"];
        assert_eq!(kept["audits"]["rate"], params.audits.rate.0);
        assert_eq!(kept["audits"]["claim_typical"], params.audits.claim_typical.to_string());
        assert_eq!(
            (&kept["windows"]["claim"], &kept["audits"]["fee"]),
            (&json!("24"), &json!("20000"))
        );
        assert!(set(&mut json!({}), &params).is_err());
    }
}
