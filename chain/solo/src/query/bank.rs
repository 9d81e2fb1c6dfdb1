//! Questions about coins.

use super::page::page;
use super::{NoAnswer, address, read};
use crate::bank;
use crate::state::Read;
use cosmrs::proto::cosmos::bank::v1beta1::{
    DenomUnit, Metadata, Params, QueryAllBalancesRequest, QueryAllBalancesResponse,
    QueryBalanceRequest, QueryBalanceResponse, QueryDenomMetadataRequest,
    QueryDenomMetadataResponse, QueryDenomsMetadataRequest, QueryDenomsMetadataResponse,
    QueryParamsResponse, QuerySpendableBalanceByDenomRequest, QuerySpendableBalanceByDenomResponse,
    QuerySpendableBalancesRequest, QuerySpendableBalancesResponse, QuerySupplyOfRequest,
    QuerySupplyOfResponse, QueryTotalSupplyRequest, QueryTotalSupplyResponse,
};
use cosmrs::proto::cosmos::base::v1beta1::Coin as WireCoin;
use prost::Message as _;
use proto::names::STAKE_DENOM;
use proto::{Coin, Denom};

/// Kinds of coin that are listed at most. Coins are made in the genesis only, which bounds them.
const LISTED_MAX: usize = 10_000;

/// The answer of `cosmos.bank.v1beta1.Query`; `None` for a method that is not there.
pub(super) fn answer(
    state: &dyn Read,
    method: &str,
    data: &[u8],
) -> Result<Option<Vec<u8>>, NoAnswer> {
    Ok(Some(match method {
        "Balance" => {
            let request: QueryBalanceRequest = read(data)?;
            let balance = Some(one(state, &request.address, &request.denom)?);
            QueryBalanceResponse { balance }.encode_to_vec()
        }
        "SpendableBalanceByDenom" => {
            let request: QuerySpendableBalanceByDenomRequest = read(data)?;
            let balance = Some(one(state, &request.address, &request.denom)?);
            QuerySpendableBalanceByDenomResponse { balance }.encode_to_vec()
        }
        "AllBalances" => {
            let request: QueryAllBalancesRequest = read(data)?;
            let (balances, next) = page(request.pagination, all(state, &request.address)?)?;
            QueryAllBalancesResponse { balances, pagination: Some(next) }.encode_to_vec()
        }
        "SpendableBalances" => {
            let request: QuerySpendableBalancesRequest = read(data)?;
            let (balances, next) = page(request.pagination, all(state, &request.address)?)?;
            QuerySpendableBalancesResponse { balances, pagination: Some(next) }.encode_to_vec()
        }
        "TotalSupply" => {
            let request: QueryTotalSupplyRequest = read(data)?;
            let supplies = keyed(bank::supplies(state, LISTED_MAX));
            let (supply, next) = page(request.pagination, supplies)?;
            QueryTotalSupplyResponse { supply, pagination: Some(next) }.encode_to_vec()
        }
        "SupplyOf" => {
            let request: QuerySupplyOfRequest = read(data)?;
            let denom = denom(&request.denom)?;
            let amount = wire(&Coin::new(bank::supply(state, &denom), denom));
            QuerySupplyOfResponse { amount: Some(amount) }.encode_to_vec()
        }
        "DenomMetadata" => {
            let request: QueryDenomMetadataRequest = read(data)?;
            if request.denom != STAKE_DENOM {
                let reason = format!("client metadata for denom {}", request.denom);
                return Err(NoAnswer::NotFound(reason));
            }
            QueryDenomMetadataResponse { metadata: Some(metadata()) }.encode_to_vec()
        }
        "DenomsMetadata" => {
            let request: QueryDenomsMetadataRequest = read(data)?;
            let all = vec![(STAKE_DENOM.as_bytes().to_vec(), metadata())];
            let (metadatas, next) = page(request.pagination, all)?;
            QueryDenomsMetadataResponse { metadatas, pagination: Some(next) }.encode_to_vec()
        }
        "Params" => {
            let params = Params { default_send_enabled: true, ..Params::default() };
            QueryParamsResponse { params: Some(params) }.encode_to_vec()
        }
        _ => return Ok(None),
    }))
}

fn denom(text: &str) -> Result<Denom, NoAnswer> {
    Denom::new(text).map_err(|bad| NoAnswer::Invalid(bad.to_string()))
}

fn one(state: &dyn Read, who: &str, what: &str) -> Result<WireCoin, NoAnswer> {
    let denom = denom(what)?;
    Ok(wire(&Coin::new(bank::balance(state, &address(who)?, &denom), denom)))
}

fn all(state: &dyn Read, who: &str) -> Result<Vec<(Vec<u8>, WireCoin)>, NoAnswer> {
    Ok(keyed(bank::balances(state, &address(who)?, LISTED_MAX)))
}

fn keyed(coins: Vec<Coin>) -> Vec<(Vec<u8>, WireCoin)> {
    coins.iter().map(|coin| (coin.denom.as_str().as_bytes().to_vec(), wire(coin))).collect()
}

fn wire(coin: &Coin) -> WireCoin {
    WireCoin { denom: coin.denom.to_string(), amount: coin.amount.to_string() }
}

/// How wallets show the coin of stakes: a lode is a million of its smallest unit.
fn metadata() -> Metadata {
    let unit = |denom: &str, exponent| DenomUnit {
        denom: denom.to_owned(),
        exponent,
        aliases: Vec::new(),
    };
    Metadata {
        description: "The coin of Lode".to_owned(),
        denom_units: vec![unit(STAKE_DENOM, 0), unit("lode", 6)],
        base: STAKE_DENOM.to_owned(),
        display: "lode".to_owned(),
        name: "Lode".to_owned(),
        symbol: "LODE".to_owned(),
        ..Metadata::default()
    }
}
