//! Who plays: accounts with keys, so that a true chain takes their signatures.

use k256::ecdsa::SigningKey;
use proto::keys::RelayKey;
use proto::{Address, Amount, Coin, Denom};
use tests::town::{dollar, gateway_key, supplier_key};

pub const AUTHORITY: Account = Account(1);
pub const SOURCE: Account = Account(2);
pub const GATEWAY: Account = Account(3);
pub const APP: Account = Account(4);
pub const OWNER: Account = Account(5);
pub const HONEST: Account = Account(10);
pub const LIAR: Account = Account(11);
pub const SILENT: Account = Account(12);
pub const ROGUE: Account = Account(20);
/// Runs the one validator, and audits.
pub const VALIDATOR: Account = Account(30);
pub const ALL: [Account; 10] =
    [AUTHORITY, SOURCE, GATEWAY, APP, OWNER, HONEST, LIAR, SILENT, ROGUE, VALIDATOR];

/// What each begins with of each coin.
const COINS: Amount = Amount(1 << 40);

/// The coins that each begins with, sorted by their names: that of stakes, one that came over IBC,
/// and one that governance does not allow.
pub fn coins() -> [Coin; 3] {
    let unknown = Denom::new("unknown").unwrap();
    [dollar(), Denom::stake(), unknown].map(|denom| Coin::new(COINS, denom))
}

/// An account whose secret is one number, 32 times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account(u8);

impl Account {
    pub fn secret(self) -> [u8; 32] {
        [self.0; 32]
    }

    pub fn address(self) -> Address {
        let key = SigningKey::from_bytes(&self.secret().into()).unwrap();
        Address::of_secp256k1(key.verifying_key().to_encoded_point(true).as_bytes())
    }

    /// The number by which the makers of relays know a supplier.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The key under its receipts, or its requests.
    pub fn relay_key(self) -> RelayKey {
        if self == GATEWAY { gateway_key().public() } else { supplier_key(self.0).public() }
    }
}

/// The account behind an address.
pub fn account(address: Address) -> Account {
    ALL.into_iter().find(|account| account.address() == address).unwrap()
}
