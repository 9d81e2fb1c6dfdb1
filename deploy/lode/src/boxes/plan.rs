//! `lode supplier plan`.

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use supplier::plan::{Plan, Problem, plan};
use supplier::profile::{Profile, Way, Wish, problem};

/// What is planned, and for what.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Profiles of the boxes, the head's first.
    #[arg(required = true)]
    profiles: Vec<PathBuf>,
    /// What counts.
    #[arg(long, value_enum, default_value_t = Goal::Latency)]
    goal: Goal,
    /// Answers side by side, when throughput counts.
    #[arg(long, default_value_t = 16)]
    answers: usize,
    /// Tokens of each answer with its prompt, for which memory is kept.
    #[arg(long, default_value_t = 2048)]
    tokens: usize,
    /// Share layers also where one box holds them all.
    #[arg(long)]
    shard: bool,
    /// Numbers between boxes are rounded to bf16.
    #[arg(long)]
    bf16: bool,
    /// Milliseconds there and back that are taken for ways nobody measured.
    #[arg(long, default_value_t = 1.0)]
    rtt_ms: f64,
    /// Megabits a second that are taken for ways nobody measured.
    #[arg(long, default_value_t = 1000.0)]
    mbit: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print what goes into the head's configuration.
    #[arg(long, conflicts_with = "json")]
    toml: bool,
}

/// What counts.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Goal {
    /// The time to the next token of one answer.
    Latency,
    /// Tokens a second of all answers together.
    Throughput,
}

/// Plans, and prints the plan.
pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    let read = options.profiles.iter().map(|path| read(path));
    let profiles = read.collect::<anyhow::Result<Vec<Profile>>>()?;
    let answers = match options.goal {
        Goal::Latency => 1,
        Goal::Throughput => options.answers,
    };
    let round_trip = options.rtt_ms * 1e3;
    let unknown = Way { key: String::new(), round_trip, bytes_per_s: options.mbit * 125e3 };
    let residual = if options.bf16 { engine::Residual::Bf16 } else { engine::Residual::F32 };
    let wish = Wish { answers, tokens: options.tokens, residual, shard: options.shard, unknown };
    let problem = problem(&profiles, &wish)?;
    let plan = plan(&problem)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&whole(&profiles, &problem, &plan))?);
    } else if options.toml {
        print!("{}", configuration(&profiles, &plan, options.bf16));
    } else {
        print!("{}", text(&profiles, &problem, &plan));
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Profile> {
    let bytes =
        std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no profile", path.display()))
}

/// The layers of each stage, from where to where.
fn ranges(plan: &Plan) -> Vec<(usize, usize, usize)> {
    let from = plan.stages.iter().scan(0, |at, (place, layers)| {
        *at += layers;
        Some((*place, *at - layers, *at))
    });
    from.collect()
}

/// Milliseconds that a box computes for a group.
fn busy(problem: &Problem, plan: &Plan, place: usize, layers: usize) -> f64 {
    let alone = Problem { places: vec![problem.places[place].clone()], ..problem.clone() };
    alone.cycle(&[(0, layers)], plan.groups) / plan.groups as f64 / 1e3
}

fn whole(profiles: &[Profile], problem: &Problem, plan: &Plan) -> Value {
    let stage = |(place, from, to): (usize, usize, usize)| {
        let profile = &profiles[place];
        json!({
            "box": profile.name, "key": profile.key, "address": profile.address,
            "from": from, "to": to, "most": problem.places[place].most,
            "weights_bytes": (to - from) * profile.layer_bytes,
            "busy_ms": busy(problem, plan, place, to - from),
        })
    };
    json!({
        "stages": ranges(plan).into_iter().map(stage).collect::<Vec<_>>(),
        "groups": plan.groups,
        "answers": problem.answers,
        "cycle_ms": plan.cycle / 1e3,
        "tokens_per_s": problem.answers as f64 * 1e6 / plan.cycle,
        "gap_max": plan.cycle / plan.bound - 1.0,
    })
}

fn text(profiles: &[Profile], problem: &Problem, plan: &Plan) -> String {
    let mut out = String::new();
    let slowest = |(place, layers): &(usize, usize)| busy(problem, plan, *place, *layers);
    let most = plan.stages.iter().map(slowest).fold(0.0, f64::max);
    for (place, from, to) in ranges(plan) {
        let (profile, layers) = (&profiles[place], to - from);
        let busy = busy(problem, plan, place, layers);
        let mib = (layers * profile.layer_bytes) as f64 / f64::from(1 << 20);
        let holds = problem.places[place].most.min(problem.layers);
        let why = match (layers == holds, busy >= most && plan.stages.len() > 1) {
            (true, _) => ": no more fit",
            (false, true) => ": it sets the pace",
            (false, false) => "",
        };
        out += &format!(
            "{:<16} layers {from}..{to} ({layers} of the {holds} it holds), {mib:.0} MiB, {busy:.2} ms a step{why}\n",
            profile.name
        );
    }
    let why = match plan.stages.iter().filter(|(_, layers)| *layers > 0).count() {
        1 if !problem.shard => "one box holds all layers",
        _ => "with it a token would take no less",
    };
    let unused = (0..profiles.len()).filter(|i| plan.stages.iter().all(|(place, _)| place != i));
    for i in unused {
        out += &format!("{:<16} is not needed: {why}\n", profiles[i].name);
    }
    let (cycle, answers) = (plan.cycle / 1e3, problem.answers);
    out += &format!(
        "answers: {answers}, groups: {}, {cycle:.2} ms a token of each, {:.1} tokens/s\n",
        plan.groups,
        answers as f64 * 1e3 / cycle
    );
    let gap = (plan.cycle / plan.bound - 1.0) * 100.0;
    out += &match gap < 1e-6 {
        true => "no plan is better\n".to_owned(),
        false => format!("no plan is better by more than {gap:.1} %\n"),
    };
    out
}

fn configuration(profiles: &[Profile], plan: &Plan, bf16: bool) -> String {
    let residual = if bf16 { "bf16" } else { "f32" };
    let head = plan.stages.first().map_or(0, |(_, layers)| *layers);
    let mut out = format!(
        "[pipeline]\nlayers = {head}\nresidual = \"{residual}\"\ngroups = {}\n",
        plan.groups
    );
    for (place, from, to) in ranges(plan).into_iter().skip(1) {
        let Profile { name, key, address, .. } = &profiles[place];
        out += &format!(
            "\n# {name}\n[[stages]]\naddress = \"{address}\"\nkey = \"{key}\"\nlayers = \"{from}..{to}\"\n"
        );
    }
    out
}
