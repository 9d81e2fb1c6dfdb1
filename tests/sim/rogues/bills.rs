//! Suppliers whose bills cannot be: anybody shows them, and no tokenizer is needed.

use chain::Refused;
use proto::claim::{Phase, Settled};
use proto::leaf::Opening;
use proto::message::ProveOvercount;
use proto::query::{GetSettled, GetSupplier};
use proto::relay::{Receipt, Signable, Signed, Status};
use proto::session::Session;
use proto::supplier::Standing;
use proto::{Address, Amount, Cu, Digest, Ppm, Usage};
use tests::town::{
    APP, BUDGET, Draft, STAKE, Town, Tree, draft, first_seat, genesis, sign, supplier_key,
};

/// A session in which the first seat claims four relays, some of them changed before they were signed,
/// in its audit window. One claim in a thousand must be proven, so it is spared.
struct Case {
    town: Town,
    session: Session,
    i: u8,
    operator: Address,
    tree: Tree,
}

impl Case {
    fn new(change: impl Fn(u64, &mut Draft)) -> Case {
        let mut genesis = genesis(3);
        genesis.params.proving.always_above = BUDGET;
        genesis.params.proving.rate = Ppm(1_000);
        genesis.params.proving.penalty_rate = Ppm(u32::MAX);
        let mut town = Town::begin(3, &genesis, &[]);
        let session = town.open();
        let (i, operator) = first_seat(&session);
        let relay = |seq| {
            let mut relay = draft(&session, operator, seq, 20);
            change(seq, &mut relay);
            sign(relay, i)
        };
        let tree = Tree::of((0..4).map(relay).collect());
        town.until(session.claim_window().start);
        let claims = vec![tree.root(&session)];
        let submit = proto::message::SubmitClaims { operator, claims };
        town.block(&[submit.into()])[0].as_ref().unwrap();
        town.until(session.audit_window().start);
        Case { town, session, i, operator, tree }
    }

    /// The leaf of a relay, and its way to the root.
    fn opening(&self, seq: u64) -> Opening {
        let leaf = self.tree.leaves.iter().find(|leaf| leaf.request.body.seq == seq).unwrap();
        let sum = self.tree.trie.root().sum;
        let (_, proof) = (0..sum)
            .map(|point| self.tree.trie.prove_at(point).unwrap())
            .find(|(found, _)| found.path == leaf.path().0)
            .unwrap();
        Opening { leaf: leaf.clone(), path: proof.encode() }
    }

    fn receipt(&self, change: impl Fn(&mut Receipt)) -> Signed<Receipt> {
        let mut receipt = draft(&self.session, self.operator, 0, 20).receipt;
        change(&mut receipt);
        receipt.sign(&supplier_key(self.i))
    }

    fn accuse(
        &mut self,
        receipt: Option<Signed<Receipt>>,
        opening: Option<Opening>,
    ) -> Result<(), Refused> {
        let (session_id, operator) = (self.session.id, self.operator);
        let message = ProveOvercount { accuser: APP, session_id, operator, receipt, opening };
        self.town.block(&[message.into()]).remove(0)
    }

    fn settled(&mut self) -> Settled {
        self.town.until(self.session.settle_height().plus(1));
        let (session_id, operator) = (self.session.id, Some(self.operator));
        self.town.ask(&GetSettled { session_id, operator }).unwrap()
    }

    /// It loses a fifth of its stake, sits in jail, and is not paid.
    fn ends_guilty(mut self, why: Result<(), Refused>) {
        why.unwrap();
        assert_eq!(self.town.stake(self.operator).0, STAKE.0 * 8 / 10);
        let question = GetSupplier { operator: Some(self.operator) };
        assert_eq!(self.town.ask(&question).unwrap().standing, Standing::Jailed);
        let again = self.accuse(Some(self.receipt(|r| r.cu = Cu(9))), None);
        assert!(again.unwrap_err().to_string().contains("the claim is Convicted"));
        let settled = self.settled();
        assert_eq!((settled.phase, settled.cost), (Phase::Convicted, Amount::ZERO));
    }

    /// Nothing happens to it, and it is paid.
    fn ends_innocent(mut self, told: Result<(), Refused>, says: &str) {
        let text = told.unwrap_err().to_string();
        assert!(text.contains(says), "{text}");
        assert_eq!(self.town.stake(self.operator), STAKE);
        let settled = self.settled();
        assert!(settled.phase == Phase::Spared && settled.cost.0 > 0, "{settled:?}");
    }
}

/// What an accuser shows.
type Shown = (Option<Signed<Receipt>>, Option<Opening>);

fn honest() -> Case {
    Case::new(|_, _| ())
}

#[test]
fn the_conjurer_bills_tokens_for_an_answer_of_no_bytes() {
    let mut case = honest();
    let receipt = case.receipt(|receipt| receipt.chunk_count = 0);
    let told = case.accuse(Some(receipt), None);
    case.ends_guilty(told);
}

#[test]
fn the_rounder_bills_more_than_its_usage_weighs() {
    let mut case = honest();
    let receipt = case.receipt(|receipt| receipt.cu = Cu(receipt.cu.0 + 1));
    let told = case.accuse(Some(receipt), None);
    case.ends_guilty(told);
}

#[test]
fn the_failure_bills_what_it_did_not_deliver() {
    let mut case = honest();
    let receipt = case.receipt(|receipt| receipt.status = Status::Failed);
    let told = case.accuse(Some(receipt), None);
    case.ends_guilty(told);
}

#[test]
fn the_two_faced_one_claims_more_than_the_receipt_that_it_gave_out() {
    let mut case = honest();
    let weights = case.session.terms.cu_weights;
    let smaller = case.receipt(|receipt| {
        receipt.usage = Usage { out: 5, ..receipt.usage };
        receipt.cu = weights.weigh(receipt.usage).unwrap();
    });
    let opening = case.opening(0);
    let told = case.accuse(Some(smaller), Some(opening));
    case.ends_guilty(told);
}

#[test]
fn the_fabricator_hides_a_wrong_leaf_among_right_ones() {
    let mut case = Case::new(|seq, relay| {
        if seq == 2 {
            relay.request.issued_at = proto::Height(1_000_000);
        }
    });
    let opening = case.opening(2);
    let told = case.accuse(None, Some(opening));
    case.ends_guilty(told);
}

#[test]
fn an_honest_supplier_loses_nothing_whatever_is_shown_of_it() {
    let right = "nothing is wrong with what is shown";
    let with = |show: &dyn Fn(&Case) -> Shown, says: &str| {
        let mut case = honest();
        let (receipt, opening) = show(&case);
        let told = case.accuse(receipt, opening);
        case.ends_innocent(told, says);
    };
    with(&|_| (None, None), "neither a receipt nor a leaf");
    with(&|case| (Some(case.receipt(|_| ())), None), right);
    with(&|case| (None, Some(case.opening(1))), right);
    with(&|case| (Some(case.receipt(|_| ())), Some(case.opening(0))), right);
    // A larger receipt than the one that is claimed, as after a crash, costs nobody anything.
    let larger = |case: &Case| {
        let weights = case.session.terms.cu_weights;
        case.receipt(|receipt| {
            receipt.usage.out += 9;
            receipt.cu = weights.weigh(receipt.usage).unwrap();
        })
    };
    with(&|case| (Some(larger(case)), Some(case.opening(0))), right);
    // What others sign, or sign for another session, says nothing of it.
    let forged = |case: &Case| case.receipt(|receipt| receipt.cu = Cu(1 << 40)).body;
    let by_another = |case: &Case| forged(case).sign(&supplier_key(77));
    with(&|case| (Some(by_another(case)), None), "not signed by the supplier");
    let elsewhere = |case: &Case| {
        case.receipt(|receipt| (receipt.session_id, receipt.cu) = (Digest([4; 32]), Cu(1 << 40)))
    };
    with(&|case| (Some(elsewhere(case)), None), "is of session");
    let moved = |case: &Case| {
        let mut opening = case.opening(1);
        opening.leaf.receipt.body.cu = Cu(1 << 40);
        opening
    };
    with(&|case| (None, Some(moved(case))), "does not lie under the claimed root");
}

#[test]
fn nobody_is_accused_before_claims_are_final_nor_after_they_are_settled() {
    let mut case = honest();
    let receipt = case.receipt(|receipt| receipt.chunk_count = 0);
    case.settled();
    let late = case.accuse(Some(receipt), None).unwrap_err().to_string();
    assert!(late.contains("the session"), "{late}");
    let mut town = Town::new(3);
    let session = town.open();
    let message = ProveOvercount {
        accuser: APP,
        session_id: session.id,
        operator: first_seat(&session).1,
        receipt: None,
        opening: None,
    };
    let early = town.block(&[message.into()]).remove(0).unwrap_err().to_string();
    assert!(early.contains("while claims are final"), "{early}");
}
