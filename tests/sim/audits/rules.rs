//! The pure rules over many audits: how rarely the honest are convicted, and how soon others are.

use proto::Amount;
use proto::audit::standing::Test;
use proto::audit::{Identity, Params};
use proto::params::Params as Market;
use strategies::career::{Career, Cheat};

/// Audits of one supplier after which it is followed no longer.
const CAREER: u64 = 2_000;

/// `LODE_LONG=1` follows ten times as many.
fn honest_careers() -> u64 {
    if std::env::var_os("LODE_LONG").is_some() { 500 } else { 50 }
}

#[test]
fn honest_suppliers_with_bad_luck_within_bands_are_hardly_ever_convicted() {
    let careers = honest_careers();
    let convicted: u64 = (1..=careers)
        .map(|seed| {
            let mut career = Career::new(seed, Test::standard());
            (0..CAREER).filter(|_| career.convicts(20_000, Identity::Unlike)).count() as u64
        })
        .sum();
    eprintln!(
        "{convicted} false convictions in {} audits of {careers} suppliers",
        careers * CAREER
    );
    // Below 1 in 2,000 for each career, and luck.
    assert!(convicted <= careers / 250, "{convicted} of {careers}");
}

/// Audits until a supplier is convicted, on average over 200 of them.
fn audits_until_conviction(cheats: u64, honest_before: u64, wrong: Identity) -> u64 {
    let fails = Cheat::Banded.fails(cheats * 10_000);
    let one = |seed| {
        let mut career = Career::new(seed, Test::standard());
        (0..honest_before).for_each(|_| assert!(!career.convicts(0, wrong)));
        (1..1_000_000).find(|_| career.convicts(fails, wrong)).unwrap()
    };
    (1..=200).map(one).sum::<u64>() / 200
}

#[test]
fn cheating_until_conviction_brings_less_than_the_slash() {
    let (audits, market) = (Params::standard(), Market::standard());
    let slash = audits.slash_rate.of(market.supplier_stake_min);
    let pay = market.shares.supplier.of(audits.claim_typical);
    let rogues = [
        ("a tenth", 10, 0, Identity::Differs),
        ("a third", 30, 0, Identity::Differs),
        ("all", 100, 0, Identity::Differs),
        ("all, honest until rich", 100, 10_000, Identity::Differs),
        ("withholding", 100, 0, Identity::Withheld),
    ];
    for (name, cheats, before, wrong) in rogues {
        let found = audits_until_conviction(cheats, before, wrong);
        let claims = u128::from(found) * 1_000_000 / u128::from(audits.rate.0);
        // As if an answer that is cheated cost nothing at all.
        let gain = Amount(claims * pay.0 * u128::from(cheats) / 100);
        eprintln!("{name}: {found} audits, {claims} claims, gains {gain}, loses {slash}");
        assert!(gain < slash, "{name}: {gain} against {slash}");
    }
}
