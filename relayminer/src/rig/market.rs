//! The real market in memory: what a relay miner sends is judged by the chain's own code.

use super::{CHAIN, Gateway, HELPER, OPERATOR, OWNER, params, relay_secret, service};
use crate::market::{Market, NoAnswer, NotSent};
use async_trait::async_trait;
use chain::host::{Party, Purse, Validator};
use chain::memory::MemoryHost;
use futures::stream::BoxStream;
use proto::audit::case::{Case, Docket};
use proto::claim::{Claim, Settled};
use proto::message::{AuditGenesis, BondAuditor, Genesis, Message, OpenSession};
use proto::query::{
    Clock, GetAudit, GetClaim, GetClock, GetDocket, GetSeed, GetSession, GetSettled, GetSupplier,
    Query,
};
use proto::session::Session;
use proto::supplier::{Delegation, Escrow, Offer, PayoutShare, Standing, Supplier};
use proto::vrf::VrfPublic;
use proto::wire::Wire;
use proto::{Address, Amount, Coin, Denom, Digest, Height, Ppm, Price};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

const STAKE: Amount = Amount(2_000_000_000);
const ESCROW: Amount = Amount(1_000_000_000);
pub(crate) const BUDGET: Amount = Amount(10_000);

pub(crate) struct Town {
    host: Mutex<MemoryHost>,
    heights: watch::Sender<Height>,
    /// How many messages to lose before one gets through.
    pub(crate) lose: Mutex<usize>,
    /// How many messages came, lost ones included.
    pub(crate) sent: watch::Sender<usize>,
    /// How often a session was asked for.
    pub(crate) asked: Mutex<usize>,
}

impl Town {
    /// A market at height 1, with one session open.
    pub(crate) fn with_session() -> (Arc<Town>, Session) {
        let mut host = MemoryHost::new(CHAIN);
        for (purse, amount) in [(Purse::Stake, Amount(STAKE.0 * 2)), (Purse::Escrow, ESCROW)] {
            host.mint(Party::Purse(purse), &Coin::stake(amount));
        }
        chain::genesis(&mut host, &genesis()).unwrap();
        let town = Arc::new(Town {
            host: Mutex::new(host),
            heights: watch::Sender::new(Height(0)),
            lose: Mutex::default(),
            sent: watch::Sender::new(0),
            asked: Mutex::default(),
        });
        let session = town.open(1);
        (town, session)
    }

    /// Opens the session that begins at `start`.
    pub(crate) fn open(&self, start: u64) -> Session {
        self.grow(start - 1);
        let (app, gateway) = (Address([1; 20]), Address([2; 20]));
        let service = service().id;
        let id = Session::id_of(CHAIN, &service, &app, &gateway, Height(start));
        let open = OpenSession { gateway, app, service, start: Height(start), budget: BUDGET };
        self.execute(&[Message::OpenSession(open)]).unwrap();
        self.ask(&GetSession { id }).unwrap()
    }

    /// Bonds the only auditor, who makes blocks with the key `vrf_key`.
    pub(crate) fn bond(&self, auditor: Address, vrf_key: VrfPublic) {
        let add = Coin::stake(params().audits.bond_min);
        let mut host = self.host.lock().unwrap();
        host.mint(Party::Account(auditor), &add);
        let validator = Validator { operator: auditor, power: 1, vrf_key: Some(vrf_key) };
        host.set_validators(vec![validator]);
        drop(host);
        self.execute(&[Message::BondAuditor(BondAuditor { auditor, add })]).unwrap();
    }

    pub(crate) fn height(&self) -> Height {
        *self.heights.borrow()
    }

    /// Makes blocks up to `height`.
    pub(crate) fn grow(&self, height: u64) {
        while self.height() < Height(height) {
            self.execute(&[]).unwrap();
        }
    }

    pub(crate) fn ask<Q: Query>(&self, query: &Q) -> Option<Q::Answer> {
        let answer = chain::query(&*self.host.lock().unwrap(), Q::PATH, &query.encode());
        answer.ok().map(|bytes| Q::Answer::decode(&bytes).unwrap())
    }

    pub(crate) fn claim_of(&self, session: &Session) -> Option<Claim> {
        self.ask(&GetClaim { session_id: session.id, operator: Some(OPERATOR) })
    }

    pub(crate) fn settled_of(&self, session: &Session) -> Option<Settled> {
        self.ask(&GetSettled { session_id: session.id, operator: Some(OPERATOR) })
    }

    pub(crate) fn balance(&self, of: Address) -> Amount {
        self.host.lock().unwrap().balance(Party::Account(of), &Denom::stake())
    }

    /// Makes a block with these messages.
    fn execute(&self, messages: &[Message]) -> Result<Height, String> {
        let mut host = self.host.lock().unwrap();
        let done = host.make_block(|host| {
            let each = |message| chain::execute(host, message).map(drop);
            messages.iter().try_for_each(each).map_err(|refused| refused.to_string())
        });
        let height = chain::Host::block(&*host).height;
        drop(host);
        self.heights.send_replace(height);
        done.map(|()| height)
    }
}

fn genesis() -> Genesis {
    let (app, gateway) = (Address([1; 20]), Address([2; 20]));
    let share = |to, share| PayoutShare { to, share: Ppm(share) };
    Genesis {
        authority: Address([99; 20]),
        params: params(),
        services: vec![service()],
        suppliers: vec![Supplier {
            operator: OPERATOR,
            owner: OWNER,
            stake: STAKE,
            relay_key: relay_secret().public(),
            endpoint: "http://127.0.0.1:9000".into(),
            offers: vec![Offer { service: service().id, ask: Price(500_000), capacity: 1_000_000 }],
            payouts: vec![share(OWNER, 900_000), share(HELPER, 100_000)],
            standing: Standing::Bonded,
            until: Height(0),
        }],
        gateways: vec![proto::supplier::Gateway {
            address: gateway,
            stake: STAKE,
            relay_key: Gateway::secret().public(),
            exposure: Amount(0),
            standing: Standing::Bonded,
            until: Height(0),
            backings: vec![],
        }],
        escrow: vec![Escrow { app, denom: Denom::stake(), amount: ESCROW }],
        delegations: vec![Delegation {
            app,
            gateway,
            denom: Denom::stake(),
            limit: ESCROW,
            expires: Height(1_000_000),
        }],
        audits: AuditGenesis::default(),
    }
}

#[async_trait]
impl Market for Town {
    fn chain_id(&self) -> String {
        CHAIN.into()
    }

    fn heights(&self) -> watch::Receiver<Height> {
        self.heights.subscribe()
    }

    fn opened(&self) -> BoxStream<'static, Digest> {
        Box::pin(futures::stream::pending())
    }

    async fn session(&self, id: Digest) -> Result<Option<Session>, NoAnswer> {
        *self.asked.lock().unwrap() += 1;
        Ok(self.ask(&GetSession { id }))
    }

    async fn claim(&self, id: Digest, operator: Address) -> Result<Option<Claim>, NoAnswer> {
        Ok(self.ask(&GetClaim { session_id: id, operator: Some(operator) }))
    }

    async fn seed(&self, height: Height) -> Result<Digest, NoAnswer> {
        let answer = self.ask(&GetSeed { height });
        answer.map(|answer| answer.seed).ok_or(NoAnswer(format!("no seed of {height}")))
    }

    async fn settled(&self, id: Digest, operator: Address) -> Result<Option<Settled>, NoAnswer> {
        Ok(self.ask(&GetSettled { session_id: id, operator: Some(operator) }))
    }

    async fn audit(&self, id: Digest) -> Result<Option<Case>, NoAnswer> {
        Ok(self.ask(&GetAudit { id }))
    }

    async fn docket(&self, start: Height) -> Result<Option<Docket>, NoAnswer> {
        Ok(self.ask(&GetDocket { start }))
    }

    async fn supplier(&self, operator: Address) -> Result<Option<Supplier>, NoAnswer> {
        Ok(self.ask(&GetSupplier { operator: Some(operator) }))
    }

    async fn clock(&self) -> Result<Clock, NoAnswer> {
        self.ask(&GetClock {}).ok_or(NoAnswer("no clock".to_owned()))
    }

    async fn send(&self, messages: Vec<Message>) -> Result<Height, NotSent> {
        let lost = {
            let mut lose = self.lose.lock().unwrap();
            let lost = *lose > 0;
            *lose = lose.saturating_sub(1);
            lost
        };
        let done = if lost {
            Err(NotSent::Later("it is lost".into()))
        } else {
            self.execute(&messages).map_err(NotSent::Refused)
        };
        self.sent.send_modify(|sent| *sent += 1);
        done
    }
}
