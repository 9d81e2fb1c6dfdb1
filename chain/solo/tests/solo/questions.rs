//! Questions over ABCI, by the paths that the SDK's clients use.

use crate::net::{COSMJS, Draft, Key, Net, WEALTH, coin};
use cosmrs::proto::cosmos::auth::v1beta1::{
    BaseAccount, QueryAccountInfoRequest, QueryAccountInfoResponse, QueryAccountRequest,
    QueryAccountResponse, QueryAccountsRequest, QueryAccountsResponse,
};
use cosmrs::proto::cosmos::bank::v1beta1::{
    QueryAllBalancesRequest, QueryAllBalancesResponse, QueryDenomMetadataRequest,
    QuerySupplyOfRequest, QuerySupplyOfResponse, QueryTotalSupplyRequest, QueryTotalSupplyResponse,
};
use cosmrs::proto::cosmos::base::query::v1beta1::PageRequest;
use cosmrs::proto::cosmos::tx::v1beta1::{
    GetTxRequest, GetTxResponse, SimulateRequest, SimulateResponse,
};
use expect_test::expect;
use prost::Message;
use proto::Address;
use proto::query::{Clock, GetClock, GetSupplier, Query as _};
use proto::wire::Wire as _;
use sha2::{Digest as _, Sha256};

async fn ask<A: Message + Default>(net: &Net, path: &str, question: &impl Message) -> A {
    A::decode(net.query(path, question).await.unwrap().as_slice()).unwrap()
}

#[tokio::test]
async fn an_account_is_known_from_its_first_coin_on() {
    let mut net = Net::new();
    let path = "/cosmos.auth.v1beta1.Query/Account";
    let address = Address([9; 20]).to_string();
    let question = QueryAccountRequest { address: address.clone() };
    expect!["22 sdk: rpc error: code = NotFound desc = account lode1pyysjzgfpyysjzgfpyysjzgfpyysjzgf38gcef not found: key not found"]
        .assert_eq(&net.query(path, &question).await.unwrap_err());
    net.include(&Draft::pay(1, 0, &Address([9; 20]), 5)).await;
    let answer: QueryAccountResponse = ask(&net, path, &question).await;
    let account = BaseAccount::decode(answer.account.unwrap().value.as_slice()).unwrap();
    assert_eq!((account.address.as_str(), account.sequence), (address.as_str(), 0));
    let question = QueryAccountInfoRequest { address: Key::n(1).address().to_string() };
    let path = "/cosmos.auth.v1beta1.Query/AccountInfo";
    let info = ask::<QueryAccountInfoResponse>(&net, path, &question).await.info.unwrap();
    assert_eq!((info.account_number, info.sequence), (1, 1));
    assert!(info.pub_key.is_some());
}

#[tokio::test]
async fn accounts_come_in_pages() {
    let net = Net::new();
    let mut seen = 0;
    let mut key = Vec::new();
    loop {
        let pagination = Some(PageRequest { key, limit: 3, ..PageRequest::default() });
        let question = QueryAccountsRequest { pagination };
        let path = "/cosmos.auth.v1beta1.Query/Accounts";
        let answer: QueryAccountsResponse = ask(&net, path, &question).await;
        seen += answer.accounts.len();
        key = answer.pagination.unwrap().next_key;
        if key.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 7);
}

#[tokio::test]
async fn balances_and_supply_add_up() {
    let mut net = Net::new();
    net.include(&Draft::pay(1, 0, &Address([9; 20]), 5)).await;
    let question = QueryAllBalancesRequest { address: COSMJS.to_owned(), ..Default::default() };
    let path = "/cosmos.bank.v1beta1.Query/AllBalances";
    let all: QueryAllBalancesResponse = ask(&net, path, &question).await;
    assert_eq!(all.balances, [coin(WEALTH, "ulode")]);
    let path = "/cosmos.bank.v1beta1.Query/SupplyOf";
    let question = QuerySupplyOfRequest { denom: "ulode".to_owned() };
    let supply: QuerySupplyOfResponse = ask(&net, path, &question).await;
    assert_eq!(supply.amount, Some(coin(7 * WEALTH, "ulode")));
    let path = "/cosmos.bank.v1beta1.Query/TotalSupply";
    let total: QueryTotalSupplyResponse =
        ask(&net, path, &QueryTotalSupplyRequest::default()).await;
    assert_eq!(total.supply, [coin(7 * WEALTH, "ulode")]);
    let question = QueryDenomMetadataRequest { denom: "ulode".to_owned() };
    assert!(net.query("/cosmos.bank.v1beta1.Query/DenomMetadata", &question).await.is_ok());
}

#[tokio::test]
async fn a_simulation_tells_the_gas_and_changes_nothing() {
    let mut net = Net::new();
    let draft = Draft::pay(1, 0, &Address([9; 20]), 5);
    let mut unsigned = draft.clone();
    // As CosmJS asks: no fee, no gas, no mode, and a signature of nothing.
    (unsigned.fee, unsigned.gas, unsigned.mode) = (Vec::new(), 0, 0);
    let tx_bytes = unsigned.sign();
    let path = "/cosmos.tx.v1beta1.Service/Simulate";
    let question = SimulateRequest { tx_bytes, ..SimulateRequest::default() };
    let answer: SimulateResponse = ask(&net, path, &question).await;
    let gas = answer.gas_info.unwrap().gas_used;
    let (block, at) = net.include(&draft).await;
    let used = u64::try_from(block.results[at].gas_used).unwrap();
    assert!((used..used + 2_000).contains(&gas), "{gas} {used}");
    let broke = Draft::pay(1, 1, &Address([9; 20]), WEALTH);
    let question = SimulateRequest { tx_bytes: broke.sign(), ..SimulateRequest::default() };
    expect!["5 sdk: rpc error: code = Unknown desc = failed to execute message; message index: 0: spendable balance 999999999395ulode is smaller than 1000000000000ulode: insufficient funds"]
        .assert_eq(&net.query(path, &question).await.unwrap_err());
}

#[tokio::test]
async fn a_transaction_is_told_as_the_sdk_tells_it() {
    let mut net = Net::new();
    let draft = Draft::pay(1, 0, &Address([9; 20]), 5);
    net.include(&draft).await;
    let question = GetTxRequest { hash: hex::encode(Sha256::digest(draft.sign())) };
    let path = "/cosmos.tx.v1beta1.Service/GetTx";
    let answer: GetTxResponse = ask(&net, path, &question).await;
    let response = answer.tx_response.unwrap();
    assert_eq!((response.height, response.code), (1, 0));
    assert_eq!(answer.tx.unwrap().body.unwrap(), draft.body());
}

#[tokio::test]
async fn recent_heights_are_answered_and_others_refused() {
    let mut net = Net::new();
    net.include(&Draft::pay(1, 0, &Address([9; 20]), 5)).await;
    net.include(&Draft::pay(1, 1, &Address([9; 20]), 5)).await;
    let question = cosmrs::proto::cosmos::bank::v1beta1::QueryBalanceRequest {
        address: Address([9; 20]).to_string(),
        denom: "ulode".to_owned(),
    };
    let data = question.encode_to_vec();
    let path = "/cosmos.bank.v1beta1.Query/Balance";
    for (height, amount) in [(1, "5"), (2, "10"), (0, "10")] {
        let answer = net.query_at(path, &data, height).await.unwrap();
        let answer =
            cosmrs::proto::cosmos::bank::v1beta1::QueryBalanceResponse::decode(answer.as_slice());
        assert_eq!(answer.unwrap().balance.unwrap().amount, amount);
    }
    expect!["26 sdk: height 3 is in the future, the last block is 2: invalid height"]
        .assert_eq(&net.query_at(path, &data, 3).await.unwrap_err());
    for _ in 0..20 {
        net.block();
    }
    expect!["26 sdk: the state after height 2 is pruned: this node keeps that of the last 16 heights, up to 22: invalid height"]
        .assert_eq(&net.query_at(path, &data, 2).await.unwrap_err());
}

#[tokio::test]
async fn the_market_is_asked_by_its_own_paths() {
    let mut net = Net::new();
    net.block();
    net.block();
    for (height, last) in [(1, 1), (0, 2)] {
        let answer = net.query_at(GetClock::PATH, &GetClock {}.encode(), height).await.unwrap();
        assert_eq!(Clock::decode(&answer).unwrap().height.0, last);
    }
    let nobody = GetSupplier { operator: Some(Address([9; 20])) };
    let refused = net.query_at(GetSupplier::PATH, &nobody.encode(), 0).await.unwrap_err();
    assert!(refused.starts_with(&format!("{} lode: ", proto::query::NOT_FOUND)), "{refused}");
}

#[tokio::test]
async fn what_is_no_question_is_refused_with_words() {
    let net = Net::new();
    for (path, data, outcome) in [
        ("/nope", &[][..], expect![[r#"6 sdk: unknown query path "/nope": unknown request"#]]),
        (
            "/cosmos.bank.v1beta1.Query/Nope",
            &[],
            expect![[
                r#"6 sdk: unknown query path "/cosmos.bank.v1beta1.Query/Nope": unknown request"#
            ]],
        ),
        (
            "/cosmos.bank.v1beta1.Query/Balance",
            &[0xff],
            expect![
                "18 sdk: rpc error: code = InvalidArgument desc = failed to decode Protobuf message: invalid varint: invalid request"
            ],
        ),
    ] {
        outcome.assert_eq(&net.query_at(path, data, 0).await.unwrap_err());
    }
}
