//! Sessions come and go; requests do not notice.

use crate::harness::{Does, World, ask, until};
use futures::future::join_all;
use proto::Height;

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_streams_cross_from_session_to_session_without_a_failure() {
    let world = World::new(3).await;
    world.ready().await;
    let clients: Vec<_> = (0..16).map(|_| world.client()).collect();
    let blocks = async {
        for height in 3..45 {
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            world.chain.advance_to(Height(height));
        }
    };
    let streams = join_all(clients.iter().map(async |client| {
        let mut served = 0;
        while world.chain.height() < Height(44) {
            let answer = client.stream("one two", 5, true).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
            served += 1;
        }
        served
    }));
    let (_, served) = tokio::join!(blocks, streams);
    assert!(served.iter().all(|served| *served > 0));
    let used = world.chain.sessions();
    assert!(used.len() >= 4, "{} sessions", used.len());
    let total: u64 = served.iter().sum();
    until("all acknowledged", async || {
        let acked: u64 = used
            .iter()
            .flat_map(|s| world.miners.iter().map(|m| m.book(&s.id, |book| book.known.count)))
            .sum();
        (acked == total).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_session_serves_until_the_next_one_is_open() {
    let world = World::new(1).await;
    world.ready().await;
    world.chain.change(|state| state.refuses = Some("the mempool is full".into()));
    world.chain.advance_to(Height(12));
    assert_eq!(world.client().chat("a", 1).await.status, 200);
    world.chain.advance_to(Height(14));
    let answer = until("the grace is over", async || {
        let answer = world.client().chat("a", 1).await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("the mempool is full"), "{}", answer.text());
    world.chain.change(|state| state.refuses = None);
    world.chain.advance_to(Height(15));
    until("open again", async || (world.client().chat("a", 1).await.status == 200).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_may_outlive_its_session() {
    let world = World::new(1).await;
    world.ready().await;
    world.miners[0].does(Does::Pace);
    world.miners[0].pace.add_permits(1);
    let mut stream = world.client().open_stream("a", 3, false).await;
    world.miners[0].does(Does::Serve);
    world.chain.advance_to(Height(16));
    until("the next session", async || (world.chain.sessions().len() == 2).then_some(())).await;
    assert_eq!(world.client().chat("a", 1).await.status, 200);
    world.miners[0].pace.add_permits(100);
    let mut text = String::new();
    while let Some(piece) = stream.chunk().await.unwrap() {
        text += std::str::from_utf8(&piece).unwrap();
    }
    assert!(text.ends_with("data: [DONE]\n\n"));
    let first = world.chain.sessions()[0].id;
    until("acknowledged in its own session", async || {
        world.miners[0].book(&first, |book| (book.known.cu.0 == 13).then_some(()))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miner_that_has_not_seen_the_session_yet_is_waited_for() {
    let world = World::new(1).await;
    world.ready().await;
    world.miners[0].does(Does::Refuse(404, "unknown_session"));
    let client = world.client();
    let body = ask("a", 1);
    let (answer, ()) = tokio::join!(client.post(&body), async {
        until("asked", async || world.miners[0].state(|s| (s.asked > 1).then_some(()))).await;
        world.miners[0].does(Does::Serve);
    });
    assert_eq!(answer.status, 200, "{}", answer.text());
}
