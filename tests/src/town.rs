//! A small market: a source, a service in each of two coins, suppliers, a gateway, an app.

use chain::Refused;
use chain::host::{Host, Party, Purse};
use chain::memory::MemoryHost;
use proto::claim::{ClaimRoot, Settled};
use proto::coins::{AllowedCoin, Value};
use proto::keys::RelaySecret;
use proto::leaf::{AckHead, AckProof, Leaf, Opening, drawn_point};
use proto::message::{self, AuditGenesis, Genesis, Message, Proof};
use proto::params::Params;
use proto::query::{self, Query};
use proto::relay::{
    Ack, AckEntry, Acked, Receipt, RelayRequest, Signable, Status, body_digest, link,
};
use proto::service::{Service, ServiceId};
use proto::session::Session;
use proto::supplier::{Backing, Escrow, Gateway, Offer, Standing, Supplier};
use proto::wire::Wire;
use proto::{
    Address, Amount, Coin, Cu, CuWeights, Denom, Digest, Height, Price, Time, Usage, seed,
};

pub const CHAIN: &str = "lode-sim";
pub const APP: Address = Address([1; 20]);
pub const GATEWAY: Address = Address([2; 20]);
pub const SOURCE: Address = Address([3; 20]);
pub const BUDGET: Amount = Amount(1_000_000);
pub const STAKE: Amount = Amount(10_000_000_000);

pub fn supplier(i: u8) -> Address {
    Address([100 + i; 20])
}

pub fn supplier_key(i: u8) -> RelaySecret {
    RelaySecret::from_bytes(&[100 + i; 32])
}

pub fn gateway_key() -> RelaySecret {
    RelaySecret::from_bytes(&[2; 32])
}

/// A market in memory, and what it must always hold.
pub struct Town {
    pub host: MemoryHost,
    /// All coins that there ever were, by their names.
    made: Vec<Coin>,
}

/// A coin that is not this chain's own.
pub fn dollar() -> Denom {
    Denom::new("ibc/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF").unwrap()
}

/// Five of stake weigh as much as two dollars.
pub const DOLLAR: Value = Value { stake: 5, units: 2 };

/// All coins of the market.
pub fn denoms() -> [Denom; 2] {
    [Denom::stake(), dollar()]
}

pub fn service() -> Service {
    Service {
        id: ServiceId::new("demo").unwrap(),
        source: SOURCE,
        model_hash: Digest([0; 32]),
        tokenizer_hash: Digest([0; 32]),
        template_hash: Digest([0; 32]),
        precision: "q8_0".into(),
        kernel_class: String::new(),
        context_max: 512,
        cu_weights: CuWeights { fresh_in: 1, cached_in: 1, out: 4 },
        price_start: Price(1_000_000),
        denom: Denom::stake(),
        identity_threshold: 0,
    }
}

/// The same model, priced in the other coin.
pub fn dollar_service() -> Service {
    Service { id: ServiceId::new("demo-usd").unwrap(), denom: dollar(), ..service() }
}

pub fn services() -> [Service; 2] {
    [service(), dollar_service()]
}

/// What a town of so many suppliers begins with.
pub fn genesis(suppliers: u8) -> Genesis {
    let offer = |service: Service| Offer {
        service: service.id,
        ask: Price(1_000_000),
        capacity: 1_000_000,
    };
    let all = Amount(1 << 40);
    let one = |i: u8| Supplier {
        operator: supplier(i),
        owner: supplier(i),
        stake: STAKE,
        relay_key: supplier_key(i).public(),
        endpoint: "http://box".into(),
        offers: services().map(offer).into(),
        payouts: vec![],
        standing: Standing::Bonded,
        until: Height(0),
    };
    // Every claim must be proven: no rogue is spared by luck.
    let mut params = Params::dev();
    params.proving.always_above = Amount(0);
    params.coins = vec![AllowedCoin { denom: dollar(), value: DOLLAR }];
    Genesis {
        authority: SOURCE,
        params,
        services: services().into(),
        suppliers: (0..suppliers).map(one).collect(),
        gateways: vec![Gateway {
            address: GATEWAY,
            stake: STAKE,
            relay_key: gateway_key().public(),
            exposure: Amount::ZERO,
            standing: Standing::Bonded,
            until: Height(0),
            backings: vec![Backing { denom: dollar(), amount: STAKE, exposure: Amount::ZERO }],
        }],
        escrow: denoms().map(|denom| Escrow { app: GATEWAY, denom, amount: all }).into(),
        delegations: vec![],
        audits: AuditGenesis::default(),
    }
}

impl Town {
    pub fn new(suppliers: u8) -> Town {
        Town::begin(suppliers, &genesis(suppliers), &[])
    }

    /// A town in which `rich` accounts have coins too.
    pub fn begin(suppliers: u8, genesis: &Genesis, rich: &[Address]) -> Town {
        let mut host = MemoryHost::new(CHAIN);
        let stakes = Amount(STAKE.0 * (u128::from(suppliers) + 1));
        host.mint(Party::Purse(Purse::Stake), &Coin::stake(stakes));
        host.mint(Party::Purse(Purse::Stake), &Coin::new(STAKE, dollar()));
        for denom in denoms() {
            let coin = Coin::new(Amount(1 << 40), denom);
            host.mint(Party::Purse(Purse::Escrow), &coin);
            for account in [APP, GATEWAY, SOURCE].iter().chain(rich) {
                host.mint(Party::Account(*account), &coin);
            }
        }
        chain::genesis(&mut host, genesis).unwrap();
        let made = denoms().map(|denom| Coin::new(host.ever_made(&denom), denom)).into();
        let mut town = Town { host, made };
        town.block(&[]);
        town
    }

    /// Makes a block with these messages; gives what became of each.
    pub fn block(&mut self, messages: &[Message]) -> Vec<Result<(), Refused>> {
        let outcomes = self.host.make_block(|host| {
            messages
                .iter()
                .map(|message| {
                    let before = host.state_hash();
                    let outcome = chain::execute(host, message).map(|_| ());
                    assert!(outcome.is_ok() || host.state_hash() == before, "a trace is left");
                    outcome
                })
                .collect()
        });
        self.check();
        outcomes
    }

    /// Makes a block with these messages without looking for traces of refused ones, which takes
    /// long in a long run.
    pub fn run(&mut self, messages: &[Message]) -> Vec<Result<(), Refused>> {
        let outcomes = self.host.make_block(|host| {
            messages.iter().map(|message| chain::execute(host, message).map(|_| ())).collect()
        });
        self.check();
        outcomes
    }

    /// Coins are conserved, each by itself; those of others are never burned; purses hold what
    /// records say they owe.
    fn check(&self) {
        for Coin { amount, denom } in &self.made {
            assert_eq!(self.host.ever_made(denom), *amount, "{denom} was made or lost");
        }
        assert_eq!(self.host.burned(&dollar()), Amount::ZERO, "another's coins were burned");
        let invariants = self.ask(&query::GetInvariants {}).unwrap();
        for invariant in invariants.invariants {
            let purse = Purse::ALL.into_iter().find(|p| p.name() == invariant.purse).unwrap();
            let held = self.host.balance(Party::Purse(purse), &invariant.denom);
            assert_eq!(held, invariant.owed, "{} at {}", invariant.purse, self.height());
        }
    }

    pub fn ask<Q: Query>(&self, question: &Q) -> Result<Q::Answer, Refused> {
        chain::query(&self.host, Q::PATH, &question.encode())
            .map(|bytes| Q::Answer::decode(&bytes).unwrap())
    }

    pub fn height(&self) -> Height {
        self.host.block().height
    }

    /// Makes empty blocks until the next one is at `height`.
    pub fn until(&mut self, height: Height) {
        while self.height().plus(1) < height {
            self.block(&[]);
        }
    }

    /// Opens a session for the gateway's own account.
    pub fn open(&mut self) -> Session {
        self.open_of(service().id).unwrap()
    }

    /// Opens a session of a service for the gateway's own account.
    pub fn open_of(&mut self, service: ServiceId) -> Result<Session, Refused> {
        let (gateway, app) = (GATEWAY, GATEWAY);
        let start = self.ask(&query::GetClock {})?.start;
        let id = Session::id_of(CHAIN, &service, &app, &gateway, start);
        let open = message::OpenSession { gateway, app, service, start, budget: BUDGET };
        self.block(&[open.into()]).remove(0)?;
        self.ask(&query::GetSession { id })
    }

    pub fn stake(&self, operator: Address) -> Amount {
        self.ask(&query::GetSupplier { operator: Some(operator) }).unwrap().stake
    }

    pub fn paid(&self, account: Address) -> Amount {
        self.held(Party::Account(account), &Denom::stake())
    }

    pub fn held(&self, party: Party, denom: &Denom) -> Amount {
        self.host.balance(party, denom)
    }

    /// Claims, proves where it is wished, and waits for the settlement.
    pub fn settle(
        &mut self,
        session: &Session,
        operator: Address,
        root: ClaimRoot,
        prove: impl FnOnce(&Town) -> Option<Vec<Opening>>,
    ) -> Settled {
        self.until(session.claim_window().start);
        let claims = message::SubmitClaims { operator, claims: vec![root] };
        self.block(&[claims.into()])[0].as_ref().unwrap();
        self.until(session.proof_window().start);
        if let Some(openings) = prove(self) {
            let proof = Proof { session_id: session.id, openings };
            let proofs = message::SubmitProofs { operator, proofs: vec![proof] };
            self.block(&[proofs.into()])[0].as_ref().unwrap();
        }
        self.until(session.settle_height().plus(1));
        self.ask(&query::GetSettled { session_id: session.id, operator: Some(operator) }).unwrap()
    }

    /// The seed that says which leaves of the session's claims must be shown.
    pub fn seed(&self, session: &Session) -> Digest {
        self.ask(&query::GetSeed { height: session.reveal_height() }).unwrap().seed
    }
}

/// One relay, with all parts that a rogue may want to change before they are signed.
#[derive(Clone)]
pub struct Draft {
    pub request: RelayRequest,
    pub receipt: Receipt,
    /// What the gateway acknowledges; none: nothing.
    pub acked: Option<Cu>,
}

/// An honest relay number `seq` of a supplier: 10 tokens read, `out` written.
pub fn draft(session: &Session, operator: Address, seq: u64, out: u64) -> Draft {
    let relay_id = seed::hash("relay", &[&operator.0, &seq.to_be_bytes()]);
    let usage = Usage { fresh_in: 10, cached_in: 0, out };
    let cu = session.terms.cu_weights.weigh(usage).unwrap();
    let request_digest = body_digest(b"{}");
    Draft {
        request: RelayRequest {
            chain_id: CHAIN.into(),
            session_id: session.id,
            supplier: operator,
            relay_id,
            seq,
            request_digest,
            max_cu: Cu(cu.0 + 100),
            issued_at: session.start.plus(1),
            acked: Acked::default(),
        },
        receipt: Receipt {
            session_id: session.id,
            relay_id,
            request_digest,
            response_root: Digest([0; 32]),
            chunk_count: 1,
            usage,
            cu,
            status: Status::Completed,
            started_at: Time(1),
            first_token_at: Time(2),
            finished_at: Time(3),
            evidence_root: Digest::default(),
        },
        acked: Some(cu),
    }
}

/// Signs a relay as gateway and supplier `i` would.
pub fn sign(draft: Draft, i: u8) -> Leaf {
    sign_with(draft, &supplier_key(i))
}

/// Signs a relay as the gateway and the supplier with this key would.
pub fn sign_with(draft: Draft, supplier: &RelaySecret) -> Leaf {
    let Draft { request, receipt, acked } = draft;
    let ack = acked.map(|cu| {
        let entry = AckEntry { relay_id: request.relay_id, cu };
        let before = Digest([7; 32]);
        let hash = link(&before, &entry);
        let acked = Acked { count: request.seq + 1, cu, floor: request.seq + 1, hash };
        let (chain_id, session_id) = (request.chain_id.clone(), request.session_id);
        let ack = Ack { chain_id, session_id, supplier: request.supplier, acked };
        AckProof { before, tail: vec![entry], head: AckHead::Ack(ack.sign(&gateway_key())) }
    });
    Leaf { request: request.sign(&gateway_key()), receipt: receipt.sign(supplier), ack }
}

/// A supplier's usage tree, and the leaves by their paths.
pub struct Tree {
    pub trie: smst::Trie,
    pub leaves: Vec<Leaf>,
}

impl Tree {
    pub fn of(leaves: Vec<Leaf>) -> Tree {
        let weighed = leaves.iter().map(|leaf| Tree::weighed(leaf, leaf.weight().0)).collect();
        Tree { trie: smst::Trie::build(weighed).unwrap(), leaves }
    }

    pub fn weighed(leaf: &Leaf, weight: u64) -> smst::Leaf {
        smst::Leaf { path: leaf.path().0, value_hash: leaf.value_hash().0, weight }
    }

    pub fn root(&self, session: &Session) -> ClaimRoot {
        let root = self.trie.root();
        ClaimRoot {
            session_id: session.id,
            root: Digest(root.digest),
            sum: Cu(root.sum),
            count: root.count,
            unacked_from: 0,
        }
    }

    /// The leaves that the seed asks for.
    pub fn openings(&self, session: &Session, operator: Address, seed: &Digest) -> Vec<Opening> {
        let sum = Cu(self.trie.root().sum);
        let shown = |i| {
            let point = drawn_point(seed, &session.id, &operator, i, sum);
            let (leaf, proof) = self.trie.prove_at(point).unwrap();
            let kept = self.leaves.iter().find(|kept| kept.path().0 == leaf.path).unwrap();
            Opening { leaf: kept.clone(), path: proof.encode() }
        };
        (0..session.terms.proving.draws).map(shown).collect()
    }
}

/// The number of the supplier in the session's first seat.
pub fn first_seat(session: &Session) -> (u8, Address) {
    let operator = session.seats[0].operator;
    (operator.0[0] - 100, operator)
}
