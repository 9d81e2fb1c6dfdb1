//! Gives coins away, in networks for development: each gift is a payment like any other.

use crate::account::Account;
use crate::node::Node;
use crate::price::GasPrice;
use cosmrs::Any;
use cosmrs::proto::cosmos::bank::v1beta1::MsgSend;
use cosmrs::proto::cosmos::base::v1beta1::Coin as WireCoin;
use cosmrs::proto::cosmos::crypto::secp256k1::PubKey;
use cosmrs::proto::cosmos::tx::signing::v1beta1::SignMode;
use cosmrs::proto::cosmos::tx::v1beta1::{
    AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw, mode_info,
};
use k256::ecdsa::signature::Signer as _;
use k256::ecdsa::{Signature, SigningKey};
use prost::Message as _;
use proto::{Address, Amount, Coin, Denom};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Addresses whose gifts are remembered at most; whoever comes then waits for a restart.
const REMEMBERED_MAX: usize = 100_000;

/// Gas for one gift.
const GIFT_GAS: u64 = 100_000;

/// Who gives how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaucetConfig {
    /// The file with the secret key of the giving account, 64 hex digits; from the chain's home.
    pub key_file: PathBuf,
    /// What one request is given, such as `1000000ulode`.
    #[serde(with = "coin_text")]
    pub amount: Coin,
    /// What one address is given in all.
    #[serde(with = "coin_text")]
    pub limit: Coin,
}

/// Why a faucet does not open or give.
#[derive(Debug, thiserror::Error)]
pub enum FaucetError {
    #[error("{path}: {error}")]
    File { path: PathBuf, error: std::io::Error },
    #[error("{path} holds no secret key: it should be 64 hex digits")]
    Key { path: PathBuf },
    #[error("a gift is of {amount} but the limit of {limit}: they must be of one coin")]
    TwoCoins { amount: String, limit: String },
    #[error("this network has no faucet: ask somebody who has coins")]
    Off,
    #[error("{to} was given {given} already, the limit is {limit}")]
    Limit { to: Address, given: Amount, limit: String },
    #[error("the faucet remembers {REMEMBERED_MAX} addresses and takes no more")]
    Full,
    #[error("the faucet's account {0} is unknown to the chain: give it coins first")]
    NoAccount(Address),
    #[error("the chain did not take the gift: {0}")]
    Refused(String),
}

/// An account that gives, and what it gave since the node began.
pub(crate) struct Faucet {
    config: FaucetConfig,
    key: SigningKey,
    given: Mutex<HashMap<Address, Amount>>,
}

impl FaucetConfig {
    /// Reads the key, from `home` on.
    pub(crate) fn open(&self, home: &Path) -> Result<Faucet, FaucetError> {
        if self.amount.denom != self.limit.denom {
            let (amount, limit) = (self.amount.to_string(), self.limit.to_string());
            return Err(FaucetError::TwoCoins { amount, limit });
        }
        let path = home.join(&self.key_file);
        let text = std::fs::read_to_string(&path)
            .map(Zeroizing::new)
            .map_err(|error| FaucetError::File { path: path.clone(), error })?;
        let mut bytes = Zeroizing::new([0; 32]);
        let key = hex::decode_to_slice(text.trim(), &mut *bytes)
            .ok()
            .and_then(|()| SigningKey::from_slice(&*bytes).ok())
            .ok_or(FaucetError::Key { path })?;
        Ok(Faucet { config: self.clone(), key, given: Mutex::default() })
    }
}

impl Faucet {
    /// The address that gives.
    pub(crate) fn address(&self) -> Address {
        Address::of_secp256k1(&self.public())
    }

    /// Pays `to`: the hash of the transaction, and what it is given.
    pub(crate) fn give(&self, node: &Node, to: Address) -> Result<([u8; 32], Coin), FaucetError> {
        // One gift at a time: each takes the account's next sequence.
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let had = given.get(&to).copied().unwrap_or_default();
        let gift = &self.config.amount;
        let limit = &self.config.limit;
        let Some(has) = had.checked_add(gift.amount).filter(|has| *has <= limit.amount) else {
            let (given, limit) = (had, limit.to_string());
            return Err(FaucetError::Limit { to, given, limit });
        };
        if given.len() >= REMEMBERED_MAX && !given.contains_key(&to) {
            return Err(FaucetError::Full);
        }
        let tx = self.sign(node, to)?;
        let offered = node.offer(&tx).map_err(|full| FaucetError::Refused(full.to_string()))?;
        if offered.code != 0 {
            return Err(FaucetError::Refused(offered.log));
        }
        given.insert(to, has);
        Ok((offered.hash, gift.clone()))
    }

    fn sign(&self, node: &Node, to: Address) -> Result<Vec<u8>, FaucetError> {
        let from = self.address();
        let state = node.store.latest();
        let account = Account::load(&node.mempool().over(&*state), &from)
            .ok_or(FaucetError::NoAccount(from))?;
        let coin = &self.config.amount;
        let send = MsgSend {
            from_address: from.to_string(),
            to_address: to.to_string(),
            amount: vec![wire(coin)],
        };
        let message =
            Any { type_url: crate::tx::SEND_TYPE.to_owned(), value: send.encode_to_vec() };
        let body = TxBody { messages: vec![message], ..TxBody::default() };
        let auth = self.auth_info(account.sequence, &node.config.min_gas_price);
        let document = SignDoc {
            body_bytes: body.encode_to_vec(),
            auth_info_bytes: auth.encode_to_vec(),
            chain_id: node.genesis.chain_id.clone(),
            account_number: account.number,
        };
        let signature: Signature = self.key.sign(&document.encode_to_vec());
        let signature = signature.normalize_s().unwrap_or(signature);
        let raw = TxRaw {
            body_bytes: document.body_bytes,
            auth_info_bytes: document.auth_info_bytes,
            signatures: vec![signature.to_vec()],
        };
        Ok(raw.encode_to_vec())
    }

    fn auth_info(&self, sequence: u64, price: &GasPrice) -> AuthInfo {
        let key = PubKey { key: self.public() };
        let fee = price.fee(GIFT_GAS);
        let amount = if fee.amount.is_zero() { vec![] } else { vec![wire(&fee)] };
        AuthInfo {
            signer_infos: vec![SignerInfo {
                public_key: Some(Any {
                    type_url: crate::account::KEY_TYPE.to_owned(),
                    value: key.encode_to_vec(),
                }),
                mode_info: Some(ModeInfo {
                    sum: Some(mode_info::Sum::Single(mode_info::Single {
                        mode: SignMode::Direct.into(),
                    })),
                }),
                sequence,
            }],
            fee: Some(Fee { amount, gas_limit: GIFT_GAS, ..Fee::default() }),
            ..AuthInfo::default()
        }
    }

    fn public(&self) -> Vec<u8> {
        self.key.verifying_key().to_encoded_point(true).as_bytes().to_vec()
    }
}

impl fmt::Debug for Faucet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Faucet(of {})", self.address())
    }
}

fn wire(coin: &Coin) -> WireCoin {
    WireCoin { denom: coin.denom.to_string(), amount: coin.amount.to_string() }
}

/// Coins as `12ulode` in the settings.
mod coin_text {
    use super::{Amount, Coin, Denom};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(coin: &Coin, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(coin)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Coin, D::Error> {
        let text = String::deserialize(d)?;
        let bad = || serde::de::Error::custom(format!("{text:?} is no coin such as 12ulode"));
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let amount = text[..end].parse().map_err(|_| bad())?;
        let denom = Denom::new(&text[end..]).map_err(|_| bad())?;
        Ok(Coin::new(Amount(amount), denom))
    }
}
