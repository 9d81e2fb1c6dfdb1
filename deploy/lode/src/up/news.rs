//! What happens on the chain, as lines.

use super::event::Line;
use super::network::Network;
use chain_client::{BlockNews, Blocks, Chain, Endpoints, Event};
use futures::StreamExt;
use proto::{Amount, Coin, Denom, Height};
use std::collections::VecDeque;
use std::str::FromStr;

/// Follows the chain's blocks.
pub(super) struct News {
    blocks: Blocks,
    waiting: VecDeque<Line>,
}

impl News {
    pub(super) async fn follow(network: &Network) -> anyhow::Result<News> {
        let endpoints = Endpoints::of(network.rpc()).named(network.chain_id());
        let chain = Chain::connect(&endpoints).await?;
        let from = chain.height().await?.plus(1);
        Ok(News { blocks: chain.blocks(from), waiting: VecDeque::new() })
    }

    /// The next line, when it comes.
    pub(super) async fn next(&mut self) -> Line {
        loop {
            if let Some(line) = self.waiting.pop_front() {
                return line;
            }
            match self.blocks.next().await {
                Some(news) => self.waiting.extend(lines(&news)),
                // Blocks end only where a node forgot them, and this one keeps all.
                None => std::future::pending().await,
            }
        }
    }
}

fn lines(news: &BlockNews) -> Vec<Line> {
    let mut lines = vec![Line::Block { height: news.height }];
    lines.extend(news.events.iter().filter_map(|event| line(event, news.height)));
    lines
}

fn field<T: FromStr>(event: &Event, name: &str) -> Option<T> {
    event.get(name)?.parse().ok()
}

fn coin(event: &Event, name: &str) -> Option<Coin> {
    let text = event.get(name)?;
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (amount, denom) = text.split_at(digits);
    Some(Coin::new(Amount(amount.parse().ok()?), Denom::new(denom).ok()?))
}

fn amount(event: &Event, name: &str) -> Option<Amount> {
    field(event, name).map(Amount)
}

fn line(event: &Event, height: Height) -> Option<Line> {
    let session = || field(event, "session");
    let supplier = || field(event, "supplier");
    Some(match event.kind.as_str() {
        "lode_session_opened" => Line::Session {
            session: session()?,
            service: event.get("service")?.to_owned(),
            app: field(event, "app")?,
            gateway: field(event, "gateway")?,
            suppliers: event.get("suppliers")?.split(',').filter_map(|a| a.parse().ok()).collect(),
            start: Height(field(event, "start")?),
            end: Height(field(event, "end")?),
            price: proto::Price(field(event, "price")?),
            budget: coin(event, "budget")?,
        },
        "lode_claim" => Line::Claim {
            session: session()?,
            supplier: supplier()?,
            cu: proto::Cu(field(event, "cu")?),
            relays: field(event, "relays")?,
            height,
        },
        "lode_proof" => Line::Proof { session: session()?, supplier: supplier()?, height },
        "lode_settled" => Line::Payout {
            session: session()?,
            supplier: supplier()?,
            cu: proto::Cu(field(event, "cu")?),
            cost: coin(event, "cost")?,
            supplier_share: amount(event, "supplier_share")?,
            source_share: amount(event, "source_share")?,
            audits_share: amount(event, "audits_share")?,
            treasury_share: amount(event, "treasury_share")?,
            burned: amount(event, "burned")?,
            reason: event.get("reason").unwrap_or_default().to_owned(),
            height,
        },
        "lode_audit_drawn" => Line::Audit {
            audit: field(event, "audit")?,
            session: session()?,
            supplier: supplier()?,
            height,
        },
        "lode_audit_decided" => Line::Verdict {
            audit: field(event, "audit")?,
            session: session()?,
            supplier: supplier()?,
            stage: event.get("stage")?.to_owned(),
            identity: event.get("identity").unwrap_or_default().to_owned(),
            quality: field(event, "quality"),
            height,
        },
        "lode_slashed" => Line::Slash {
            session: session()?,
            supplier: supplier()?,
            amount: coin(event, "amount")?,
            reason: event.get("reason").unwrap_or_default().to_owned(),
            height,
        },
        _ => return None,
    })
}
