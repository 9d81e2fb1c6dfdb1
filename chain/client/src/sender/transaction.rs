//! Transactions in the Cosmos SDK's format, signed with SIGN_MODE_DIRECT.

use super::gas::GasPrice;
use crate::chain::AccountState;
use crate::keys::Signer;
use cosmrs::Any;
use cosmrs::proto::cosmos::bank::v1beta1::MsgSend;
use cosmrs::proto::cosmos::base::v1beta1::Coin as SdkCoin;
use cosmrs::proto::cosmos::tx::v1beta1::{
    AuthInfo, Fee, ModeInfo, SignDoc, SignerInfo, TxBody, TxRaw, mode_info,
};
use prost::Message as _;
use proto::message::Message;
use proto::{Address, Coin, Digest, Height};
use sha2::Digest as _;

/// SIGN_MODE_DIRECT.
const DIRECT: i32 = 1;

/// What is to be done and until when.
pub(crate) struct Draft {
    pub(crate) messages: Vec<Any>,
    /// The chain's height: no block up to it can have it.
    pub(crate) drafted_at: Height,
    /// The last height whose block may include it.
    pub(crate) last: Height,
}

/// A signed transaction.
pub(crate) struct Signed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: Digest,
    pub(crate) drafted_at: Height,
    pub(crate) last: Height,
}

/// A message of the market.
pub(crate) fn market(message: &Message) -> Any {
    Any { type_url: message.type_url().to_owned(), value: message.to_value() }
}

/// A payment from account to account.
pub(crate) fn payment(from: Address, to: Address, coin: &Coin) -> Any {
    let message = MsgSend {
        from_address: from.to_string(),
        to_address: to.to_string(),
        amount: vec![sdk(coin)],
    };
    Any { type_url: "/cosmos.bank.v1beta1.MsgSend".to_owned(), value: message.encode_to_vec() }
}

impl Draft {
    /// The transaction without a signature, to be tried out.
    pub(crate) fn unsigned(&self, signer: &Signer, sequence: u64) -> Vec<u8> {
        TxRaw {
            body_bytes: self.body(),
            auth_info_bytes: auth(signer, sequence, Fee::default()),
            signatures: vec![Vec::new()],
        }
        .encode_to_vec()
    }

    /// The transaction, signed.
    pub(crate) fn sign(
        &self,
        signer: &Signer,
        chain_id: &str,
        account: AccountState,
        gas: u64,
        price: &GasPrice,
    ) -> Signed {
        let fee = price.fee(gas);
        let amount = if fee.amount.is_zero() { Vec::new() } else { vec![sdk(&fee)] };
        let fee = Fee { amount, gas_limit: gas, ..Fee::default() };
        let doc = SignDoc {
            body_bytes: self.body(),
            auth_info_bytes: auth(signer, account.sequence, fee),
            chain_id: chain_id.to_owned(),
            account_number: account.number,
        };
        let signature = signer.sign(&doc.encode_to_vec());
        let bytes = TxRaw {
            body_bytes: doc.body_bytes,
            auth_info_bytes: doc.auth_info_bytes,
            signatures: vec![signature.to_vec()],
        }
        .encode_to_vec();
        let hash = Digest(sha2::Sha256::digest(&bytes).into());
        Signed { bytes, hash, drafted_at: self.drafted_at, last: self.last }
    }

    fn body(&self) -> Vec<u8> {
        TxBody { messages: self.messages.clone(), timeout_height: self.last.0, ..TxBody::default() }
            .encode_to_vec()
    }
}

fn auth(signer: &Signer, sequence: u64, fee: Fee) -> Vec<u8> {
    let single = mode_info::Single { mode: DIRECT };
    AuthInfo {
        signer_infos: vec![SignerInfo {
            public_key: Some(signer.public_any()),
            mode_info: Some(ModeInfo { sum: Some(mode_info::Sum::Single(single)) }),
            sequence,
        }],
        fee: Some(fee),
        ..AuthInfo::default()
    }
    .encode_to_vec()
}

fn sdk(coin: &Coin) -> SdkCoin {
    SdkCoin { denom: coin.denom.to_string(), amount: coin.amount.to_string() }
}
