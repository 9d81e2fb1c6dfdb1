//! What a transaction must be before it runs: each wrong thing is refused, with the SDK's code.

use crate::net::{CHAIN_ID, Draft, Key, Net, WEALTH, coin, send};
use expect_test::{Expect, expect};
use proto::Address;

const TO: Address = Address([9; 20]);

/// What the node says of payment by account 1 that was changed so.
async fn check(change: impl FnOnce(&mut Draft), outcome: Expect) {
    let mut draft = Draft::pay(1, 0, &TO, 5);
    change(&mut draft);
    outcome.assert_eq(&Net::new().broadcast(&draft.sign()).await);
}

#[tokio::test]
async fn a_right_transaction_is_taken() {
    check(|_| {}, expect!["0"]).await;
    check(|d| d.memo = "ü".repeat(256), expect!["0"]).await;
    check(|d| d.timeout = 1, expect!["0"]).await;
    check(
        |d| d.fee.push(coin(1, "uzzz")),
        expect!["5 sdk: spendable balance 0uzzz is smaller than 1uzzz: insufficient funds"],
    )
    .await;
}

#[tokio::test]
async fn what_costs_too_little_or_too_much_is_refused() {
    check(
        |d| d.fee.clear(),
        expect!["13 sdk: insufficient fees; got:  required: 300ulode: insufficient fee"],
    )
    .await;
    check(
        |d| d.fee = vec![coin(299, "ulode")],
        expect!["13 sdk: insufficient fees; got: 299ulode required: 300ulode: insufficient fee"],
    )
    .await;
    check(|d| d.fee = vec![coin(WEALTH + 1, "ulode")], expect!["5 sdk: spendable balance 1000000000000ulode is smaller than 1000000000001ulode: insufficient funds"]).await;
    check(
        |d| d.fee = vec![coin(0, "ulode")],
        expect!["10 sdk: 0ulode is not a positive amount: invalid coins"],
    )
    .await;
    check(
        |d| d.gas = 1_000,
        expect![
            "11 sdk: out of gas in location: txSize; gasWanted: 1000, gasUsed: 14070: out of gas"
        ],
    )
    .await;
    check(|d| d.gas = u64::MAX, expect!["41 sdk: tx gas limit 18446744073709551615 exceeds block max gas 400000000: invalid gas limit"]).await;
    check(
        |d| d.granter = TO.to_string(),
        expect!["37 sdk: a fee granter: fees are paid by a signer here: feature not supported"],
    )
    .await;
}

#[tokio::test]
async fn what_comes_at_the_wrong_time_is_refused() {
    check(
        |d| d.signers[0].2 = 1,
        expect!["32 sdk: account sequence mismatch, expected 0, got 1: incorrect account sequence"],
    )
    .await;
    let mut net = Net::new();
    net.block();
    let mut late = Draft::pay(1, 0, &TO, 5);
    late.timeout = 1;
    let outcome = expect!["30 sdk: block height: 2, timeout height: 1: tx timeout height"];
    outcome.assert_eq(&net.broadcast(&late.sign()).await);
}

#[tokio::test]
async fn what_is_signed_for_something_else_is_refused() {
    check(|d| d.chain_id = "other".to_owned(), expect!["4 sdk: signature verification failed; please verify account number (1), sequence (0) and chain-id (lode-test): unauthorized"]).await;
    check(|d| d.signers[0].1 = 2, expect!["4 sdk: signature verification failed; please verify account number (1), sequence (0) and chain-id (lode-test): unauthorized"]).await;
    check(|d| d.signers[0].0 = Key::n(2), expect!["8 sdk: pubKey does not match signer address lode10xcqpzrky6eff2g52qdye53xkk9jxkvrduxthn: invalid pubkey"]).await;
    check(|d| d.signers.push((Key::n(2), 2, 0)), expect!["4 sdk: wrong number of signers; expected 1, got 2 signer infos and 2 signatures: unauthorized"]).await;
    check(|d| d.signers.clear(), expect!["15 sdk: no signatures supplied"]).await;
    check(|d| d.mode = 2, expect!["37 sdk: sign mode 2: SIGN_MODE_DIRECT and SIGN_MODE_LEGACY_AMINO_JSON are taken: feature not supported"]).await;
    check(
        |d| d.mode = 0,
        expect![
            "4 sdk: lode10xcqpzrky6eff2g52qdye53xkk9jxkvrduxthn signed in no mode: unauthorized"
        ],
    )
    .await;
    check(|d| d.payer = Key::n(2).address().to_string(), expect!["4 sdk: wrong number of signers; expected 2, got 1 signer infos and 1 signatures: unauthorized"]).await;
}

#[tokio::test]
async fn who_has_no_account_cannot_pay() {
    let mut draft = Draft::pay(1, 0, &TO, 5);
    let (stranger, to) = (Key::n(77), vec![coin(5, "ulode")]);
    draft.messages = vec![send(&stranger.address(), &TO, to)];
    draft.signers = vec![(stranger, 0, 0)];
    let outcome = expect![
        "9 sdk: account lode1kjqvey9uqf9fgud0as9sjc6dsn96rave9mlu7n not found: unknown address"
    ];
    outcome.assert_eq(&Net::new().broadcast(&draft.sign()).await);
}

#[tokio::test]
async fn what_is_malformed_is_refused() {
    check(|d| d.memo = "x".repeat(257), expect!["12 sdk: maximum number of characters is 256 but received 257 characters: memo too large"]).await;
    check(
        |d| d.messages.clear(),
        expect!["18 sdk: 0 messages, a transaction has 1 to 64: invalid request"],
    )
    .await;
    check(
        |d| d.messages = vec![d.messages[0].clone(); 65],
        expect!["18 sdk: 65 messages, a transaction has 1 to 64: invalid request"],
    )
    .await;
    check(
        |d| d.messages[0].type_url = "/x.Y".to_owned(),
        expect![[r#"2 sdk: "/x.Y" is no message of the market: tx parse error"#]],
    )
    .await;
    check(|d| d.messages[0].value.push(0), expect!["2 sdk: MsgSend: failed to decode Protobuf message: invalid tag value: 0: tx parse error"]).await;
    // A field that nobody knows.
    check(
        |d| d.messages[0].value.extend([0x78, 1]),
        expect!["2 sdk: MsgSend has unknown fields or is not in canonical form: tx parse error"],
    )
    .await;
    check(
        |d| d.messages = vec![send(&Key::n(1).address(), &TO, vec![])],
        expect!["10 sdk: nothing is sent: invalid coins"],
    )
    .await;
}

#[tokio::test]
async fn a_transaction_has_one_encoding() {
    let net = Net::new();
    let draft = Draft::pay(1, 0, &TO, 5);
    let outcome =
        expect!["2 sdk: TxBody has unknown fields or is not in canonical form: tx parse error"];
    let body = prost::Message::encode_to_vec(&draft.body());
    let auth = prost::Message::encode_to_vec(&draft.auth_info());
    // A default that is written out, and a field that nobody knows.
    for more in [vec![0x18, 0], vec![0x78, 1]] {
        let longer = [body.as_slice(), &more].concat();
        outcome.assert_eq(&net.broadcast(&draft.sign_bytes(longer, auth.clone())).await);
    }
    let mut trailing = draft.sign();
    trailing.extend([0x78, 1]);
    expect!["2 sdk: TxRaw has unknown fields or is not in canonical form: tx parse error"]
        .assert_eq(&net.broadcast(&trailing).await);
    expect![
        "2 sdk: TxRaw: failed to decode Protobuf message: invalid tag value: 0: tx parse error"
    ]
    .assert_eq(&net.broadcast(&[0; 10]).await);
    expect!["Tx too large. Max size is 524288, but got 524289"]
        .assert_eq(&net.broadcast(&vec![0; solo::TX_BYTES_MAX + 1]).await);
}

#[tokio::test]
async fn extension_options_are_refused() {
    let draft = Draft::pay(1, 0, &TO, 5);
    let mut body = draft.body();
    body.extension_options = vec![cosmrs::Any { type_url: "/x.Y".to_owned(), value: vec![] }];
    expect!["31 sdk: unknown extension options"]
        .assert_eq(&Net::new().broadcast(&draft.sign_as(body, draft.auth_info())).await);
}

#[tokio::test]
async fn several_messages_happen_together_or_not_at_all() {
    let mut net = Net::new();
    let (from, other) = (Key::n(1).address(), Key::n(2).address());
    let mut draft = Draft::pay(1, 0, &TO, 5);
    draft.messages.push(send(&other, &TO, vec![coin(WEALTH + 1, "ulode")]));
    draft.signers.push((Key::n(2), 2, 0));
    let (block, at) = net.include(&draft).await;
    let result = &block.results[at];
    expect!["failed to execute message; message index: 1: spendable balance 1000000000000ulode is smaller than 1000000000001ulode: insufficient funds"]
        .assert_eq(&result.log);
    assert_eq!((result.code, result.codespace.as_str()), (5, "sdk"));
    // The fee is paid and the sequences are used, all else is as before.
    assert_eq!(net.balance(&TO).await, 0);
    assert_eq!(net.balance(&from).await, WEALTH - 300);
    assert_eq!(net.balance(&other).await, WEALTH);
    let again = Draft::pay(2, 1, &TO, 5);
    assert_eq!(net.include(&again).await.0.results[0].code, 0);
    assert_eq!(net.balance(&TO).await, 5);
}

#[tokio::test]
async fn another_signer_can_pay_the_fee() {
    let mut net = Net::new();
    let mut draft = Draft::pay(1, 0, &TO, 5);
    draft.payer = Key::n(2).address().to_string();
    draft.signers.push((Key::n(2), 2, 0));
    net.include(&draft).await;
    assert_eq!(net.balance(&Key::n(1).address()).await, WEALTH - 5);
    assert_eq!(net.balance(&Key::n(2).address()).await, WEALTH - 300);
}

#[tokio::test]
async fn what_runs_out_of_gas_pays_its_fee_and_does_nothing() {
    let mut net = Net::new();
    let mut draft = Draft::pay(1, 0, &TO, 5);
    draft.gas = 20_000;
    let (block, at) = net.include(&draft).await;
    let result = &block.results[at];
    assert_eq!((result.code, result.gas_wanted), (11, 20_000));
    assert_eq!(net.balance(&TO).await, 0);
    assert_eq!(net.balance(&Key::n(1).address()).await, WEALTH - 300);
}

#[tokio::test]
async fn nobody_pays_into_a_purse_by_hand() {
    let mut net = Net::new();
    let purse = chain::host::Purse::Escrow.address();
    let (block, at) = net.include(&Draft::pay(1, 0, &purse, 5)).await;
    assert_eq!(block.results[at].code, 4);
    assert_eq!(net.balance(&purse).await, 0);
}

#[tokio::test]
async fn one_after_the_other_is_taken_before_a_block_is_made() {
    let mut net = Net::new();
    for sequence in 0..3 {
        let tx = Draft::pay(1, sequence, &TO, 5).sign();
        assert_eq!(net.broadcast(&tx).await, "0");
        assert_eq!(net.broadcast(&tx).await, "tx already exists in cache");
    }
    let block = net.block();
    assert_eq!(block.results.iter().map(|result| result.code).collect::<Vec<_>>(), [0, 0, 0]);
    assert_eq!(net.balance(&TO).await, 15);
    let again = Draft::pay(1, 2, &TO, 5).sign();
    assert_eq!(net.broadcast(&again).await, "tx already exists in cache");
    assert_eq!(CHAIN_ID, block.header.chain_id.as_str());
}
