//! Signatures: what was signed, and that it was.

use crate::account::Account;
use crate::amino::Amino;
use crate::refused::TxRefused;
use crate::state::Read;
use crate::tx::{Mode, Signer, Tx};
use cosmrs::proto::cosmos::tx::v1beta1::SignDoc;
use k256::ecdsa::signature::Verifier;
use k256::ecdsa::{Signature, VerifyingKey};
use prost::Message as _;
use std::sync::Arc;

/// A transaction that its signers signed: for this chain, with the sequences that it names.
///
/// An account's number and key never change, so what was once verified stays so.
#[derive(Clone)]
pub(crate) struct Verified(Arc<Tx>);

impl Verified {
    /// Checks every signature of `tx`.
    pub(crate) fn check(
        tx: Tx,
        state: &dyn Read,
        chain_id: &str,
        amino: &Amino,
    ) -> Result<Verified, TxRefused> {
        for signer in &tx.signers {
            let account = Account::load(state, &signer.address)
                .ok_or(TxRefused::UnknownAccount(signer.address))?;
            let key = key_of(signer, &account)?;
            let bytes = match signer.mode {
                Some(Mode::Direct) => direct(&tx, chain_id, account.number),
                Some(Mode::AminoJson) => amino.sign_bytes(&tx, chain_id, account.number, signer)?,
                None => {
                    let reason = format!("{} signed in no mode", signer.address);
                    return Err(TxRefused::Unauthorized(reason));
                }
            };
            if !signed(&key, &bytes, &signer.signature) {
                return Err(TxRefused::Unauthorized(format!(
                    "signature verification failed; please verify account number ({}), sequence ({}) and chain-id ({chain_id})",
                    account.number, signer.sequence
                )));
            }
        }
        Ok(Verified(Arc::new(tx)))
    }
}

#[cfg(test)]
impl Verified {
    /// `tx` as if its signatures were right.
    pub(crate) fn assumed(tx: Tx) -> Verified {
        Verified(Arc::new(tx))
    }
}

impl std::ops::Deref for Verified {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.0
    }
}

/// The key that `signer` signs with: the account's, or the one that the transaction brings.
pub(crate) fn key_of(signer: &Signer, account: &Account) -> Result<Vec<u8>, TxRefused> {
    let missing = || TxRefused::InvalidKey(format!("pubkey of {} is not known", signer.address));
    account.key.clone().or_else(|| signer.key.clone()).ok_or_else(missing)
}

/// The bytes that are signed in `SIGN_MODE_DIRECT`.
fn direct(tx: &Tx, chain_id: &str, account_number: u64) -> Vec<u8> {
    let document = SignDoc {
        body_bytes: tx.body_bytes.clone(),
        auth_info_bytes: tx.auth_info_bytes.clone(),
        chain_id: chain_id.to_owned(),
        account_number,
    };
    document.encode_to_vec()
}

/// Whether `signature` (`r || s`, with the lower `s` only, so that nobody can change it) is this
/// key's over the SHA-256 of `bytes`.
fn signed(key: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    let Ok(key) = VerifyingKey::from_sec1_bytes(key) else { return false };
    signature.normalize_s().is_none() && key.verify(bytes, &signature).is_ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use k256::ecdsa::SigningKey;
    use k256::ecdsa::signature::Signer as _;

    #[test]
    fn a_signature_has_one_form() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let public = key.verifying_key().to_encoded_point(true);
        let signature: Signature = key.sign(b"pay");
        let low = signature.normalize_s().unwrap_or(signature);
        let (r, s) = low.split_scalars();
        let high = Signature::from_scalars(r, -*s).unwrap();
        assert!(signed(public.as_bytes(), b"pay", &low.to_bytes()));
        assert!(!signed(public.as_bytes(), b"pay", &high.to_bytes()));
        assert!(!signed(public.as_bytes(), b"pray", &low.to_bytes()));
        assert!(!signed(public.as_bytes(), b"pay", &low.to_bytes()[..63]));
        assert!(!signed(&[0; 33], b"pay", &low.to_bytes()));
    }
}
