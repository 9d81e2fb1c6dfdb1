//! `lode keys`: accounts and relay keys.

use crate::ask;
use crate::cli::KeyFolder;
use crate::print;
use anyhow::{Context, bail};
use chain_client::keys::{KeyPath, KeyStore, Protection, Words};
use clap::{Args, Subcommand};
use std::io::Read;
use zeroize::Zeroizing;

/// Keys of accounts and relays.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(flatten)]
    folder: KeyFolder,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an account and print the 24 words that give it back.
    Add {
        name: String,
        #[command(flatten)]
        how: How,
    },
    /// Take an account back from its words, read from standard input.
    Restore {
        name: String,
        #[command(flatten)]
        how: How,
        /// Account number of the path m/44'/118'/account'/0/index.
        #[arg(long, default_value_t = 0)]
        account: u32,
        /// Address index of the path.
        #[arg(long, default_value_t = 0)]
        index: u32,
    },
    /// Make a relay key (ed25519) for a gateway or supplier.
    AddRelay {
        name: String,
        #[command(flatten)]
        how: How,
    },
    /// Show all keys.
    List,
    /// Show one key.
    Show { name: String },
    /// Print a key's secret, in hex.
    Export { name: String },
    /// Remove a key for good.
    Delete {
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// How a new key is protected.
#[derive(Debug, Args)]
struct How {
    /// Keep it without a password. For networks on which nothing is worth stealing.
    #[arg(long)]
    plain: bool,
}

/// Runs `lode keys …`.
pub(crate) fn run(keys: Keys) -> anyhow::Result<()> {
    let store = KeyStore::open(&keys.folder.keys)?;
    let protection = |how: &How| protection(how, &keys.folder);
    match &keys.command {
        Command::Add { name, how } => {
            let (account, words) = store.create(name, &protection(how)?)?;
            let mut shown = serde_json::to_value(&account)?;
            shown["words"] = words.reveal().as_str().into();
            print::answer(&shown, keys.json)?;
            eprintln!("Write the words down: they are shown once, and give the account back.");
            Ok(())
        }
        Command::Restore { name, how, account, index } => {
            let mut text = Zeroizing::new(String::new());
            std::io::stdin().take(1 << 12).read_to_string(&mut text)?;
            let words = Words::parse(text.trim())?;
            let path = KeyPath::new(*account, *index)?;
            print::answer(&store.restore(name, &words, path, &protection(how)?)?, keys.json)
        }
        Command::AddRelay { name, how } => {
            print::answer(&store.create_relay(name, &protection(how)?)?, keys.json)
        }
        Command::List => print::answer(&store.list()?, keys.json),
        Command::Show { name } => print::answer(&store.show(name)?, keys.json),
        Command::Export { name } => {
            let secret = match store.export(name, None) {
                Err(chain_client::keys::UnlockRefused::PasswordNeeded(_)) => {
                    store.export(name, Some(&password(&keys.folder, name)?))?
                }
                other => other?,
            };
            println!("{}", hex::encode(*secret));
            Ok(())
        }
        Command::Delete { name, yes } => {
            store.show(name)?;
            let question =
                format!("Delete the key {name:?}? What its words do not give back is lost.");
            if !yes && !ask::sure(&question)? {
                bail!("nothing was deleted; say --yes to delete without being asked");
            }
            Ok(store.delete(name)?)
        }
    }
}

fn protection(how: &How, folder: &KeyFolder) -> anyhow::Result<Protection> {
    if how.plain {
        return Ok(Protection::None);
    }
    let password = ask::new_password(folder.password_file.as_deref())?;
    Ok(Protection::Password(Zeroizing::new(password)))
}

/// The password of the key `name`.
pub(crate) fn password(folder: &KeyFolder, name: &str) -> anyhow::Result<Zeroizing<String>> {
    let prompt = format!("password of the key {name:?}: ");
    ask::password(folder.password_file.as_deref(), &prompt)
        .map(Zeroizing::new)
        .context("the key is sealed")
}

/// The account `name`, ready to sign.
pub(crate) fn signer(folder: &KeyFolder, name: &str) -> anyhow::Result<chain_client::keys::Signer> {
    let store = KeyStore::open(&folder.keys)?;
    match store.unlock(name, None) {
        Err(chain_client::keys::UnlockRefused::PasswordNeeded(_)) => {
            Ok(store.unlock(name, Some(&password(folder, name)?))?)
        }
        other => Ok(other?),
    }
}
