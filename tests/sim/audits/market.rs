//! A town whose every final claim is audited, by validators with habits.

use chain::host::Validator;
use proto::audit::case::{Case, Docket};
use proto::audit::committee::{Power, sits};
use proto::audit::{Identity, Quality, Round, Verdict};
use proto::message::{
    BondAuditor, CommitVerdicts, Commitment, Message, OpenSession, Proof, RevealVerdicts, Revealed,
    SubmitClaims, SubmitProofs,
};
use proto::query::{GetAuditor, GetClock, GetDocket, GetSession, ListAudits};
use proto::session::Session;
use proto::vrf::{VrfOutput, VrfProof, VrfSecret};
use proto::{Address, Amount, Coin, Digest, Height, Ppm, seed};
use strategies::dice::Dice;
use tests::town::{BUDGET, CHAIN, GATEWAY, Town, Tree, draft, genesis, service, sign, supplier};

pub const BOND: Amount = Amount(200_000_000);

/// What a supplier does to its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    Honest,
    /// Serves another model in so many of 100 answers.
    Cheat(u64),
    /// Is honest for so many sessions, and then never again.
    HonestUntil(u64),
    /// Gives out no transcript.
    Withholds,
    /// Cheats in so many of 100 answers, and gives out no transcript of these.
    Hides(u64),
}

/// How an auditor works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    Honest,
    /// Says the same good thing of everything, and looks at nothing.
    Constant,
    AlwaysZero,
    AlwaysOne,
    Guesses,
    /// Commits to what another one committed to.
    Copies,
    /// Lies about one supplier, with its friends.
    Colludes,
    /// Commits and shows its ticket, but no verdict.
    Hides,
    /// Takes every other seat.
    Skips,
    /// Shows no ticket, ever.
    Silent,
}

pub fn auditor(i: usize) -> Address {
    Address([30 + i as u8; 20])
}

fn vrf(i: usize) -> VrfSecret {
    VrfSecret::from_bytes(&[30 + i as u8; 32])
}

/// The salt of an auditor's commitment.
fn salt(i: usize, audit: &Digest) -> Digest {
    seed::hash("salt", &[&[i as u8], &audit.0])
}

/// Whom colluders lie about.
pub const VICTIM: u8 = 0;

pub struct Market {
    pub town: Town,
    natures: Vec<Nature>,
    pub habits: Vec<Habit>,
    dice: Dice,
    sessions: Vec<(Session, Vec<(Address, Tree)>)>,
    opened: u64,
}

impl Market {
    pub fn new(seed: u64, natures: &[Nature], habits: &[Habit]) -> Market {
        let count = natures.len() as u8;
        let mut genesis = genesis(count);
        genesis.services[0].identity_threshold = 1;
        let audits = &mut genesis.params.audits;
        (audits.rate, audits.fee) = (Ppm::ONE, Amount(2_000));
        audits.ringers = vec![GATEWAY];
        genesis.params.check().unwrap();
        let rich: Vec<Address> = (0..habits.len()).map(auditor).collect();
        let mut town = Town::begin(count, &genesis, &rich);
        let makes_blocks = |i: usize| Validator {
            operator: auditor(i),
            power: 10,
            vrf_key: Some(vrf(i).public()),
        };
        town.host.set_validators((0..habits.len()).map(makes_blocks).collect());
        let bond = |i| BondAuditor { auditor: auditor(i), add: Coin::stake(BOND) }.into();
        let bonds: Vec<Message> = (0..habits.len()).map(bond).collect();
        town.run(&bonds).into_iter().for_each(|bonded| bonded.unwrap());
        Market {
            town,
            natures: natures.to_vec(),
            habits: habits.to_vec(),
            dice: Dice(seed),
            sessions: Vec::new(),
            opened: 0,
        }
    }

    /// Opens so many sessions, one after the other, and waits until all are settled.
    pub fn play(&mut self, sessions: u64) {
        self.play_with(sessions, |_, _| Vec::new());
    }

    /// Plays with more messages in each block: `more` is asked with its height.
    pub fn play_with(
        &mut self,
        sessions: u64,
        mut more: impl FnMut(&Market, Height) -> Vec<Message>,
    ) {
        let goal = self.opened + sessions;
        while self.opened < goal || !self.sessions.is_empty() {
            let clock = self.town.ask(&GetClock {}).unwrap();
            let next = clock.height.plus(1);
            let mut messages = self.serve(next);
            messages.extend(self.audit(next));
            messages.extend(more(self, next));
            let opens = (next == clock.next_start && self.opened < goal).then_some(next);
            messages.extend(opens.map(open));
            self.town.run(&messages);
            opens.into_iter().for_each(|start| self.enter(start));
            self.sessions.retain(|(session, _)| session.settle_height() > next);
        }
    }

    /// Sessions that are not settled.
    pub fn running(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().map(|(session, _)| session)
    }

    fn enter(&mut self, start: Height) {
        self.opened += 1;
        let id = Session::id_of(CHAIN, &service().id, &GATEWAY, &GATEWAY, start);
        let Ok(session) = self.town.ask(&GetSession { id }) else { return };
        let tree = |operator: Address| {
            let relay = draft(&session, operator, 0, 49_997);
            (operator, Tree::of(vec![sign(relay, operator.0[0] - 100)]))
        };
        let trees = session.seats.iter().map(|seat| tree(seat.operator)).collect();
        self.sessions.push((session, trees));
    }

    /// What suppliers send in the block at `next`.
    fn serve(&self, next: Height) -> Vec<Message> {
        let mut messages = Vec::new();
        for (session, trees) in &self.sessions {
            for (operator, tree) in trees {
                let operator = *operator;
                if next == session.claim_window().start {
                    let claims = vec![tree.root(session)];
                    messages.push(SubmitClaims { operator, claims }.into());
                }
                if next == session.proof_window().start {
                    let openings = tree.openings(session, operator, &self.town.seed(session));
                    let proofs = vec![Proof { session_id: session.id, openings }];
                    messages.push(SubmitProofs { operator, proofs }.into());
                }
            }
        }
        messages
    }

    /// What auditors send in the block at `next`.
    fn audit(&mut self, next: Height) -> Vec<Message> {
        let mut messages = Vec::new();
        let starts: Vec<Height> = self.sessions.iter().map(|(session, _)| session.start).collect();
        for start in starts {
            let Ok(docket) = self.town.ask(&GetDocket { start }) else { continue };
            let schedule = docket.schedule();
            // The seed of a round is seen when its first block is made.
            let acts = [
                (Round::First, true, schedule.commit.start.plus(1)),
                (Round::First, false, schedule.reveal.start),
                (Round::Second, true, schedule.commit_again.start.plus(1)),
                (Round::Second, false, schedule.reveal_again.start),
            ];
            for (round, commits, _) in acts.into_iter().filter(|(_, _, at)| *at == next) {
                let cases = self.open_cases(start, round);
                for i in 0..self.habits.len() {
                    messages.extend(self.act(i, &docket, round, commits, &cases));
                }
            }
        }
        messages
    }

    pub fn cases(&self, start: Height) -> Vec<Case> {
        self.town.ask(&ListAudits { start, ..ListAudits::default() }).unwrap().audits
    }

    fn open_cases(&self, start: Height, round: Round) -> Vec<Case> {
        let cases = self.cases(start).into_iter();
        cases.filter(|case| case.stage.round() == Some(round)).collect()
    }

    fn act(
        &mut self,
        i: usize,
        docket: &Docket,
        round: Round,
        commits: bool,
        cases: &[Case],
    ) -> Option<Message> {
        let (output, ticket) = self.ticket(i, docket, round);
        let power = Power { own: docket.member(&auditor(i))?.power, total: docket.power() };
        let size = docket.params.size(round);
        let seated = |case: &&Case| sits(&output, &case.audit.id, round, power, size);
        let seats: Vec<Case> = cases.iter().filter(seated).cloned().collect();
        let spoken: Vec<(Digest, Verdict)> =
            seats.iter().filter_map(|case| Some((case.audit.id, self.says(i, case)?))).collect();
        match commits {
            true => self.commit(i, round, &spoken),
            false => self.reveal(i, docket, ticket, &spoken),
        }
    }

    fn ticket(&self, i: usize, docket: &Docket, round: Round) -> (VrfOutput, VrfProof) {
        vrf(i).prove(&docket.ticket_input(round).unwrap().0)
    }

    fn commit(&self, i: usize, round: Round, spoken: &[(Digest, Verdict)]) -> Option<Message> {
        if self.habits[i] == Habit::Silent || spoken.is_empty() {
            return None;
        }
        // A copier takes what the first auditor would commit to.
        let whose = if self.habits[i] == Habit::Copies { 0 } else { i };
        let one = |(audit, verdict): &(Digest, Verdict)| Commitment {
            audit_id: *audit,
            digest: verdict.commitment(&salt(whose, audit), &auditor(whose), audit),
        };
        let commitments = spoken.iter().map(one).collect();
        Some(CommitVerdicts { auditor: auditor(i), round, commitments }.into())
    }

    fn reveal(
        &self,
        i: usize,
        docket: &Docket,
        ticket: VrfProof,
        spoken: &[(Digest, Verdict)],
    ) -> Option<Message> {
        let one = |(audit, verdict): &(Digest, Verdict)| Revealed {
            audit_id: *audit,
            salt: salt(if self.habits[i] == Habit::Copies { 0 } else { i }, audit),
            verdict: *verdict,
        };
        let verdicts = match self.habits[i] {
            Habit::Silent => return None,
            Habit::Hides => Vec::new(),
            _ => spoken.iter().map(one).collect(),
        };
        Some(RevealVerdicts { auditor: auditor(i), start: docket.start, ticket, verdicts }.into())
    }

    /// What is to be found, as anybody sees it who looks.
    fn truth(&self, case: &Case) -> Verdict {
        let i = case.audit.operator.0[0] - 100;
        let part = |name: &str, of: u64| seed::below(&seed::hash(name, &[&case.audit.id.0]), of);
        let cheats = match self.natures[usize::from(i)] {
            Nature::Honest => 0,
            Nature::Cheat(part) => part,
            Nature::HonestUntil(sessions) => {
                if case.start.0 / 10 < sessions {
                    0
                } else {
                    100
                }
            }
            Nature::Withholds => 100,
            Nature::Hides(part) => part,
        };
        let cheated = part("cheated", 100) < cheats;
        let hides = matches!(self.natures[usize::from(i)], Nature::Withholds | Nature::Hides(_));
        if cheated && hides {
            return Verdict { identity: Identity::Withheld, quality: None };
        }
        // A cheat is seen in 85 % of cases; within a kernel class an honest answer never looks wrong.
        let failed = cheated && part("failed", 1_000) < 850;
        let identity = if failed { Identity::Differs } else { Identity::Same };
        verdict(identity, if cheated { 500 } else { 850 + part("quality", 100) as u32 })
    }

    /// What an auditor says; none where it skips.
    fn says(&self, i: usize, case: &Case) -> Option<Verdict> {
        let id = &case.audit.id;
        let own = |name: &str, of: u64| {
            seed::below(&seed::hash(name, &[&id.0, &[i as u8], &self.dice.0.to_be_bytes()]), of)
        };
        let seen = self.truth(case);
        // Two that look at the same answer score it a little differently.
        let blurred = Verdict {
            quality: seen.quality.map(|q| {
                let score = u32::from(q.thousandths()) + own("blur", 80) as u32 - 40;
                Quality::new(score.min(1_000)).unwrap()
            }),
            ..seen
        };
        Some(match self.habits[i] {
            Habit::Honest | Habit::Hides | Habit::Silent | Habit::Copies => blurred,
            Habit::Constant => verdict(Identity::Same, 900),
            Habit::AlwaysZero => verdict(Identity::Differs, 0),
            Habit::AlwaysOne => verdict(Identity::Same, 1_000),
            Habit::Guesses => {
                let differs = own("identity", 2) == 0;
                let identity = if differs { Identity::Differs } else { Identity::Same };
                verdict(identity, own("guess", 1_001) as u32)
            }
            Habit::Colludes if case.audit.operator == supplier(VICTIM) => {
                verdict(Identity::Differs, 100)
            }
            Habit::Colludes => blurred,
            Habit::Skips if own("skip", 2) == 0 => return None,
            Habit::Skips => blurred,
        })
    }

    /// What an auditor earned less what it lost.
    pub fn net(&self, i: usize) -> i128 {
        let kept = self.town.ask(&GetAuditor { address: Some(auditor(i)) }).unwrap();
        kept.earned.0 as i128 - kept.lost.0 as i128
    }

    pub fn lost(&self, i: usize) -> Amount {
        self.town.ask(&GetAuditor { address: Some(auditor(i)) }).unwrap().lost
    }
}

pub fn verdict(identity: Identity, quality: u32) -> Verdict {
    Verdict { identity, quality: Some(Quality::new(quality).unwrap()) }
}

fn open(start: Height) -> Message {
    let (gateway, app, service) = (GATEWAY, GATEWAY, service().id);
    OpenSession { gateway, app, service, start, budget: BUDGET }.into()
}
