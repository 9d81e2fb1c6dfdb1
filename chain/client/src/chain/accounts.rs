//! Accounts and what they have: the Cosmos SDK's `auth` and `bank`.

use super::{Chain, QueryError};
use cosmrs::proto::cosmos::auth::v1beta1::{
    BaseAccount, QueryAccountRequest, QueryAccountResponse,
};
use cosmrs::proto::cosmos::bank::v1beta1::{
    QueryAllBalancesRequest, QueryAllBalancesResponse, QueryBalanceRequest, QueryBalanceResponse,
};
use cosmrs::proto::cosmos::base::query::v1beta1::PageRequest;
use cosmrs::proto::cosmos::base::v1beta1::Coin as SdkCoin;
use prost::Message as _;
use proto::{Address, Amount, Coin, Denom};

const ACCOUNT: &str = "/cosmos.auth.v1beta1.Query/Account";
const BALANCE: &str = "/cosmos.bank.v1beta1.Query/Balance";
const ALL_BALANCES: &str = "/cosmos.bank.v1beta1.Query/AllBalances";

/// Coins in one page, and pages at most: an account can be sent any number of worthless coins.
const PAGE: u64 = 200;
const PAGES_MAX: usize = 50;

/// What a transaction of an account must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// The account's number, given when it came into being.
    pub number: u64,
    /// How many transactions it has signed: the number of its next one.
    pub sequence: u64,
}

impl Chain {
    /// The account at `address`; none before its first coins came.
    pub async fn account(&self, address: Address) -> Result<Option<AccountState>, QueryError> {
        let request = QueryAccountRequest { address: address.to_string() };
        let answer: QueryAccountResponse = match self.sdk(ACCOUNT, &request).await {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other?,
        };
        let Some(account) = answer.account else { return Ok(None) };
        if account.type_url != "/cosmos.auth.v1beta1.BaseAccount" {
            let reason = format!("{} is not a plain account", account.type_url);
            return Err(QueryError::garbled(ACCOUNT, reason));
        }
        let account = BaseAccount::decode(account.value.as_slice())
            .map_err(|error| QueryError::garbled(ACCOUNT, error))?;
        Ok(Some(AccountState { number: account.account_number, sequence: account.sequence }))
    }

    /// How much of one coin `address` has.
    pub async fn balance(&self, address: Address, denom: &Denom) -> Result<Amount, QueryError> {
        let (address, denom) = (address.to_string(), denom.to_string());
        let request = QueryBalanceRequest { address, denom };
        let answer: QueryBalanceResponse = self.sdk(BALANCE, &request).await?;
        answer.balance.map_or(Ok(Amount::ZERO), |coin| Ok(read(BALANCE, coin)?.amount))
    }

    /// All coins of `address`, in the order of their names.
    pub async fn balances(&self, address: Address) -> Result<Vec<Coin>, QueryError> {
        let (mut coins, mut key) = (Vec::new(), Vec::new());
        for _ in 0..PAGES_MAX {
            let request = QueryAllBalancesRequest {
                address: address.to_string(),
                pagination: Some(PageRequest { key, limit: PAGE, ..Default::default() }),
                resolve_denom: false,
            };
            let page: QueryAllBalancesResponse = self.sdk(ALL_BALANCES, &request).await?;
            for coin in page.balances {
                coins.push(read(ALL_BALANCES, coin)?);
            }
            key = page.pagination.map(|page| page.next_key).unwrap_or_default();
            if key.is_empty() {
                break;
            }
        }
        Ok(coins)
    }
}

fn read(path: &str, coin: SdkCoin) -> Result<Coin, QueryError> {
    let amount = coin.amount.parse().map_err(|error| {
        QueryError::garbled(path, format!("{:?} is no amount: {error}", coin.amount))
    })?;
    let denom = Denom::new(coin.denom).map_err(|error| QueryError::garbled(path, error))?;
    Ok(Coin::new(Amount(amount), denom))
}
