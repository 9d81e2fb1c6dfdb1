//! The body of a request as it comes from a client: bounded in size and in time.

use crate::refusal::Refusal;
use axum::body::{Body, Bytes, HttpBody};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;

/// How long a body may take to arrive: whoever sends slower holds a connection for nothing.
const WITHIN: Duration = Duration::from_secs(30);

/// The whole body, if it has no more than `most` bytes.
pub(crate) async fn read(body: Body, most: usize) -> Result<Bytes, Refusal> {
    read_within(body, most, WITHIN).await
}

async fn read_within(body: Body, most: usize, within: Duration) -> Result<Bytes, Refusal> {
    // What says its length is refused before it is sent.
    if body.size_hint().lower() > most as u64 {
        return Err(Refusal::TooLarge(most));
    }
    match tokio::time::timeout(within, Limited::new(body, most).collect()).await {
        Err(_) => Err(Refusal::Slow(within.as_secs())),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge(most)),
        Ok(Err(error)) => Err(Refusal::Broken(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(body: Body) -> String {
        read(body, 4).await.expect_err("it is no good body").to_string()
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_and_one_that_breaks_off_are_told_apart() {
        assert_eq!(refused(Body::from("12345")).await, "the request is larger than 4 bytes");
        let parts = |last: std::io::Result<&'static str>| {
            Body::from_stream(futures::stream::iter([Ok("123"), last]))
        };
        assert_eq!(refused(parts(Ok("45"))).await, "the request is larger than 4 bytes");
        let broken = refused(parts(Err(std::io::Error::other("gone")))).await;
        assert!(broken.starts_with("the body did not arrive whole"), "{broken}");
        assert!(read(Body::from("1234"), 4).await.is_ok());
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let never = Body::from_stream(futures::stream::pending::<std::io::Result<&str>>());
        let refused = read_within(never, 4, Duration::ZERO).await.expect_err("it never ends");
        assert_eq!(refused.to_string(), "the body did not arrive within 0 s");
    }
}
