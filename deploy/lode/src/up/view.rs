//! What a network shows: a live view on a terminal, plain lines elsewhere, JSON where asked.

use super::event::Line;
use super::network::{Figures, Network};
use crate::demo;
use proto::{Denom, Price};
use ratatui::backend::CrosstermBackend;
use ratatui::text::{Line as Row, Text};
use ratatui::widgets::Paragraph;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::collections::BTreeMap;
use std::io::{Stdout, Write};
use std::time::{Duration, Instant};

/// Rows of the live view.
const ROWS: u16 = 9;

type Screen = Terminal<CrosstermBackend<Stdout>>;

/// What is shown, and how.
pub(super) struct View {
    terminal: bool,
    json: bool,
    screen: Option<Screen>,
    seen: Seen,
    rates: Rates,
    block_time: Duration,
}

/// What happened so far.
#[derive(Default)]
struct Seen {
    height: u64,
    session: Option<(u64, u64)>,
    /// The price of the last session that was opened, and its coin.
    price: Option<(Price, Denom)>,
    claims: u64,
    proofs: u64,
    payouts: u64,
    paid: BTreeMap<Denom, u128>,
    slashes: u64,
    audits: u64,
    passed: u64,
}

/// Figures a moment ago, and how fast they grew since.
struct Rates {
    at: Instant,
    before: Figures,
    relays: f64,
    tokens: f64,
}

impl View {
    pub(super) fn new(terminal: bool, json: bool) -> View {
        let rates =
            Rates { at: Instant::now(), before: Figures::default(), relays: 0.0, tokens: 0.0 };
        let (seen, block_time) = (Seen::default(), Duration::ZERO);
        View { terminal, json, screen: None, seen, rates, block_time }
    }

    /// Says something to people.
    pub(super) fn say(&self, text: &str) {
        if self.json {
            eprintln!("{text}");
        } else {
            println!("{text}");
        }
    }

    /// The network is ready.
    pub(super) fn begin(&mut self, network: &Network, ready: &Line) -> anyhow::Result<()> {
        self.block_time = Duration::from_millis(network.plan().block_time_ms());
        if self.json {
            return self.line(ready);
        }
        println!("\nready: {} (model {})", network.base_url(), demo::NAME);
        println!("API key: {}", network.api_key());
        println!("chain: {} at {}", network.chain_id(), network.rpc());
        if let Some(sdk) = network.sdk_place() {
            println!("REST: {0} (described at {0}/swagger/), gRPC: {1}", sdk.rest, sdk.grpc);
        }
        println!();
        println!(
            "curl {}/chat/completions -H 'Authorization: Bearer {}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{{\"model\":\"{}\",\"messages\":[{{\"role\":\"user\",\"content\":\"What is Lode?\"}}]}}'\n",
            network.base_url(),
            network.api_key(),
            demo::NAME
        );
        if self.terminal {
            let options = TerminalOptions { viewport: Viewport::Inline(ROWS) };
            let backend = CrosstermBackend::new(std::io::stdout());
            self.screen = Some(Terminal::with_options(backend, options)?);
        }
        Ok(())
    }

    /// Whether there is a live view to be drawn.
    pub(super) fn is_live(&self) -> bool {
        self.screen.is_some()
    }

    /// Something happened.
    pub(super) fn line(&mut self, line: &Line) -> anyhow::Result<()> {
        self.seen.take(line);
        if matches!(line, Line::Block { .. }) || self.screen.is_some() {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, line)?;
            writeln!(out)?;
        } else if let Some(text) = plain(line) {
            writeln!(out, "{text}")?;
        }
        Ok(out.flush()?)
    }

    /// Draws the live view.
    pub(super) fn draw(&mut self, figures: &Figures) -> anyhow::Result<()> {
        self.rates.take(figures);
        let rows = rows(&self.seen, &self.rates, self.block_time, figures);
        if let Some(screen) = &mut self.screen {
            let text = Text::from(rows.into_iter().map(Row::from).collect::<Vec<_>>());
            screen.draw(|frame| frame.render_widget(Paragraph::new(text), frame.area()))?;
        }
        Ok(())
    }

    /// Leaves the terminal as it was.
    pub(super) fn end(&mut self) {
        if let Some(mut screen) = self.screen.take() {
            // A terminal that is gone needs no cursor.
            let _gone = screen.show_cursor();
            println!();
        }
    }
}

impl Seen {
    fn take(&mut self, line: &Line) {
        match line {
            Line::Block { height } => self.height = height.0,
            Line::Session { start, end, price, budget, .. } => {
                self.session = Some((start.0, end.0));
                self.price = Some((*price, budget.denom.clone()));
            }
            Line::Claim { .. } => self.claims += 1,
            Line::Proof { .. } => self.proofs += 1,
            Line::Payout { cost, .. } => {
                self.payouts += 1;
                *self.paid.entry(cost.denom.clone()).or_default() += cost.amount.0;
            }
            Line::Slash { .. } => self.slashes += 1,
            Line::Audit { .. } => self.audits += 1,
            Line::Verdict { stage, .. } => self.passed += u64::from(stage == "passed"),
            Line::Ready { .. } | Line::Restarted { .. } => {}
        }
    }
}

impl Rates {
    fn take(&mut self, figures: &Figures) {
        let seconds = self.at.elapsed().as_secs_f64();
        if seconds >= 1.0 {
            self.relays = (figures.relays - self.before.relays).max(0.0) / seconds;
            self.tokens = (figures.tokens - self.before.tokens).max(0.0) / seconds;
            (self.at, self.before) = (Instant::now(), figures.clone());
        }
    }
}

fn rows(seen: &Seen, rates: &Rates, block_time: Duration, figures: &Figures) -> Vec<String> {
    let session = match seen.session {
        Some((start, end)) => {
            let blocks = end.saturating_sub(seen.height);
            let left = block_time.as_secs_f64() * blocks as f64;
            format!("{start}..{end}, {blocks} blocks left, some {left:.0} s")
        }
        None => "none yet".to_owned(),
    };
    vec![
        format!("height    {}", seen.height),
        format!("session   {session}"),
        format!("price     {}", price(seen)),
        format!("relays    {:.0} ({:.1} a second)", figures.relays, rates.relays),
        format!("tokens    {:.0} ({:.1} a second)", figures.tokens, rates.tokens),
        format!("claims    {}, proofs {}, slashes {}", seen.claims, seen.proofs, seen.slashes),
        format!("audits    {}, of them passed {}", seen.audits, seen.passed),
        format!("payouts   {}, {} in all", seen.payouts, paid(seen)),
        "Ctrl-C stops the network; the next lode up goes on from there".to_owned(),
    ]
}

fn price(seen: &Seen) -> String {
    match &seen.price {
        Some((price, denom)) => format!("{price} {denom} for a million cu"),
        None => "none yet".to_owned(),
    }
}

fn paid(seen: &Seen) -> String {
    let sums: Vec<String> =
        seen.paid.iter().map(|(denom, amount)| format!("{amount} {denom}")).collect();
    if sums.is_empty() { "nothing".to_owned() } else { sums.join(", ") }
}

/// A line for people.
fn plain(line: &Line) -> Option<String> {
    Some(match line {
        Line::Ready { .. } | Line::Block { .. } => return None,
        Line::Session { session, start, end, price, suppliers, budget, .. } => format!(
            "session {session}: blocks {start}..{end}, price {price} {}, {} suppliers",
            budget.denom,
            suppliers.len()
        ),
        Line::Claim { session, supplier, cu, relays, .. } => {
            format!("claim of {supplier} in {session}: {cu} cu in {relays} relays")
        }
        Line::Proof { session, supplier, .. } => format!("proof of {supplier} in {session}"),
        Line::Payout { supplier, cost, supplier_share, reason, .. } if reason.is_empty() => {
            format!("payout: {cost}, of it {supplier_share}{} to {supplier}", cost.denom)
        }
        Line::Payout { supplier, cost, reason, .. } => {
            format!("payout to {supplier}: {cost} ({reason})")
        }
        Line::Audit { audit, supplier, session, .. } => {
            format!("audit {} of {supplier} in {session}", crate::print::short(audit))
        }
        Line::Verdict { audit, supplier, stage, identity, .. } => {
            format!("verdict {}: {supplier} {stage} ({identity})", crate::print::short(audit))
        }
        Line::Slash { supplier, amount, reason, .. } => {
            format!("slashed: {supplier} lost {amount} ({reason})")
        }
        Line::Restarted { role, reason } => format!("{role} is started again: {reason}"),
    })
}
