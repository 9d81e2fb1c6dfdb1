//! The audits of what the honest supplier claimed: two leaves, one auditor, a ringer.

use crate::cast::{Account, GATEWAY, HONEST, OWNER, ROGUE, VALIDATOR};
use crate::recorder::{BEACON, Recorder};
use proto::audit::case::{Case, Docket, planted};
use proto::audit::{Audited, Identity, Quality, Round, Verdict, probe};
use proto::message::{
    BondAuditor, ChooseAudit, CommitVerdicts, Commitment, Message, OpenProbe, OpenRinger,
    PlantProbe, PlantRinger, ProveOvercount, RevealVerdicts, Revealed, UnbondAuditor,
};
use proto::query::{GetDocket, ListAudits};
use proto::relay::Signable;
use proto::session::Session;
use proto::vrf::VrfSecret;
use proto::{Address, Amount, Coin, Cu, Digest, Height};
use tests::town::{draft, supplier_key};

const SALT: Digest = Digest([5; 32]);

/// What the ringer says of its relay: it was answered by another model.
const BAD: Verdict = Verdict { identity: Identity::Differs, quality: None };

pub fn bond(who: Account) -> Message {
    let add = Coin::stake(Amount(200_000_000));
    BondAuditor { auditor: who.address(), add }.into()
}

pub fn unbond(who: Account) -> Message {
    UnbondAuditor { auditor: who.address() }.into()
}

/// Ringers that are planted in a session before anybody can know what is audited.
pub fn plant(session: &Session) -> [Message; 2] {
    let of = |who: Account| {
        let operator = who.address();
        let commitment = planted(&SALT, &operator, &HONEST.address(), &session.id, &BAD);
        PlantRinger { operator, commitment }.into()
    };
    [of(OWNER), of(ROGUE)]
}

fn says(identity: Identity, quality: u32) -> Verdict {
    Verdict { identity, quality: Some(Quality::new(quality).unwrap()) }
}

fn commit(who: Account, round: Round, verdicts: &[(Digest, Verdict)]) -> Message {
    let auditor = who.address();
    let commitment = |(audit, verdict): &(Digest, Verdict)| {
        let digest = verdict.commitment(&SALT, &auditor, audit);
        Commitment { audit_id: *audit, digest }
    };
    let commitments = verdicts.iter().map(commitment).collect();
    CommitVerdicts { auditor, round, commitments }.into()
}

fn reveal(who: Account, docket: &Docket, round: Round, verdicts: &[(Digest, Verdict)]) -> Message {
    let input = docket.ticket_input(round).unwrap();
    let (_, ticket) = VrfSecret::from_bytes(&BEACON).prove(&input.0);
    let revealed = |(audit, verdict): &(Digest, Verdict)| Revealed {
        audit_id: *audit,
        salt: SALT,
        verdict: *verdict,
    };
    let verdicts = verdicts.iter().map(revealed).collect();
    RevealVerdicts { auditor: who.address(), start: docket.start, ticket, verdicts }.into()
}

fn open(who: Account, case: &Case) -> Message {
    let (operator, audit_id) = (who.address(), case.audit.id);
    OpenRinger { operator, audit_id, salt: SALT, expected: BAD }.into()
}

/// A receipt that the honest supplier never gave out, and one that it does: an accusation needs one
/// that cannot be.
fn accuse(session: &Session) -> [Message; 2] {
    let of = |billed: u64| {
        let mut receipt = draft(session, HONEST.address(), 0, 5).receipt;
        receipt.cu = Cu(receipt.cu.0 + billed);
        let (accuser, operator, session_id) = (ROGUE.address(), HONEST.address(), session.id);
        let receipt = Some(receipt.sign(&supplier_key(HONEST.number())));
        ProveOvercount { accuser, session_id, operator, receipt, opening: None }.into()
    };
    [of(0), of(1)]
}

/// What the gateway chooses of its own traffic, before its session begins, and what it cannot.
pub fn choose() -> [Message; 2] {
    let choice = |app: Address, audited| ChooseAudit { app, audited }.into();
    [choice(GATEWAY.address(), Audited::Probes), choice(ROGUE.address(), Audited::Unchosen)]
}

/// Probes: the gateway's sessions are one.
pub fn plant_probes(start: Height) -> [Message; 2] {
    [OWNER, ROGUE].map(|who| {
        let operator = who.address();
        let commitment = probe::commitment(&SALT, &operator, &GATEWAY.address(), start);
        PlantProbe { operator, commitment }.into()
    })
}

fn open_probes(start: Height) -> [Message; 2] {
    [OWNER, ROGUE].map(|who| {
        let app = GATEWAY.address();
        OpenProbe { operator: who.address(), salt: SALT, app, start }.into()
    })
}

/// Both rounds: one audit passes at once, the other one's transcript is said to be withheld. In between
/// somebody shows a bill that cannot be, of another session.
pub fn audit(run: &mut Recorder, session: &Session, billed: &Session) {
    let window = session.audit_window();
    run.until(window.start);
    run.block(&open_probes(session.start));
    let docket = run.ask(&GetDocket { start: session.start });
    let cases = cases(run, session.start);
    let quiet = Verdict { identity: Identity::Withheld, quality: None };
    let first = [(cases[0].audit.id, says(Identity::Same, 900)), (cases[1].audit.id, quiet)];
    run.block(&[
        commit(VALIDATOR, Round::First, &first),
        commit(ROGUE, Round::First, &first),
        reveal(VALIDATOR, &docket, Round::First, &first),
    ]);
    let schedule = docket.schedule();
    run.until(schedule.reveal.start);
    run.block(&[
        reveal(ROGUE, &docket, Round::First, &first),
        reveal(VALIDATOR, &docket, Round::First, &first),
        reveal(VALIDATOR, &docket, Round::First, &first),
    ]);
    run.until(schedule.commit_again.start);
    let second = [(cases[1].audit.id, says(Identity::Same, 700))];
    run.block(&[commit(VALIDATOR, Round::Second, &second)]);
    run.block(&accuse(billed));
    run.until(schedule.reveal_again.start);
    let docket = run.ask(&GetDocket { start: session.start });
    run.block(&[reveal(VALIDATOR, &docket, Round::Second, &second)]);
    run.until(window.end);
    let ringer = cases.iter().find(|case| case.audit.session_id == session.id).unwrap();
    run.block(&[open(ROGUE, ringer), open(OWNER, ringer), open(OWNER, ringer)]);
}

fn cases(run: &Recorder, start: Height) -> Vec<Case> {
    run.ask(&ListAudits { start, ..ListAudits::default() }).audits
}
