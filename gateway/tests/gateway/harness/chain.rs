//! A chain in memory: sessions are opened as the market opens them, with all suppliers in each.

use super::{CHAIN_ID, MODEL, gateway_key};
use async_trait::async_trait;
use gateway::chain::{Chain, ChainError};
use meter::Meter;
use proto::claim::{ClaimRoot, Settled};
use proto::coins::Value;
use proto::message::OpenSession;
use proto::params::Params;
use proto::price::State as PriceState;
use proto::query::{App, Clock};
use proto::service::{Service, ServiceId};
use proto::session::{Seat, Session, Terms, start_of};
use proto::supplier::{Escrow, Gateway, Standing};
use proto::{Address, Amount, CuWeights, Denom, Digest, Height, Price};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use tokio::sync::watch;

pub struct FakeChain {
    heights: watch::Sender<Height>,
    service: Service,
    state: Mutex<State>,
}

pub struct State {
    pub params: Params,
    pub price: Price,
    pub escrow: Amount,
    pub stake: Amount,
    pub seats: Vec<Seat>,
    pub sessions: BTreeMap<Digest, Session>,
    pub claims: BTreeMap<(Digest, Address), ClaimRoot>,
    pub settled: BTreeMap<(Digest, Address), Settled>,
    /// Why sessions cannot be opened.
    pub refuses: Option<String>,
}

pub const ACCOUNT: Address = Address([7; 20]);

impl FakeChain {
    pub fn new(model: &Path) -> FakeChain {
        let meter = Meter::load(model).unwrap();
        let service = Service {
            id: ServiceId::new(MODEL).unwrap(),
            source: Address([8; 20]),
            model_hash: Digest([1; 32]),
            tokenizer_hash: meter.tokenizer_hash(),
            template_hash: meter.template_hash(),
            precision: "q8".into(),
            kernel_class: "cpu".into(),
            context_max: 1000,
            cu_weights: CuWeights { fresh_in: 1, cached_in: 1, out: 4 },
            price_start: Price(1_000_000),
            denom: Denom::stake(),
            identity_threshold: 0,
        };
        let state = State {
            params: Params { inflight_max: 256, ..Params::dev() },
            price: Price(1_000_000),
            escrow: Amount(1_000_000_000),
            stake: Amount(1_000_000_000_000),
            seats: Vec::new(),
            sessions: BTreeMap::new(),
            claims: BTreeMap::new(),
            settled: BTreeMap::new(),
            refuses: None,
        };
        let heights = watch::Sender::new(Height(2));
        FakeChain { heights, service, state: Mutex::new(state) }
    }

    pub fn seat(&self, seat: Seat) {
        self.change(|state| state.seats.push(seat));
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap())
    }

    pub fn height(&self) -> Height {
        *self.heights.borrow()
    }

    /// Blocks go by until `height`.
    pub fn advance_to(&self, height: Height) {
        while self.height() < height {
            self.heights.send_modify(|height| height.0 += 1);
        }
    }

    pub fn find(&self, id: &Digest) -> Option<Session> {
        self.change(|state| state.sessions.get(id).cloned())
    }

    /// The sessions that were opened, oldest first.
    pub fn sessions(&self) -> Vec<Session> {
        let mut all: Vec<_> = self.change(|state| state.sessions.values().cloned().collect());
        all.sort_by_key(|session| session.start);
        all
    }
}

#[async_trait]
impl Chain for FakeChain {
    fn chain_id(&self) -> &str {
        CHAIN_ID
    }

    fn account(&self) -> Address {
        ACCOUNT
    }

    fn heights(&self) -> watch::Receiver<Height> {
        self.heights.subscribe()
    }

    async fn clock(&self) -> Result<Clock, ChainError> {
        let length = self.change(|state| state.params.session_length);
        let (height, start) = (self.height(), start_of(self.height(), length));
        Ok(Clock { height, start, next_start: start.plus(length) })
    }

    async fn params(&self) -> Result<Params, ChainError> {
        Ok(self.change(|state| state.params.clone()))
    }

    async fn services(&self) -> Result<Vec<Service>, ChainError> {
        Ok(vec![self.service.clone()])
    }

    async fn price(&self, _: &ServiceId) -> Result<Option<PriceState>, ChainError> {
        Ok(None)
    }

    async fn staked(&self) -> Result<Option<Gateway>, ChainError> {
        Ok(Some(Gateway {
            address: ACCOUNT,
            stake: self.change(|state| state.stake),
            relay_key: gateway_key().public(),
            exposure: Amount(0),
            standing: Standing::Bonded,
            until: Height(0),
            backings: Vec::new(),
        }))
    }

    async fn app(&self, app: Address) -> Result<Option<App>, ChainError> {
        let amount = self.change(|state| state.escrow);
        let escrow = vec![Escrow { app, denom: Denom::stake(), amount }];
        Ok(Some(App { escrow, ..App::default() }))
    }

    async fn session(&self, id: Digest) -> Result<Option<Session>, ChainError> {
        Ok(self.find(&id))
    }

    async fn claim(&self, id: Digest, operator: Address) -> Result<Option<ClaimRoot>, ChainError> {
        Ok(self.change(|state| state.claims.get(&(id, operator)).copied()))
    }

    async fn settled(&self, id: Digest, operator: Address) -> Result<Option<Settled>, ChainError> {
        Ok(self.change(|state| state.settled.get(&(id, operator)).cloned()))
    }

    async fn open_session(&self, open: OpenSession) -> Result<(), ChainError> {
        let running = self.clock().await?.start;
        self.change(|state| {
            if let Some(reason) = &state.refuses {
                return Err(ChainError::Refused(reason.clone()));
            }
            if open.start != running {
                return Err(ChainError::Refused("the session is over".into()));
            }
            if state.seats.is_empty() {
                return Err(ChainError::Refused("no supplier is eligible".into()));
            }
            let left = state.escrow.checked_sub(open.budget);
            state.escrow = left.ok_or_else(|| ChainError::Refused("no escrow".into()))?;
            let id = Session::id_of(CHAIN_ID, &open.service, &open.app, &open.gateway, open.start);
            let session = Session {
                id,
                service: open.service.clone(),
                app: open.app,
                gateway: open.gateway,
                gateway_key: gateway_key().public(),
                start: open.start,
                end: open.start.plus(state.params.session_length),
                budget: open.budget,
                seats: state.seats.clone(),
                terms: Terms::of(&self.service, &state.params, state.price, Value::PAR),
            };
            state.sessions.insert(id, session);
            Ok(())
        })
    }
}
