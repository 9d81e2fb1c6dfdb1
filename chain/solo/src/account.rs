//! Accounts: who may sign, and how often it did.

use crate::state::{Overlay, Pairs, Read, key};
use cosmrs::Any;
use cosmrs::proto::cosmos::auth::v1beta1::BaseAccount;
use cosmrs::proto::cosmos::crypto::secp256k1::PubKey;
use prost::Message as _;
use proto::Address;

/// Type URL of the keys that accounts sign with.
pub(crate) const KEY_TYPE: &str = "/cosmos.crypto.secp256k1.PubKey";

/// Type URL of an account.
pub(crate) const ACCOUNT_TYPE: &str = "/cosmos.auth.v1beta1.BaseAccount";

/// An account. It is made when an address is first paid and stays for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) address: Address,
    /// The compressed secp256k1 key, known from the first signature on.
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) number: u64,
    pub(crate) sequence: u64,
}

impl Account {
    /// The account at `address`, if there is one.
    pub(crate) fn load(state: &dyn Read, address: &Address) -> Option<Account> {
        Account::decode(&state.get(&key::account(address))?)
    }

    /// The account at `address`; it is made if there is none.
    pub(crate) fn ensure(state: &mut Overlay<'_>, address: &Address) -> Account {
        if let Some(account) = Account::load(state, address) {
            return account;
        }
        let number = state.get(&key::next_account()).map_or(0, |bytes| number(&bytes));
        state.set(&key::next_account(), &(number + 1).to_be_bytes());
        let account = Account { address: *address, key: None, number, sequence: 0 };
        account.save(state);
        account
    }

    /// Puts the account into `state`.
    pub(crate) fn save(&self, state: &mut Overlay<'_>) {
        state.set(&key::account(&self.address), &self.to_proto().encode_to_vec());
    }

    /// At most `limit` accounts in the order of addresses, from the one at `from` on.
    pub(crate) fn page(state: &dyn Read, from: Option<&[u8]>, limit: usize) -> Vec<Account> {
        let (first, end) = key::accounts();
        let from = from.map_or(first.clone(), |address| [&first, address].concat());
        let pairs: Pairs = state.range(&from, &end, limit);
        pairs.iter().filter_map(|(_, value)| Account::decode(value)).collect()
    }

    /// How many accounts were made so far.
    pub(crate) fn count(state: &dyn Read) -> u64 {
        state.get(&key::next_account()).map_or(0, |bytes| number(&bytes))
    }

    /// The account as the SDK's clients read it.
    pub(crate) fn to_proto(&self) -> BaseAccount {
        BaseAccount {
            address: self.address.to_string(),
            pub_key: self.key.clone().map(|key| Any {
                type_url: KEY_TYPE.to_owned(),
                value: PubKey { key }.encode_to_vec(),
            }),
            account_number: self.number,
            sequence: self.sequence,
        }
    }

    fn decode(bytes: &[u8]) -> Option<Account> {
        let base = BaseAccount::decode(bytes).ok()?;
        let key = base.pub_key.and_then(|any| PubKey::decode(any.value.as_slice()).ok());
        Some(Account {
            address: Address::parse(&base.address).ok()?,
            key: key.map(|key| key.key),
            number: base.account_number,
            sequence: base.sequence,
        })
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn accounts_are_numbered_as_they_are_made() {
        let base = BTreeMap::new();
        let mut state = Overlay::over(&base);
        for (byte, number) in [(9, 0), (3, 1), (9, 0)] {
            assert_eq!(Account::ensure(&mut state, &Address([byte; 20])).number, number);
        }
        assert_eq!(Account::count(&state), 2);
        let page = Account::page(&state, None, 10);
        assert_eq!(page.iter().map(|a| a.number).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn an_account_reads_back_as_it_was_saved() {
        let base = BTreeMap::new();
        let mut state = Overlay::over(&base);
        let address = Address([1; 20]);
        let account = Account { address, key: Some(vec![2; 33]), number: 4, sequence: 5 };
        account.save(&mut state);
        assert_eq!(Account::load(&state, &address).unwrap(), account);
    }
}
