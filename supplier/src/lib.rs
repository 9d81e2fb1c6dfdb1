//! Runs a model behind an OpenAI-compatible API. It knows nothing of money or chains: any client
//! can use it alone, and a relay miner may stand before it.
//!
//! ```text
//! serve     HTTP: reads requests, writes answers, streamed or not
//! intake    the body of a request, bounded in size and time
//! models    the one model that is served, as it is told of
//! ask       a request's parameters, checked
//! desk      from a request's bytes to what each of its answers is made of
//! author    the making of one answer, token by token; pure
//! defaults  how a model is sampled when a request does not say
//! worker    the one thread that computes: takes jobs, steps the batch, gives out pieces
//! queue     answers that wait for room
//! batch     which tokens go into the next step; pure
//! guess     tokens guessed ahead, by looking up how the text went on before
//! grammar   answers that must have a form
//! tools     calls of the client's tools
//! text      tokens to text: whole characters, stop strings
//! answer    the shapes of answers
//! pipeline  a model over several boxes, as its head is told of it
//! crew      the boxes that run layers for this head
//! memory    what this box has
//! plan      where layers go, of several boxes
//! profile   what a box can do, measured
//! stage     a box that runs layers for a head elsewhere
//! link      what these boxes say to each other, and how
//! admin     the owner's side: status, draining, limits
//! remote    before another server that runs the model
//! shelf     evidence of answers, until the relay miner fetches it
//! replay    answers made again from what a receipt committed to
//! ```

pub mod admin;
mod answer;
mod ask;
mod author;
mod batch;
pub mod config;
mod crew;
mod defaults;
mod desk;
mod grammar;
mod guess;
mod intake;
pub mod link;
mod lost;
pub mod memory;
mod metrics;
mod models;
pub mod pipeline;
pub mod plan;
pub mod profile;
mod queue;
mod refusal;
pub mod remote;
pub mod replay;
mod serve;
mod shelf;
pub mod stage;
mod text;
mod tools;
mod worker;

pub use config::{Config, TEMPLATE};
pub use defaults::{Defaults, DefaultsError};
pub use lost::Loss;
pub use pipeline::Pipeline;
pub use serve::{Parts, ServeError, front, router, serve};
