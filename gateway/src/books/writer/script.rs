//! A batch of writes as one script: SQLite runs it in another thread, and going there once instead of
//! once for each statement is most of what a relay's books cost. Each statement by itself is
//! portable.

use super::super::row::{int, status_name};
use super::super::{Outcome, Running};
use super::{Job, Write};
use proto::wire::Wire;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Old rows that one transaction removes at most: nobody shall wait long for it.
const PRUNE_MAX: i64 = 2_000;

/// What keys have spent, in millionths of the coin's smallest unit, as it is on disk. Only this task
/// changes it there.
#[derive(Debug, Default)]
pub(super) struct Spent(BTreeMap<Arc<str>, u128>);

impl Spent {
    /// What the keys of a batch will have spent after it.
    pub(super) async fn after(
        &mut self,
        connection: &mut SqliteConnection,
        batch: &[Job],
    ) -> Result<BTreeMap<Arc<str>, u128>, sqlx::Error> {
        let mut after = BTreeMap::new();
        for job in batch {
            let Write::End(outcome) = &job.write else {
                continue;
            };
            if outcome.due.0 == 0 {
                continue;
            }
            let key = &outcome.key_id;
            if !self.0.contains_key(key) {
                let spent: Option<String> =
                    sqlx::query_scalar("SELECT spent FROM keys WHERE id = ?")
                        .bind(key.to_string())
                        .fetch_optional(&mut *connection)
                        .await?;
                let spent = spent.and_then(|text| text.parse().ok()).unwrap_or_default();
                self.0.insert(key.clone(), spent);
            }
            let before = self.0.get(key).copied().unwrap_or_default();
            let sum: &mut u128 = after.entry(key.clone()).or_insert(before);
            *sum = sum.saturating_add(outcome.due.0);
        }
        Ok(after)
    }

    /// It is on disk.
    pub(super) fn take(&mut self, after: BTreeMap<Arc<str>, u128>) {
        self.0.extend(after);
    }
}

/// The whole transaction. What relays cost is in it with their rows: after a crash both are there
/// or neither.
pub(super) fn of<'a>(
    batch: &'a [Job],
    spent: &BTreeMap<Arc<str>, u128>,
) -> QueryBuilder<'a, Sqlite> {
    let mut script = QueryBuilder::new("BEGIN IMMEDIATE; ");
    let (mut begun, mut ended, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for job in batch {
        match &job.write {
            Write::Begin(running) => begun.push(running),
            Write::End(outcome) => {
                ended.push(&**outcome);
                gone.push(outcome.relay_id);
            }
            Write::Forget(relay_id) => gone.push(*relay_id),
            rare => push_rare(&mut script, rare),
        }
    }
    if !begun.is_empty() {
        push_running(&mut script, &begun);
    }
    if !ended.is_empty() {
        push_ended(&mut script, &ended);
    }
    for (key, spent) in spent {
        script.push("UPDATE keys SET spent = ").push_bind(spent.to_string());
        script.push(" WHERE id = ").push_bind(key.to_string()).push("; ");
    }
    if !gone.is_empty() {
        script.push("DELETE FROM running WHERE relay_id IN (");
        let mut list = script.separated(", ");
        for relay_id in gone {
            list.push_bind(relay_id.0.to_vec());
        }
        script.push("); ");
    }
    script.push("COMMIT");
    script
}

fn push_running<'a>(script: &mut QueryBuilder<'a, Sqlite>, begun: &[&'a Running]) {
    script.push(
        "INSERT INTO running (relay_id, key_id, session_id, supplier, seq, max_cu, started, request) ",
    );
    script.push_values(begun, |mut row, running| {
        row.push_bind(running.relay_id.0.to_vec())
            .push_bind(running.key_id.to_string())
            .push_bind(running.session_id.0.to_vec())
            .push_bind(running.supplier.to_string())
            .push_bind(int(running.seq))
            .push_bind(int(running.max_cu.0))
            .push_bind(int(running.started.0))
            .push_bind(running.request.as_slice());
    });
    script.push("; ");
}

fn push_ended<'a>(script: &mut QueryBuilder<'a, Sqlite>, ended: &[&'a Outcome]) {
    script.push(
        "INSERT INTO relays (relay_id, key_id, service, session_id, supplier, seq, status, fresh_in, \
         cached_in, out, cu, cost, started, first_byte, finished, request, receipt) ",
    );
    script.push_values(ended, |mut row, outcome| {
        row.push_bind(outcome.relay_id.0.to_vec())
            .push_bind(outcome.key_id.to_string())
            .push_bind(outcome.service.as_str())
            .push_bind(outcome.session_id.0.to_vec())
            .push_bind(outcome.supplier.to_string())
            .push_bind(int(outcome.seq))
            .push_bind(status_name(outcome.status))
            .push_bind(int(outcome.usage.fresh_in))
            .push_bind(int(outcome.usage.cached_in))
            .push_bind(int(outcome.usage.out))
            .push_bind(int(outcome.cu.0))
            .push_bind(outcome.cost.to_string())
            .push_bind(int(outcome.started.0))
            .push_bind(outcome.first_byte.map(|time| int(time.0)))
            .push_bind(int(outcome.finished.0))
            .push_bind(outcome.request.as_slice())
            .push_bind(outcome.receipt.as_deref());
    });
    script.push("; ");
}

/// What happens a few times a session.
fn push_rare<'a>(script: &mut QueryBuilder<'a, Sqlite>, write: &'a Write) {
    match write {
        Write::Begin(_) | Write::End(_) | Write::Forget(_) => {}
        Write::Session(session) => {
            script
                .push("INSERT INTO sessions (id, service, start_height, session, closed) VALUES (");
            let mut row = script.separated(", ");
            row.push_bind(session.id.0.to_vec())
                .push_bind(session.service.as_str())
                .push_bind(int(session.start.0))
                .push_bind(session.encode())
                .push("FALSE");
            script.push(") ON CONFLICT (id) DO NOTHING; ");
        }
        Write::Claim { supplier, claim } => {
            script.push("INSERT INTO claims (session_id, supplier, claim) VALUES (");
            let mut row = script.separated(", ");
            row.push_bind(claim.session_id.0.to_vec())
                .push_bind(supplier.to_string())
                .push_bind(claim.encode());
            script.push(
                ") ON CONFLICT (session_id, supplier) DO UPDATE SET claim = excluded.claim; ",
            );
        }
        Write::Settled(settled) => {
            script.push("INSERT INTO claims (session_id, supplier, settled) VALUES (");
            let mut row = script.separated(", ");
            row.push_bind(settled.session_id.0.to_vec())
                .push_bind(settled.operator.to_string())
                .push_bind(settled.encode());
            script.push(
                ") ON CONFLICT (session_id, supplier) DO UPDATE SET settled = excluded.settled; ",
            );
        }
        Write::Opening { relay_id, opening } => {
            script.push("UPDATE relays SET opening = ").push_bind(opening.encode());
            script.push(" WHERE relay_id = ").push_bind(relay_id.0.to_vec()).push("; ");
        }
        Write::Close { session_id } => {
            script.push("UPDATE sessions SET closed = TRUE WHERE id = ");
            script.push_bind(session_id.0.to_vec()).push("; ");
        }
        Write::Prune { before } => {
            script
                .push("DELETE FROM relays WHERE relay_id IN (SELECT relay_id FROM relays WHERE finished < ")
                .push_bind(int(before.0))
                .push(" ORDER BY finished LIMIT ")
                .push_bind(PRUNE_MAX)
                .push("); ");
            let unused =
                "closed AND NOT EXISTS (SELECT 1 FROM relays WHERE session_id = sessions.id)";
            script.push(format!(
                "DELETE FROM claims WHERE session_id IN (SELECT id FROM sessions WHERE {unused}); \
                 DELETE FROM sessions WHERE {unused}; "
            ));
        }
    }
}
