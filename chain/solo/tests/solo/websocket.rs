//! Events over WebSocket, from a node that serves on a socket.

use crate::net::{Draft, Key, Net};
use daemon::Stop;
use futures::{SinkExt as _, StreamExt as _};
use proto::Address;
use serde_json::{Value, json};
use solo::Config;
use tendermint_rpc::event::EventData;
use tendermint_rpc::event::v0_38::DeEvent;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const TO: Address = Address([9; 20]);

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn call(&mut self, id: u32, method: &str, query: &str) -> Value {
        let call =
            json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": { "query": query } });
        self.0.send(Message::text(call.to_string())).await.unwrap();
        self.next().await.unwrap()
    }

    /// The next message; `None` when the node ended the connection.
    async fn next(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await?.ok()? {
                Message::Text(text) => return serde_json::from_str(&text).ok(),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}

/// A chain whose blocks a test makes, served at a socket.
async fn served() -> (Net, Client, Stop) {
    let net = Net::new();
    let stop = Stop::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = solo::router(&net.solo, stop.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = format!("ws://{address}/websocket");
    let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    (net, Client(socket), stop)
}

#[tokio::test]
async fn subscribers_hear_of_blocks_and_of_transactions_that_they_asked_for() {
    let (mut net, mut client, _stop) = served().await;
    let one = Key::n(1).address();
    let txs = format!("tm.event = 'Tx' AND message.sender = '{one}'");
    assert_eq!(client.call(1, "subscribe", "tm.event='NewBlock'").await["result"], json!({}));
    assert_eq!(client.call(2, "subscribe", &txs).await["result"], json!({}));
    assert_eq!(net.broadcast(&Draft::pay(2, 0, &TO, 5).sign()).await, "0");
    let (block, _) = net.include(&Draft::pay(1, 0, &TO, 5)).await;
    let mut events = [client.next().await.unwrap(), client.next().await.unwrap()];
    events.sort_by_key(|event| event["id"].as_u64());
    let read = |event: &Value| {
        let event: DeEvent = serde_json::from_value(event["result"].clone()).unwrap();
        tendermint_rpc::event::Event::from(event)
    };
    match read(&events[0]).data {
        EventData::NewBlock { block: Some(heard), block_id, result_finalize_block } => {
            assert_eq!((heard.header, block_id), (block.header.clone(), block.id));
            assert_eq!(result_finalize_block.unwrap().tx_results.len(), 2);
        }
        other => panic!("{other:?}"),
    }
    let event = read(&events[1]);
    assert_eq!(
        event.events.unwrap()["message.sender"],
        [one.to_string(), one.to_string(), one.to_string()]
    );
    match event.data {
        EventData::Tx { tx_result } => {
            assert_eq!((tx_result.height, tx_result.tx), (1, block.txs[1].clone()))
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_subscription_ends_when_it_is_asked_to() {
    let (mut net, mut client, stop) = served().await;
    client.call(1, "subscribe", "tm.event='NewBlock'").await;
    client.call(2, "subscribe", "tm.event='NewBlockHeader'").await;
    assert_eq!(client.call(3, "unsubscribe", "tm.event='NewBlock'").await["result"], json!({}));
    net.block();
    let event = client.next().await.unwrap();
    assert_eq!(event["result"]["data"]["type"], "tendermint/event/NewBlockHeader");
    assert_eq!(client.call(4, "unsubscribe_all", "").await["result"], json!({}));
    net.block();
    // Nothing was sent between: the next message answers the next call.
    assert_eq!(client.call(5, "health", "").await["id"], 5);
    stop.ask();
    assert!(client.next().await.is_none());
}

#[tokio::test]
async fn what_is_no_subscription_is_refused_with_words() {
    let (_net, mut client, _stop) = served().await;
    for (query, words) in [
        ("tx.height > 5", "a subscription names its kind"),
        ("tm.event = 'Vote'", "is no kind of event here"),
        ("tm.event = ", "is no query"),
    ] {
        let answer = client.call(1, "subscribe", query).await;
        let data = answer["error"]["data"].as_str().unwrap();
        assert!(data.contains(words), "{data}");
    }
    let twice = "tm.event='NewBlock'";
    client.call(1, "subscribe", twice).await;
    assert_eq!(client.call(2, "subscribe", twice).await["error"]["data"], "already subscribed");
    for n in 0..15 {
        client.call(3, "subscribe", &format!("tm.event='Tx' AND tx.height={n}")).await;
    }
    let answer = client.call(4, "subscribe", "tm.event='Tx'").await;
    assert_eq!(answer["error"]["data"], "16 subscriptions, no more are taken");
}

#[tokio::test]
async fn a_served_chain_makes_blocks_until_it_is_asked_to_stop() {
    let config = Config { block_time_ms: 20, ..Config::default() };
    let net = Net::with(config.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/websocket", listener.local_addr().unwrap());
    let stop = Stop::new();
    let serving = tokio::spawn(solo::serve(net.solo.clone(), listener, stop.clone()));
    let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let mut client = Client(socket);
    client.call(1, "subscribe", "tm.event='NewBlock'").await;
    let height = |event: Value| {
        let header = &event["result"]["data"]["value"]["block"]["header"];
        header["height"].as_str().unwrap().parse::<u64>().unwrap()
    };
    let first = height(client.next().await.unwrap());
    assert_eq!(height(client.next().await.unwrap()), first + 1);
    stop.ask();
    serving.await.unwrap().unwrap();
    let last = net.solo.tip().height;
    assert!(last > first);
    drop(client);
    assert_eq!(net.reopen(config).solo.tip().height, last);
}
