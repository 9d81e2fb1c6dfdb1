//! How all of it is written down: protobuf, in one form only.
//!
//! The generated types are named here and nowhere else. Bytes that decode but do not encode to the
//! same bytes again - unknown fields, fields out of order, long integers, trailing bytes - are
//! refused, so that what is hashed or signed has one encoding.

mod fields;

use crate::audit::{self, auditor, case, ruling, standing, verdict};
use crate::{
    claim, coins, leaf, message, params, payout, price, query, relay, service, session, supplier,
    usage,
};
use fields::Field;
use prost::Message as _;

// The paths of the modules are those that generated code refers to.
#[allow(clippy::all, dead_code, unreachable_pub)]
mod generated {
    pub mod cosmos {
        pub mod base {
            pub mod v1beta1 {
                include!("wire/cosmos.base.v1beta1.rs");
            }
        }
    }
    pub mod lode {
        pub mod market {
            pub mod v1 {
                include!("wire/lode.market.v1.rs");
            }
        }
    }
}

use generated::cosmos::base::v1beta1 as base;
use generated::lode::market::v1 as gen_;

/// The schema as a `google.protobuf.FileDescriptorSet`, for who reads messages by their fields.
pub const DESCRIPTORS: &[u8] = include_bytes!("wire/descriptors.bin");

/// Why bytes are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWire {
    #[error("these {length} bytes are no {kind}: {reason}")]
    Malformed { kind: &'static str, length: usize, reason: String },
    #[error(
        "these {length} bytes of a {kind} are not in canonical form: they have unknown fields, fields out of order or numbers written longer than needed"
    )]
    NotCanonical { kind: &'static str, length: usize },
    #[error("{field} is missing or wrong: {reason}")]
    Field { field: String, reason: String },
    #[error("{0:?} is no message of the market")]
    UnknownType(String),
}

impl BadWire {
    fn field(reason: impl ToString) -> BadWire {
        BadWire::Field { field: String::new(), reason: reason.to_string() }
    }

    fn within(self, outer: &str) -> BadWire {
        match self {
            BadWire::Field { field, reason } if field.is_empty() => {
                BadWire::Field { field: outer.to_owned(), reason }
            }
            BadWire::Field { field, reason } => {
                BadWire::Field { field: format!("{outer}.{field}"), reason }
            }
            other => other,
        }
    }
}

/// Something with a canonical protobuf encoding.
pub trait Wire: Sized {
    /// The generated type.
    #[doc(hidden)]
    type Generated: prost::Message + Default + PartialEq;

    #[doc(hidden)]
    fn to_generated(&self) -> Self::Generated;

    #[doc(hidden)]
    fn from_generated(generated: Self::Generated) -> Result<Self, BadWire>;

    /// The canonical bytes.
    fn encode(&self) -> Vec<u8> {
        self.to_generated().encode_to_vec()
    }

    /// Reads canonical bytes; any others are refused.
    fn decode(bytes: &[u8]) -> Result<Self, BadWire> {
        let kind = std::any::type_name::<Self>();
        let kind = kind.rsplit("::").next().unwrap_or(kind);
        let generated = Self::Generated::decode(bytes).map_err(|error| BadWire::Malformed {
            kind,
            length: bytes.len(),
            reason: error.to_string(),
        })?;
        let value = Self::from_generated(generated)?;
        if value.encode() == bytes {
            Ok(value)
        } else {
            Err(BadWire::NotCanonical { kind, length: bytes.len() })
        }
    }
}

macro_rules! wire {
    ($($domain:ty as $generated:ty { $($field:ident),* $(,)? };)*) => {
        $(impl Wire for $domain {
            type Generated = $generated;

            fn to_generated(&self) -> $generated {
                #[allow(clippy::needless_update)]
                let generated = <$generated>::default();
                #[allow(unused_mut)]
                let mut generated = generated;
                $(generated.$field = Field::to_field(&self.$field);)*
                generated
            }

            fn from_generated(generated: $generated) -> Result<Self, BadWire> {
                let _ = &generated;
                Ok(Self {
                    $($field: Field::from_field(generated.$field)
                        .map_err(|bad| bad.within(stringify!($field)))?,)*
                })
            }
        })*
    };
}

wire! {
    crate::Coin as base::Coin { denom, amount };
    usage::CuWeights as gen_::CuWeights { fresh_in, cached_in, out };
    usage::Usage as gen_::Usage { fresh_in, cached_in, out };
    service::Service as gen_::Service {
        id, source, model_hash, tokenizer_hash, template_hash, precision, kernel_class,
        context_max, cu_weights, price_start, denom, identity_threshold,
    };
    supplier::Offer as gen_::Offer { service, ask, capacity };
    supplier::PayoutShare as gen_::PayoutShare { to, share };
    supplier::Supplier as gen_::Supplier {
        operator, owner, stake, relay_key, endpoint, offers, payouts, standing, until,
    };
    supplier::Gateway as gen_::Gateway {
        address, stake, relay_key, exposure, standing, until, backings,
    };
    supplier::Backing as gen_::Backing { denom, amount, exposure };
    coins::Value as gen_::CoinValue { stake, units };
    coins::AllowedCoin as gen_::AllowedCoin { denom, value };
    supplier::Escrow as gen_::Escrow { app, denom, amount };
    supplier::Delegation as gen_::Delegation { app, gateway, denom, limit, expires };
    params::Windows as gen_::Windows { grace, claim, proof, audit };
    payout::Shares as gen_::Shares { supplier, source, audits, treasury, burn };
    payout::Split as gen_::Split { supplier, source, audits, treasury, burn };
    params::Proving as gen_::Proving { rate, draws, always_above, penalty_rate, penalty_min };
    price::Params as gen_::PriceParams {
        target_utilisation, gain_min, gain_max, gain_start, gain_step, step_max, phi_lo, phi_hi,
        payer_cap, operator_cap, scarcity,
    };
    price::State as gen_::PriceState { x, ubar, gain, last_sign, price, since };
    price::Point as gen_::PricePoint { since, price, ubar, gain, admitted, capacity };
    params::Params as gen_::Params {
        session_length, windows, relay_max, suppliers_per_session, inflight_max,
        request_max_bytes, checkpoint_cu, shares, proving, price, supplier_stake_min,
        gateway_stake_min, owner_cap, unbonding, jail, history, settlements_per_block, coins,
        audits,
    };
    session::Terms as gen_::Terms {
        protocol_version, price, denom, source, cu_weights, tokenizer_hash, template_hash,
        context_max, windows, relay_max, inflight_max, request_max_bytes, checkpoint_cu, shares,
        proving, value, audited,
    };
    session::Seat as gen_::Seat { operator, relay_key, endpoint, payouts };
    session::Session as gen_::Session {
        id, service, app, gateway, gateway_key, start, end, budget, seats, terms,
    };
    claim::ClaimRoot as gen_::ClaimRoot { session_id, root, sum, count, unacked_from };
    claim::Claim as gen_::Claim { operator, root, phase, claimed_at };
    claim::Settled as gen_::Settled {
        session_id, operator, service, app, gateway, root, phase, price, denom, cost, split,
        slashed, height, reason,
    };
    relay::Acked as gen_::Acked { count, cu, floor, hash };
    relay::AckEntry as gen_::AckEntry { relay_id, cu };
    relay::RelayRequest as gen_::RelayRequest {
        chain_id, session_id, supplier, relay_id, seq, request_digest, max_cu, issued_at, acked,
    };
    relay::Signed<relay::RelayRequest> as gen_::SignedRequest { body, signature };
    relay::Ack as gen_::Ack { chain_id, session_id, supplier, acked };
    relay::Signed<relay::Ack> as gen_::SignedAck { body, signature };
    relay::Envelope as gen_::Envelope { request, entries };
    relay::AckUpdate as gen_::AckUpdate { ack, entries };
    relay::Receipt as gen_::Receipt {
        session_id, relay_id, request_digest, response_root, chunk_count, usage, cu, status,
        started_at, first_token_at, finished_at, evidence_root,
    };
    relay::Signed<relay::Receipt> as gen_::SignedReceipt { body, signature };
    leaf::Leaf as gen_::Leaf { request, receipt, ack };
    leaf::Opening as gen_::Opening { leaf, path };
    message::ListService as gen_::MsgListService { source, service };
    message::StakeSupplier as gen_::MsgStakeSupplier {
        owner, operator, add, relay_key, endpoint, offers, payouts,
    };
    message::UpdateSupplier as gen_::MsgUpdateSupplier { operator, relay_key, endpoint, offers };
    message::UnstakeSupplier as gen_::MsgUnstakeSupplier { owner, operator };
    message::UnjailSupplier as gen_::MsgUnjailSupplier { operator };
    message::StakeGateway as gen_::MsgStakeGateway { gateway, add, relay_key };
    message::UnstakeGateway as gen_::MsgUnstakeGateway { gateway };
    message::Deposit as gen_::MsgDeposit { app, coin };
    message::Withdraw as gen_::MsgWithdraw { app, coin };
    message::Delegate as gen_::MsgDelegate { app, gateway, limit, expires };
    message::Undelegate as gen_::MsgUndelegate { app, gateway };
    message::OpenSession as gen_::MsgOpenSession { gateway, app, service, start, budget };
    message::SubmitClaims as gen_::MsgSubmitClaims { operator, claims };
    message::Proof as gen_::Proof { session_id, openings };
    message::SubmitProofs as gen_::MsgSubmitProofs { operator, proofs };
    message::UpdateParams as gen_::MsgUpdateParams { authority, params };
    message::Genesis as gen_::Genesis {
        authority, params, services, suppliers, gateways, escrow, delegations, audits,
    };
    audit::params::Penalties as gen_::AuditPenalties { outlier, unrevealed, skipped, ringer };
    audit::fine::Fines as gen_::AuditFines { exact, banded };
    standing::Test as gen_::AuditTest { honest, cheat, threshold };
    audit::Params as gen_::AuditParams {
        rate, committee, large_committee, tolerance, fee, claim_typical, bond_min, penalties,
        ringer_rate, ringers, slash_rate, test, overcount_rate,
        unchosen, probe_deposit, fines,
    };
    verdict::Verdict as gen_::Verdict { identity, quality };
    audit::tally::Vote as gen_::Vote { auditor, verdict };
    audit::Audit as gen_::Audit { id, session_id, operator, point };
    case::Case as gen_::Case {
        audit, service, start, judged, stage, again, first, second, found, decided_at, planted,
    };
    case::Member as gen_::Member { auditor, power, vrf_key };
    case::Panel as gen_::Panel { members };
    case::Docket as gen_::Docket {
        start, seed, opens, closes, params, panel, audits, second_seed,
    };
    auditor::Auditor as gen_::Auditor {
        address, bond, leaving, until, earned, lost, verdicts, apart, unrevealed, skipped,
    };
    standing::Standing as gen_::AuditStanding { score, audits, failures, convictions };
    audit::quality::Record as gen_::QualityRecord { mean, square, count };
    ruling::Reputation as gen_::Reputation { operator, service, standing, quality };
    message::AuditGenesis as gen_::AuditGenesis {
        auditors, reputations, pool, choices, probes, probers,
    };
    audit::probe::Choice as gen_::AuditChoice { app, audited };
    audit::probe::Probe as gen_::Probe { operator, commitment, planted_at, deposit };
    audit::probe::Prober as gen_::Prober { operator, planted, opened, unopened };
    message::ChooseAudit as gen_::MsgChooseAudit { app, audited };
    message::PlantProbe as gen_::MsgPlantProbe { operator, commitment };
    message::OpenProbe as gen_::MsgOpenProbe { operator, salt, app, start };
    query::GetProber as gen_::QueryProber { operator };
    message::BondAuditor as gen_::MsgBondAuditor { auditor, add };
    message::UnbondAuditor as gen_::MsgUnbondAuditor { auditor };
    message::Commitment as gen_::Commitment { audit_id, digest };
    message::CommitVerdicts as gen_::MsgCommitVerdicts { auditor, round, commitments };
    message::Revealed as gen_::Revealed { audit_id, salt, verdict };
    message::RevealVerdicts as gen_::MsgRevealVerdicts { auditor, start, ticket, verdicts };
    message::PlantRinger as gen_::MsgPlantRinger { operator, commitment };
    message::OpenRinger as gen_::MsgOpenRinger { operator, audit_id, salt, expected };
    message::ProveOvercount as gen_::MsgProveOvercount {
        accuser, session_id, operator, receipt, opening,
    };
    query::GetParams as gen_::QueryParams {};
    query::GetService as gen_::QueryService { id };
    query::ListServices as gen_::QueryServices { after, limit };
    query::GetPrice as gen_::QueryPrice { service };
    query::GetPriceHistory as gen_::QueryPriceHistory { service, before, limit };
    query::PriceHistory as gen_::AnswerPriceHistory { points, predicted };
    query::GetSupplier as gen_::QuerySupplier { operator };
    query::ListSuppliers as gen_::QuerySuppliers { after, limit };
    query::GetGateway as gen_::QueryGateway { address };
    query::GetApp as gen_::QueryApp { app };
    query::GetSession as gen_::QuerySession { id };
    query::ListSessions as gen_::QuerySessions { party, after, limit };
    query::GetClaim as gen_::QueryClaim { session_id, operator };
    query::GetSettled as gen_::QuerySettled { session_id, operator };
    query::GetClock as gen_::QueryClock {};
    query::GetSeed as gen_::QuerySeed { height };
    query::GetAudit as gen_::QueryAudit { id };
    query::ListAudits as gen_::QueryAudits { start, session_id, supplier, auditor, after, limit };
    query::GetDocket as gen_::QueryDocket { start };
    query::GetReputation as gen_::QueryReputation { operator };
    query::GetAuditor as gen_::QueryAuditor { address };
    query::ListAuditors as gen_::QueryAuditors { after, limit };
    query::Audits as gen_::AnswerAudits { audits };
    query::Reputations as gen_::AnswerReputation { reputations };
    query::Auditors as gen_::AnswerAuditors { auditors };
    query::GetInvariants as gen_::QueryInvariants {};
    query::Services as gen_::AnswerServices { services };
    query::Suppliers as gen_::AnswerSuppliers { suppliers };
    query::App as gen_::AnswerApp { escrow, delegations, audited };
    query::Sessions as gen_::AnswerSessions { sessions };
    query::Clock as gen_::AnswerClock { height, start, next_start };
    query::SeedAt as gen_::AnswerSeed { height, seed };
    query::Invariant as gen_::Invariant { purse, denom, owed };
    query::Invariants as gen_::AnswerInvariants { invariants };
}

impl Wire for verdict::Quality {
    type Generated = gen_::Quality;

    fn to_generated(&self) -> gen_::Quality {
        gen_::Quality { thousandths: self.thousandths().into() }
    }

    fn from_generated(generated: gen_::Quality) -> Result<Self, BadWire> {
        verdict::Quality::new(generated.thousandths).map_err(BadWire::field)
    }
}

impl Wire for leaf::AckProof {
    type Generated = gen_::AckProof;

    fn to_generated(&self) -> gen_::AckProof {
        use gen_::ack_proof::Head;
        gen_::AckProof {
            before: Field::to_field(&self.before),
            tail: Field::to_field(&self.tail),
            head: Some(match &self.head {
                leaf::AckHead::Request(request) => Head::Request(request.to_generated()),
                leaf::AckHead::Ack(ack) => Head::Ack(ack.to_generated()),
            }),
        }
    }

    fn from_generated(generated: gen_::AckProof) -> Result<Self, BadWire> {
        use gen_::ack_proof::Head;
        let head = match generated.head {
            Some(Head::Request(request)) => {
                leaf::AckHead::Request(relay::Signed::from_generated(request)?)
            }
            Some(Head::Ack(ack)) => leaf::AckHead::Ack(relay::Signed::from_generated(ack)?),
            None => return Err(BadWire::field("it is not there").within("head")),
        };
        Ok(leaf::AckProof {
            before: Field::from_field(generated.before).map_err(|bad| bad.within("before"))?,
            tail: Field::from_field(generated.tail).map_err(|bad| bad.within("tail"))?,
            head,
        })
    }
}
