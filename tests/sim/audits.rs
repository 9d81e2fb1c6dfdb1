//! Audits: who is honest keeps bond and stake, who is not ends with less than an honest twin.

mod auditors;
mod market;
mod probes;
mod rules;
mod suppliers;
