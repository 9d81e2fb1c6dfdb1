//! `lode`: a whole inference market on this machine, each of its roles alone, and the tools for
//! the people who run them.

mod api_key;
mod ask;
mod auditor;
mod audits;
mod boxes;
mod chart;
mod cli;
mod demo;
mod dev;
mod explain;
mod guard;
mod history;
mod init;
mod keys;
mod node;
mod payouts;
mod print;
mod query;
mod replay;
mod role;
mod simulate;
mod tx;
mod up;
mod verify;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = cli::Cli::parse();
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and what led to it. Most of our sentences hold their cause already, which is not said twice.
fn told(error: &anyhow::Error) -> String {
    error.chain().skip(1).map(ToString::to_string).fold(error.to_string(), |told, cause| {
        if told.contains(&cause) { told } else { format!("{told}: {cause}") }
    })
}

fn run(cli: cli::Cli) -> anyhow::Result<ExitCode> {
    use cli::Command;
    let done = match cli.command {
        // What a replay finds is in its exit code.
        Command::Supplier(command) => return boxes::run(command),
        Command::Up(options) => up::run(options),
        Command::Init(options) => init::run(&options),
        Command::Chain(command) => role::chain(command),
        Command::Gateway(command) => role::gateway(command),
        Command::Relayminer(command) => role::relayminer(command),
        Command::Auditor(command) => auditor::run(command),
        Command::Audits(options) => audits::run(options),
        Command::Keys(command) => keys::run(command),
        Command::Tx(command) => tx::run(command),
        Command::Query(command) => query::run(command),
        Command::Faucet(command) => tx::faucet(&command),
        Command::Payouts(command) => payouts::run(&command),
        Command::Explain(command) => explain::run(command),
        Command::Simulate(command) => simulate::run(command),
        Command::Verify(command) => verify::run(command),
        Command::Dev(command) => dev::run(command),
        Command::Guard(options) => guard::run(&options),
    };
    done.map(|()| ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn no_cause_is_told_twice() {
        let cause = std::io::Error::other("the disk is full");
        let error = anyhow::Error::new(cause).context("the disk is full: free some of it");
        assert_eq!(told(&error), "the disk is full: free some of it");
        let error = anyhow::anyhow!("the disk is full").context("the book cannot be written");
        assert_eq!(told(&error), "the book cannot be written: the disk is full");
    }
}
