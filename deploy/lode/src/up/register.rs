//! A network's market by transactions, as its people would send them: a chain of true validators
//! begins with coins, and with nobody in its market.

use super::home::{self, Members};
use super::network::Network;
use anyhow::Context;
use chain_client::keys::KeyStore;
use chain_client::{Chain, Endpoints, Sender};
use futures::future::try_join_all;
use proto::Address;
use proto::message::{self, Message};
use proto::query;

/// Sends what is not on the chain yet: the service, stakes, an escrow and its delegation.
pub(super) async fn register(network: &Network) -> anyhow::Result<()> {
    let endpoints = Endpoints::of(network.rpc()).named(network.chain_id());
    let chain = Chain::connect(&endpoints).await?;
    let keys = KeyStore::open(network.home().join("keys"))?;
    let members = home::members(network.home(), network.plan(), &keys)?;
    if chain.find(&query::GetService { id: Some(members.service.id.clone()) }).await?.is_none() {
        let source = members.service.source;
        let list = message::ListService { source, service: members.service.clone() };
        send(&chain, &keys, "source", vec![list.into()]).await?;
    }
    let suppliers = (0..members.suppliers.len()).map(|i| supplier(&chain, &keys, &members, i));
    let (suppliers, gateway) =
        futures::join!(try_join_all(suppliers), gateway(&chain, &keys, &members));
    suppliers?;
    gateway
}

async fn send(
    chain: &Chain,
    keys: &KeyStore,
    name: &str,
    messages: Vec<Message>,
) -> anyhow::Result<()> {
    let sender = Sender::new(chain.clone(), keys.unlock(name, None)?, crate::role::gas());
    sender.send(messages).await.with_context(|| format!("the account {name} was refused"))?;
    Ok(())
}

async fn supplier(
    chain: &Chain,
    keys: &KeyStore,
    members: &Members,
    i: usize,
) -> anyhow::Result<()> {
    let supplier = &members.suppliers[i];
    let operator = supplier.operator;
    if chain.find(&query::GetSupplier { operator: Some(operator) }).await?.is_some() {
        return Ok(());
    }
    let stake = message::StakeSupplier {
        owner: operator,
        operator,
        add: proto::Coin::stake(supplier.stake),
        relay_key: supplier.relay_key,
        endpoint: supplier.endpoint.clone(),
        offers: supplier.offers.clone(),
        payouts: Vec::new(),
    };
    send(chain, keys, &home::supplier_keys(i).0, vec![stake.into()]).await
}

/// The gateway's stake, and then the app's escrow and what it lets the gateway lock.
async fn gateway(chain: &Chain, keys: &KeyStore, members: &Members) -> anyhow::Result<()> {
    let gateway: Address = members.gateway.address;
    if chain.find(&query::GetGateway { address: Some(gateway) }).await?.is_none() {
        let add = proto::Coin::stake(members.gateway.stake);
        let stake = message::StakeGateway { gateway, add, relay_key: members.gateway.relay_key };
        send(chain, keys, "gateway", vec![stake.into()]).await?;
    }
    let app = members.delegation.app;
    let known = chain.query(&query::GetApp { app: Some(app) }).await?;
    if known.delegations.is_empty() {
        let coin = members.escrow.clone();
        let deposit = message::Deposit { app, coin: coin.clone() };
        let expires = members.delegation.expires;
        let delegate = message::Delegate { app, gateway, limit: coin, expires };
        send(chain, keys, "app", vec![deposit.into(), delegate.into()]).await?;
    }
    Ok(())
}
