//! A transaction as the SDK's clients write it, read in one form only.

use crate::account::KEY_TYPE;
use crate::bank;
use crate::refused::TxRefused;
use cosmrs::Any;
use cosmrs::proto::cosmos::bank::v1beta1::MsgSend;
use cosmrs::proto::cosmos::crypto::secp256k1::PubKey;
use cosmrs::proto::cosmos::tx::signing::v1beta1::SignMode;
use cosmrs::proto::cosmos::tx::v1beta1::mode_info::Sum;
use cosmrs::proto::cosmos::tx::v1beta1::{AuthInfo, SignerInfo, TxBody, TxRaw};
use proto::message::Message;
use proto::{Address, Coin};
use sha2::{Digest as _, Sha256};

/// Bytes of one transaction at most: with base64 and its JSON it fits an RPC request, and a block
/// has room for several.
pub const TX_BYTES_MAX: usize = 512 * 1024;

/// Messages in one transaction at most: each is decoded before anything is paid.
pub const TX_MESSAGES_MAX: usize = 64;

/// Signatures on one transaction at most, as in the SDK: each costs a check before anything is paid.
pub const TX_SIGNATURES_MAX: usize = 7;

/// The type URL of a bank payment.
pub(crate) const SEND_TYPE: &str = "/cosmos.bank.v1beta1.MsgSend";

/// The hash by which a transaction is known: SHA-256 of its bytes.
pub(crate) type TxHash = [u8; 32];

/// What one message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Send { from: Address, to: Address, coins: Vec<Coin> },
    Market(Box<Message>),
}

/// How a signer signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Direct,
    AminoJson,
}

/// One who must sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    pub(crate) address: Address,
    /// The compressed secp256k1 key; may be left out once the account's key is known.
    pub(crate) key: Option<Vec<u8>>,
    /// Left out where nothing is signed: in a simulation.
    pub(crate) mode: Option<Mode>,
    pub(crate) sequence: u64,
    pub(crate) signature: Vec<u8>,
}

/// A decoded transaction; nothing about it was checked against the state.
#[derive(Clone, Debug)]
pub(crate) struct Tx {
    pub(crate) hash: TxHash,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body_bytes: Vec<u8>,
    pub(crate) auth_info_bytes: Vec<u8>,
    pub(crate) messages: Vec<Any>,
    pub(crate) actions: Vec<Action>,
    pub(crate) memo: String,
    pub(crate) timeout_height: u64,
    pub(crate) fee: Vec<Coin>,
    pub(crate) gas: u64,
    /// Who pays the fee: the first signer, unless another is named.
    pub(crate) payer: Address,
    /// Whether the payer is named in the transaction.
    pub(crate) payer_named: bool,
    /// All who must sign, in the order of their signatures.
    pub(crate) signers: Vec<Signer>,
}

impl Action {
    fn read(any: &Any) -> Result<Action, TxRefused> {
        if any.type_url != SEND_TYPE {
            let message = Message::from_any(&any.type_url, &any.value)
                .map_err(|bad| TxRefused::Decode(bad.to_string()))?;
            return Ok(Action::Market(Box::new(message)));
        }
        let send: MsgSend = canonical(&any.value, "MsgSend")?;
        let address = |text: &str| {
            Address::parse(text).map_err(|bad| TxRefused::InvalidAddress(bad.to_string()))
        };
        let coins = bank::read_coins(&send.amount)?;
        if coins.is_empty() {
            return Err(TxRefused::InvalidCoins("nothing is sent".to_owned()));
        }
        Ok(Action::Send {
            from: address(&send.from_address)?,
            to: address(&send.to_address)?,
            coins,
        })
    }

    /// Who must sign for it.
    pub(crate) fn signer(&self) -> Address {
        match self {
            Action::Send { from, .. } => *from,
            Action::Market(message) => message.signer(),
        }
    }

    /// Whether it is a claim, a proof or a verdict, which must reach the chain in a window.
    pub(crate) fn is_claim(&self) -> bool {
        match self {
            Action::Send { .. } => false,
            Action::Market(message) => {
                matches!(
                    **message,
                    Message::SubmitClaims(_)
                        | Message::SubmitProofs(_)
                        | Message::CommitVerdicts(_)
                        | Message::RevealVerdicts(_)
                )
            }
        }
    }
}

impl Tx {
    /// Reads a `TxRaw`.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Tx, TxRefused> {
        if bytes.len() > TX_BYTES_MAX {
            return Err(TxRefused::TooLarge { max: TX_BYTES_MAX, got: bytes.len() });
        }
        let raw: TxRaw = canonical(bytes, "TxRaw")?;
        let body: TxBody = canonical(&raw.body_bytes, "TxBody")?;
        let auth: AuthInfo = canonical(&raw.auth_info_bytes, "AuthInfo")?;
        if !body.extension_options.is_empty() || !body.non_critical_extension_options.is_empty() {
            return Err(TxRefused::UnknownExtension);
        }
        if !(1..=TX_MESSAGES_MAX).contains(&body.messages.len()) {
            let got = body.messages.len();
            let reason = format!("{got} messages, a transaction has 1 to {TX_MESSAGES_MAX}");
            return Err(TxRefused::InvalidRequest(reason));
        }
        let actions: Vec<Action> =
            body.messages.iter().map(Action::read).collect::<Result<_, _>>()?;
        let fee = auth.fee.unwrap_or_default();
        if !fee.granter.is_empty() {
            let reason = "a fee granter: fees are paid by a signer here".to_owned();
            return Err(TxRefused::NotSupported(reason));
        }
        let named = match fee.payer.as_str() {
            "" => None,
            text => Some(
                Address::parse(text).map_err(|bad| TxRefused::InvalidAddress(bad.to_string()))?,
            ),
        };
        let addresses = signers_of(&actions, named);
        let signers = read_signers(&addresses, &auth.signer_infos, raw.signatures)?;
        Ok(Tx {
            hash: Sha256::digest(bytes).into(),
            bytes: bytes.to_vec(),
            body_bytes: raw.body_bytes,
            auth_info_bytes: raw.auth_info_bytes,
            messages: body.messages,
            actions,
            memo: body.memo,
            timeout_height: body.timeout_height,
            fee: bank::read_coins(&fee.amount)?,
            gas: fee.gas_limit,
            payer: named.unwrap_or(addresses[0]),
            payer_named: named.is_some(),
            signers,
        })
    }

    /// Whether it holds nothing but claims and proofs.
    pub(crate) fn is_claims(&self) -> bool {
        self.actions.iter().all(Action::is_claim)
    }
}

/// Everybody who must sign, each once: the messages' signers in order, then the fee's payer.
fn signers_of(actions: &[Action], payer: Option<Address>) -> Vec<Address> {
    let mut addresses = Vec::new();
    for address in actions.iter().map(Action::signer).chain(payer) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

fn read_signers(
    addresses: &[Address],
    infos: &[SignerInfo],
    signatures: Vec<Vec<u8>>,
) -> Result<Vec<Signer>, TxRefused> {
    if signatures.is_empty() {
        return Err(TxRefused::NoSignatures);
    }
    if signatures.len() > TX_SIGNATURES_MAX {
        return Err(TxRefused::TooManySignatures { max: TX_SIGNATURES_MAX, got: signatures.len() });
    }
    if addresses.len() != infos.len() || addresses.len() != signatures.len() {
        return Err(TxRefused::Unauthorized(format!(
            "wrong number of signers; expected {}, got {} signer infos and {} signatures",
            addresses.len(),
            infos.len(),
            signatures.len()
        )));
    }
    addresses
        .iter()
        .zip(infos)
        .zip(signatures)
        .map(|((address, info), signature)| {
            Ok(Signer {
                address: *address,
                key: info.public_key.as_ref().map(|any| read_key(any, address)).transpose()?,
                mode: read_mode(info)?,
                sequence: info.sequence,
                signature,
            })
        })
        .collect()
}

fn read_key(any: &Any, address: &Address) -> Result<Vec<u8>, TxRefused> {
    if any.type_url != KEY_TYPE {
        let reason = format!("a key of type {}: accounts sign with secp256k1", any.type_url);
        return Err(TxRefused::InvalidKey(reason));
    }
    let key: PubKey = canonical(&any.value, "PubKey")?;
    if Address::of_secp256k1(&key.key) != *address {
        let reason = format!("pubKey does not match signer address {address}");
        return Err(TxRefused::InvalidKey(reason));
    }
    Ok(key.key)
}

fn read_mode(info: &SignerInfo) -> Result<Option<Mode>, TxRefused> {
    let sum = info.mode_info.as_ref().and_then(|mode| mode.sum.as_ref());
    match sum {
        Some(Sum::Single(single)) => match SignMode::try_from(single.mode) {
            Ok(SignMode::Direct) => Ok(Some(Mode::Direct)),
            Ok(SignMode::LegacyAminoJson) => Ok(Some(Mode::AminoJson)),
            Ok(SignMode::Unspecified) => Ok(None),
            _ => Err(TxRefused::NotSupported(format!(
                "sign mode {}: SIGN_MODE_DIRECT and SIGN_MODE_LEGACY_AMINO_JSON are taken",
                single.mode
            ))),
        },
        Some(Sum::Multi(_)) => {
            Err(TxRefused::NotSupported("a signature by several keys of one account".to_owned()))
        }
        None => Err(TxRefused::Decode("a signer without its mode".to_owned())),
    }
}

/// Reads protobuf that encodes to the same bytes again: unknown fields and a second way to write
/// the same transaction are refused.
fn canonical<T: prost::Message + Default>(bytes: &[u8], kind: &str) -> Result<T, TxRefused> {
    let value = T::decode(bytes).map_err(|bad| TxRefused::Decode(format!("{kind}: {bad}")))?;
    if value.encode_to_vec() == bytes {
        Ok(value)
    } else {
        let reason = format!("{kind} has unknown fields or is not in canonical form");
        Err(TxRefused::Decode(reason))
    }
}
