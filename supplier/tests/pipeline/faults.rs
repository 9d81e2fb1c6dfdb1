//! Boxes that die, hang, lag, lie and come back while clients stream.

use super::boxes::{Crew, Setting, alone};
use super::proxy::Fault;
use super::{stream, streams};
use tokio::sync::OnceCell;

/// What the clients are streamed when nothing happens.
async fn expected() -> &'static Vec<Result<String, String>> {
    static EXPECTED: OnceCell<Vec<Result<String, String>>> = OnceCell::const_new();
    EXPECTED.get_or_init(async || streams(&alone()).await).await
}

/// Streams to all clients, and does `harm` to the crew once so many bytes went to its first stage.
async fn harmed(setting: Setting, bytes: u64, harm: impl AsyncFnOnce(&mut Crew)) {
    let mut crew = Crew::new(setting).await;
    let router = crew.router.clone();
    let mut clients = tokio::spawn(async move { streams(&router).await });
    tokio::select! {
        () = crew.proxies[0].passed(bytes) => {}
        _ = &mut clients => panic!("all was said before {bytes} bytes had passed"),
    }
    harm(&mut crew).await;
    assert_eq!(&clients.await.unwrap(), expected().await);
}

/// Points at which something happens: while prompts are read, early and late in the answers.
const POINTS: [u64; 3] = [20_000, 120_000, 250_000];

fn with_standby() -> Setting {
    Setting { head: Some(1), cuts: vec!["1..4", "4..8", "1..4"], ..Setting::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_dies_is_replaced_by_its_standby() {
    for point in POINTS {
        harmed(with_standby(), point, async |crew| crew.stages[0].kill().await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_boxes_left_share_the_layers_of_one_that_dies() {
    for point in POINTS {
        let setting = Setting { head: Some(1), cuts: vec!["", "", ""], ..Setting::default() };
        harmed(setting, point, async |crew| crew.stages[1].kill().await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_takes_all_layers_when_no_box_is_left() {
    let setting = Setting { head: Some(1), cuts: vec!["1..8"], alone: true, ..Setting::default() };
    harmed(setting, POINTS[1], async |crew| crew.stages[0].kill().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_cuts_freezes_or_changes_bytes_changes_no_answer() {
    for (fault, point) in [Fault::Cut, Fault::Freeze, Fault::Corrupt].into_iter().zip(POINTS) {
        harmed(with_standby(), point, async |crew| crew.proxies[0].set(fault)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_goes_and_comes_back_again_and_again_loses_nobody() {
    let setting = Setting { head: Some(1), cuts: vec!["1..4", "4..8"], ..Setting::default() };
    harmed(setting, POINTS[0], async |crew| {
        for _ in 0..3 {
            crew.stages[0].kill().await;
            crew.stages[0].come_back().await;
            // Greeting, order and the first rows of the new epoch.
            crew.proxies[0].passed(2_000).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_boxes_clients_are_told_so_and_served_again_when_one_is_back() {
    let setting = Setting { head: Some(1), cuts: vec!["1..8"], recover_s: 1, ..Setting::default() };
    let mut crew = Crew::new(setting).await;
    assert_eq!(stream(&crew.router, 0).await, expected().await[0]);
    crew.stages[0].kill().await;
    let told = stream(&crew.router, 1).await.unwrap_err();
    assert!(told.contains("have no place: 0 of 1 stages are there"), "{told}");
    crew.stages[0].come_back().await;
    let mut answer = stream(&crew.router, 2).await;
    // The head finds the stage after a while; until then clients are told.
    while answer.as_ref().is_err_and(|told| told.contains("have no place")) {
        answer = stream(&crew.router, 2).await;
    }
    assert_eq!(answer, expected().await[2]);
}
