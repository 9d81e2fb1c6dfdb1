//! Questions about accounts.

use super::page::limit;
use super::{NoAnswer, address, read};
use crate::account::{ACCOUNT_TYPE, Account};
use crate::ante::MEMO_MAX;
use crate::state::Read;
use crate::tx::TX_SIGNATURES_MAX;
use cosmrs::Any;
use cosmrs::proto::cosmos::auth::v1beta1::{
    Bech32PrefixResponse, Params, QueryAccountInfoRequest, QueryAccountInfoResponse,
    QueryAccountRequest, QueryAccountResponse, QueryAccountsRequest, QueryAccountsResponse,
    QueryParamsResponse,
};
use cosmrs::proto::cosmos::base::query::v1beta1::PageResponse;
use prost::Message as _;

/// The answer of `cosmos.auth.v1beta1.Query`; `None` for a method that is not there.
pub(super) fn answer(
    state: &dyn Read,
    method: &str,
    data: &[u8],
) -> Result<Option<Vec<u8>>, NoAnswer> {
    Ok(Some(match method {
        "Account" => {
            let request: QueryAccountRequest = read(data)?;
            let account = any(&find(state, &request.address)?);
            QueryAccountResponse { account: Some(account) }.encode_to_vec()
        }
        "AccountInfo" => {
            let request: QueryAccountInfoRequest = read(data)?;
            let info = find(state, &request.address)?.to_proto();
            QueryAccountInfoResponse { info: Some(info) }.encode_to_vec()
        }
        "Accounts" => accounts(state, read(data)?)?.encode_to_vec(),
        "Params" => QueryParamsResponse { params: Some(params()) }.encode_to_vec(),
        "Bech32Prefix" => {
            let bech32_prefix = proto::names::ADDRESS_PREFIX.to_owned();
            Bech32PrefixResponse { bech32_prefix }.encode_to_vec()
        }
        _ => return Ok(None),
    }))
}

fn find(state: &dyn Read, text: &str) -> Result<Account, NoAnswer> {
    let missing = || NoAnswer::NotFound(format!("account {text} not found"));
    Account::load(state, &address(text)?).ok_or_else(missing)
}

fn any(account: &Account) -> Any {
    Any { type_url: ACCOUNT_TYPE.to_owned(), value: account.to_proto().encode_to_vec() }
}

fn accounts(
    state: &dyn Read,
    request: QueryAccountsRequest,
) -> Result<QueryAccountsResponse, NoAnswer> {
    let page = request.pagination.unwrap_or_default();
    if page.reverse || page.offset > 0 {
        return Err(NoAnswer::Invalid("accounts are given in order, by key".to_owned()));
    }
    let from = (!page.key.is_empty()).then_some(page.key.as_slice());
    let mut accounts = Account::page(state, from, limit(&page) + 1);
    let next = accounts.get(limit(&page)).map(|next| next.address.0.to_vec());
    accounts.truncate(limit(&page));
    Ok(QueryAccountsResponse {
        accounts: accounts.iter().map(any).collect(),
        pagination: Some(PageResponse {
            next_key: next.unwrap_or_default(),
            total: Account::count(state),
        }),
    })
}

fn params() -> Params {
    Params {
        max_memo_characters: MEMO_MAX as u64,
        tx_sig_limit: TX_SIGNATURES_MAX as u64,
        tx_size_cost_per_byte: crate::ante::TX_BYTE_GAS,
        sig_verify_cost_ed25519: 0,
        sig_verify_cost_secp256k1: crate::ante::SIGNATURE_GAS,
    }
}
