//! Keys on disk.

use super::*;
use expect_test::expect;
use proto::Address;
use proto::keys::RelayKey;
use std::fs;
use std::path::PathBuf;
use zeroize::Zeroizing;

const ABANDON: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon \
    abandon abandon about";

struct Folder {
    dir: tempfile::TempDir,
    keys: KeyStore,
}

fn folder() -> Folder {
    let dir = tempfile::tempdir().unwrap();
    let keys = KeyStore::open(dir.path().join("keys")).unwrap();
    Folder { dir, keys }
}

impl Folder {
    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("keys").join(format!("{name}.json"))
    }

    fn edit(&self, name: &str, change: impl FnOnce(&mut serde_json::Value)) {
        let path = self.file(name);
        let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(&path, serde_json::to_vec(&value).unwrap()).unwrap();
    }

    fn put_back(&self, name: &str, account: u32) -> Result<Account, CreateRefused> {
        let words = Words::parse(ABANDON).unwrap();
        let path = KeyPath::new(account, 0).unwrap();
        self.keys.restore(name, &words, path, &Protection::None)
    }
}

fn password(text: &str) -> Protection {
    Protection::Password(Zeroizing::new(text.to_owned()))
}

/// The address that another chain of the Cosmos writes with its own prefix.
fn as_cosmos(address: Address) -> String {
    cosmrs::AccountId::new("cosmos", &address.0).unwrap().to_string()
}

#[test]
fn words_give_the_account_that_cosmos_wallets_give() {
    let folder = folder();
    let account = folder.put_back("hub", 0).unwrap();
    assert_eq!(as_cosmos(account.address), "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4");
    assert_eq!(account.address.to_string(), "lode19rl4cm2hmr8afy4kldpxz3fka4jguq0asu32g9");

    let cosmjs =
        "special sign fit simple patrol salute grocery chicken wheat radar tonight ceiling";
    let words = Words::parse(cosmjs).unwrap();
    let account =
        folder.keys.restore("cosmjs", &words, KeyPath::default(), &Protection::None).unwrap();
    assert_eq!(as_cosmos(account.address), "cosmos1jhg0e7s6gn44tfc5k37kr04sznyhedtc9rzys5");
    assert_eq!(
        account.public_key,
        "02baa4ef93f2ce84592a49b1d729c074eab640112522a7a89f7d03ebab21ded7b6"
    );
}

#[test]
fn each_path_gives_another_account() {
    let folder = folder();
    let first = folder.put_back("first", 0).unwrap();
    let second = folder.put_back("second", 1).unwrap();
    assert_ne!(first.address, second.address);
    assert_eq!(second.path.as_deref(), Some("m/44'/118'/1'/0/0"));
}

#[test]
fn words_made_here_give_their_account_back() {
    let folder = folder();
    let (account, words) = folder.keys.create("mine", &password("open")).unwrap();
    assert_eq!(words.reveal().split(' ').count(), 24);
    let read = Words::parse(&words.reveal().to_uppercase().replace(' ', "\n  ")).unwrap();
    let again = folder.keys.restore("again", &read, KeyPath::default(), &Protection::None).unwrap();
    assert_eq!(again.address, account.address);
    assert_eq!(folder.keys.unlock("again", None).unwrap().address(), account.address);
    assert_eq!(folder.keys.unlock("mine", Some("open")).unwrap().address(), account.address);
}

#[test]
fn wrong_words_say_what_is_wrong_without_repeating_them() {
    let mut outcomes = String::new();
    for text in [
        "abandon about",
        &ABANDON.replace("about", "abot"),
        &ABANDON.replace("about", "abandon"),
        &ABANDON.replace(" about", ""),
    ] {
        outcomes += &format!("{}\n", Words::parse(text).unwrap_err());
    }
    expect![[r#"
        these are 2 words, but a key has 12 or 24
        word 12 is not in the list of BIP-39's English words
        the words are all known, but do not belong together: one is wrong or out of place
        these are 11 words, but a key has 12 or 24
    "#]]
    .assert_eq(&outcomes);
}

#[test]
fn a_path_has_one_text_only() {
    assert_eq!("m/44'/118'/3'/0/7".parse(), KeyPath::new(3, 7));
    for text in [
        "m/44'/60'/0'/0/0",
        "m/44'/118'/0/0/0",
        "m/44'/118'/0'/0/01",
        "m/44'/118'/0'/0/+1",
        "m/44'/118'/0'/1/0",
        "m/44'/118'/2147483648'/0/0",
        "44'/118'/0'/0/0",
    ] {
        assert!(text.parse::<KeyPath>().is_err(), "{text}");
    }
}

#[test]
fn a_sealed_key_opens_with_its_password_only() {
    let folder = folder();
    let (account, _) = folder.keys.create("mine", &password("correct horse")).unwrap();
    let signer = folder.keys.unlock("mine", Some("correct horse")).unwrap();
    assert_eq!(signer.address(), account.address);
    let mut outcomes = String::new();
    for wrong in [Some("correct house"), Some(""), None] {
        outcomes += &format!("{}\n", folder.keys.unlock("mine", wrong).unwrap_err());
    }
    expect![[r#"
        the key "mine" stays locked: the password is wrong, or the file was changed
        the key "mine" stays locked: the password is wrong, or the file was changed
        the key "mine" is sealed: its password is needed
    "#]]
    .assert_eq(&outcomes);
}

#[test]
fn the_secret_is_in_the_file_only_where_that_was_asked_for() {
    let folder = folder();
    let words = Words::parse(ABANDON).unwrap();
    let secret = hex::encode(*words.secret(KeyPath::default()));
    let path = KeyPath::default();
    folder.keys.restore("open", &words, path, &Protection::None).unwrap();
    folder.keys.restore("shut", &words, path, &password("x")).unwrap();
    let open = fs::read_to_string(folder.file("open")).unwrap();
    let shut = fs::read_to_string(folder.file("shut")).unwrap();
    assert!(open.contains(&secret) && open.contains("not_protected"), "{open}");
    assert!(!shut.contains(&secret) && !shut.contains("not_protected"), "{shut}");
}

#[test]
fn a_file_that_was_changed_does_not_open() {
    let folder = folder();
    let other = folder.put_back("other", 1).unwrap();
    let changes: [(&str, serde_json::Value); 4] = [
        ("/public/address", other.address.to_string().into()),
        ("/public/path", "m/44'/118'/9'/0/0".into()),
        ("/secret/sealed/salt", "00".repeat(16).into()),
        ("/secret/sealed/nonce", "00".repeat(24).into()),
    ];
    for (index, (pointer, value)) in changes.into_iter().enumerate() {
        let name = format!("key-{index}");
        folder.keys.create(&name, &password("x")).unwrap();
        folder.edit(&name, |file| *file.pointer_mut(pointer).unwrap() = value);
        let refused = folder.keys.unlock(&name, Some("x"));
        assert!(matches!(refused, Err(UnlockRefused::Sealed { .. })), "{pointer}: {refused:?}");
    }
}

#[test]
fn a_plain_secret_under_another_address_is_refused() {
    let folder = folder();
    let other = folder.put_back("other", 1).unwrap();
    folder.put_back("mine", 0).unwrap();
    let address = other.address.to_string();
    folder.edit("mine", |file| file["public"]["address"] = address.into());
    let refused = folder.keys.unlock("mine", None).unwrap_err();
    assert!(refused.to_string().contains("does not belong"), "{refused}");
}

#[test]
fn a_file_cannot_ask_for_more_memory_than_its_bound() {
    let folder = folder();
    folder.keys.create("mine", &password("x")).unwrap();
    folder.edit("mine", |file| file["secret"]["sealed"]["memory_kib"] = u32::MAX.into());
    let refused = folder.keys.unlock("mine", Some("x")).unwrap_err();
    expect![[r#"the key "mine" stays locked: memory_kib is 4294967295, but a key file may ask for 1048576 at most"#]]
        .assert_eq(&refused.to_string());
}

#[test]
fn a_later_version_is_told_apart_from_damage() {
    let folder = folder();
    folder.put_back("later", 0).unwrap();
    folder.edit("later", |file| *file = serde_json::json!({ "version": 2, "what": "ever" }));
    let refused = folder.keys.show("later").unwrap_err();
    assert!(matches!(refused, StoreError::OtherVersion { version: 2, .. }), "{refused}");
    fs::write(folder.file("later"), "").unwrap();
    let refused = folder.keys.show("later").unwrap_err();
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused}");
}

#[test]
fn a_name_is_taken_once_and_free_after_deletion() {
    let folder = folder();
    let first = folder.put_back("mine", 0).unwrap();
    assert!(matches!(folder.put_back("mine", 1), Err(CreateRefused::Exists { .. })));
    assert_eq!(folder.keys.show("mine").unwrap(), Entry::Account(first));
    folder.keys.delete("mine").unwrap();
    assert!(matches!(folder.keys.show("mine"), Err(StoreError::NotFound { .. })));
    assert!(matches!(folder.keys.delete("mine"), Err(StoreError::NotFound { .. })));
    folder.put_back("mine", 1).unwrap();
}

#[test]
fn a_name_cannot_leave_the_folder() {
    let folder = folder();
    for name in ["", "../mine", "a/b", "Mine", "ä", ".hidden", &"a".repeat(65)] {
        let refused = folder.put_back(name, 0).unwrap_err();
        assert!(
            matches!(refused, CreateRefused::Store(StoreError::BadName(_))),
            "{name}: {refused}"
        );
    }
    folder.put_back(&"a".repeat(64), 0).unwrap();
}

#[test]
fn an_empty_password_protects_nothing_and_is_refused() {
    let refused = folder().keys.create("mine", &password("")).unwrap_err();
    assert!(matches!(refused, CreateRefused::Seal(SealRefused::EmptyPassword)), "{refused}");
}

#[test]
fn a_relay_key_comes_back_and_is_no_account() {
    let folder = folder();
    let made = folder.keys.create_relay("miner", &password("x")).unwrap();
    let secret = folder.keys.unlock_relay("miner", Some("x")).unwrap();
    assert_eq!(secret.public(), made.relay_key);
    assert!(matches!(folder.keys.unlock("miner", Some("x")), Err(UnlockRefused::OtherKind { .. })));
    let exported = folder.keys.export("miner", Some("x")).unwrap();
    let again = folder.keys.import_relay("again", &exported, &Protection::None).unwrap();
    assert_eq!(again.relay_key, made.relay_key);
    assert_ne!(again.relay_key, RelayKey([0; 32]));
}

#[test]
fn keys_are_listed_by_name_and_other_files_are_left_alone() {
    let folder = folder();
    folder.put_back("b", 0).unwrap();
    folder.keys.create_relay("a", &Protection::None).unwrap();
    fs::write(folder.dir.path().join("keys/README.md"), "keys").unwrap();
    let names: Vec<String> = folder
        .keys
        .list()
        .unwrap()
        .into_iter()
        .map(|entry| match entry {
            Entry::Account(account) => account.name,
            Entry::Relay(relay) => relay.name,
        })
        .collect();
    assert_eq!(names, ["a", "b"]);
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    folder.put_back("mine", 0).unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.file("mine")), 0o600);
    assert_eq!(mode(folder.dir.path().join("keys")), 0o700);
    assert_eq!(fs::read_dir(folder.dir.path().join("keys")).unwrap().count(), 1);

    fs::set_permissions(folder.file("mine"), fs::Permissions::from_mode(0o640)).unwrap();
    let refused = folder.keys.unlock("mine", None).unwrap_err();
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
}

#[test]
fn secrets_do_not_show_in_debug() {
    let folder = folder();
    let (_, words) = folder.keys.create("mine", &Protection::None).unwrap();
    let secret = hex::encode(*folder.keys.export("mine", None).unwrap());
    let signer = folder.keys.unlock("mine", None).unwrap();
    let shown = format!("{words:?} {signer:?} {:?} {:?}", password("hunter2"), folder.keys);
    assert!(!shown.contains(&secret) && !shown.contains("hunter2"), "{shown}");
    assert!(words.reveal().split(' ').all(|word| !shown.contains(&format!(" {word} "))));
}
