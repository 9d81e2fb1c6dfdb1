//! Which ports a network listens on.

use super::engine::PORTS_EACH;
use anyhow::bail;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};

/// The port of the chain's RPC when none is named: CometBFT's.
pub(crate) const RPC_PORT: u16 = 26657;

/// The port of the gateway when none is named.
pub(crate) const GATEWAY_PORT: u16 = 8080;

/// The ports of one network. Only the first two are for clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ports {
    pub(crate) rpc: u16,
    pub(crate) gateway: u16,
    pub(crate) miners: Vec<u16>,
    pub(crate) miner_admins: Vec<u16>,
    pub(crate) suppliers: Vec<u16>,
    /// Of a server that cheats, where one is asked for.
    #[serde(default)]
    pub(crate) rogue: u16,
    /// Where the auditor tells its health.
    #[serde(default)]
    pub(crate) auditor: u16,
}

/// How ports are chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// `None`: any free one.
    pub(crate) rpc: Option<u16>,
    pub(crate) gateway: Option<u16>,
}

impl Ports {
    /// Ports for a network of `suppliers`, whose chain has `nodes` of `loded` or none. Those of `before`
    /// are kept where they are free; nodes have theirs for good.
    pub(crate) fn choose(
        wish: Wish,
        suppliers: usize,
        nodes: u16,
        before: Option<&Ports>,
    ) -> anyhow::Result<Ports> {
        let mut taken = BTreeSet::new();
        let kept = before.map(|ports| ports.rpc);
        let rpc = match nodes {
            0 => named(wish.rpc, "--rpc-port", kept, &mut taken)?,
            nodes => row(wish.rpc, nodes * PORTS_EACH, kept, &mut taken)?,
        };
        let gateway =
            named(wish.gateway, "--gateway-port", before.map(|ports| ports.gateway), &mut taken)?;
        let kept = before.map(|ports| ports.auditor).filter(|port| *port > 0);
        let auditor = any(kept, &mut taken)?;
        let mut several = |of: fn(&Ports) -> &Vec<u16>| {
            (0..suppliers)
                .map(|i| {
                    let kept = before.and_then(|ports| of(ports).get(i).copied());
                    any(kept, &mut taken)
                })
                .collect::<anyhow::Result<Vec<u16>>>()
        };
        Ok(Ports {
            rpc,
            gateway,
            miners: several(|ports| &ports.miners)?,
            miner_admins: several(|ports| &ports.miner_admins)?,
            suppliers: several(|ports| &ports.suppliers)?,
            rogue: any(before.map(|ports| ports.rogue).filter(|port| *port > 0), &mut taken)?,
            auditor,
        })
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The wished port if it is free, or any where none is wished.
fn named(
    wish: Option<u16>,
    flag: &str,
    before: Option<u16>,
    taken: &mut BTreeSet<u16>,
) -> anyhow::Result<u16> {
    let Some(port) = wish else { return any(before, taken) };
    if !is_free(port) {
        bail!(
            "port {port} is taken: stop what listens there, or choose another with {flag} PORT, or any free ones with --ports auto"
        );
    }
    taken.insert(port);
    Ok(port)
}

/// The second of `length` free ports in a row: the RPC of the first of some nodes.
fn row(
    wish: Option<u16>,
    length: u16,
    before: Option<u16>,
    taken: &mut BTreeSet<u16>,
) -> anyhow::Result<u16> {
    if let Some(rpc) = before.or(wish) {
        let mut ports = rpc.saturating_sub(1)..=rpc.saturating_add(length - 2);
        if let Some(port) = ports.clone().find(|port| !is_free(*port)) {
            bail!(
                "port {port} is taken, and the chain's nodes need {} to {}: stop what listens there, or make another network with --home DIR and --rpc-port PORT or --ports auto",
                ports.start(),
                ports.end()
            );
        }
        taken.extend(&mut ports);
        return Ok(rpc);
    }
    for _ in 0..ROWS_TRIED {
        let first = any(None, &mut BTreeSet::new())?;
        let Some(last) = first.checked_add(length - 1) else { continue };
        if (first..=last).all(is_free) {
            taken.extend(first..=last);
            return Ok(first + 1);
        }
    }
    bail!("no {length} free ports in a row were found: say where with --rpc-port PORT")
}

/// Rows of ports that are tried before giving up.
const ROWS_TRIED: usize = 64;

/// The port from before if it is free, else any.
fn any(before: Option<u16>, taken: &mut BTreeSet<u16>) -> anyhow::Result<u16> {
    if let Some(port) = before.filter(|port| is_free(*port) && !taken.contains(port)) {
        taken.insert(port);
        return Ok(port);
    }
    // The system gives each port that is asked for while the others are held.
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if taken.insert(port) {
            return Ok(port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Wish = Wish { rpc: None, gateway: None };

    #[test]
    fn free_ports_are_all_different() {
        let ports = Ports::choose(ANY, 4, 0, None).unwrap();
        let mut all = vec![ports.rpc, ports.gateway, ports.auditor];
        all.extend(ports.miners.iter().chain(&ports.miner_admins).chain(&ports.suppliers));
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 15);
    }

    #[test]
    fn a_taken_port_is_named_with_its_flag() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        let wish = Wish { rpc: Some(port), ..ANY };
        let text = Ports::choose(wish, 1, 0, None).unwrap_err().to_string();
        assert!(text.contains(&port.to_string()) && text.contains("--rpc-port"), "{text}");
    }

    #[test]
    fn the_ports_of_nodes_are_in_a_row_and_stay() {
        let ports = Ports::choose(ANY, 1, 4, None).unwrap();
        let row = ports.rpc - 1..ports.rpc + 15;
        assert!(!row.contains(&ports.gateway) && !row.contains(&ports.miners[0]));
        assert_eq!(Ports::choose(ANY, 1, 4, Some(&ports)).unwrap().rpc, ports.rpc);
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.rpc + 5)).unwrap();
        let text = Ports::choose(ANY, 1, 4, Some(&ports)).unwrap_err().to_string();
        assert!(text.contains(&held.local_addr().unwrap().port().to_string()), "{text}");
    }

    #[test]
    fn a_network_keeps_its_ports() {
        let ports = Ports::choose(ANY, 2, 0, None).unwrap();
        assert_eq!(Ports::choose(ANY, 2, 0, Some(&ports)).unwrap(), ports);
    }
}
