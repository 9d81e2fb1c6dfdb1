//! `POST /v1/chat/completions` and `POST /v1/completions`.

use super::{account, refuse};
use crate::gateway::Gateway;
use crate::openai::{Ask, Endpoint, Refusal};
use crate::relay::Job;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

pub(super) async fn chat(State(gateway): State<Gateway>, request: Request) -> Response {
    let served = serve(&gateway, Endpoint::Chat, request).await;
    served.unwrap_or_else(|refusal| refuse(&gateway, refusal))
}

pub(super) async fn text(State(gateway): State<Gateway>, request: Request) -> Response {
    let served = serve(&gateway, Endpoint::Text, request).await;
    served.unwrap_or_else(|refusal| refuse(&gateway, refusal))
}

async fn serve(
    gateway: &Gateway,
    endpoint: Endpoint,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let account = account(gateway, &parts.headers).await?;
    let leave = gateway.admit(&account)?;
    check_type(&parts.headers)?;
    let body = read(gateway, body).await?;
    let ask = Ask::read(endpoint, &body)?;
    gateway.relay(Job { account, leave, ask, body }).await
}

fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let value = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let got = value.unwrap_or_default();
    let kind = got.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Refusal::WrongType { got: got.to_owned() })
    }
}

async fn read(gateway: &Gateway, body: Body) -> Result<Bytes, Refusal> {
    let max = gateway.settings.limits.request_bytes;
    let within = gateway.settings.times.body();
    // What says its length is refused before it is sent.
    if body.size_hint().lower() > max as u64 {
        return Err(Refusal::TooLarge { max });
    }
    let read = tokio::time::timeout(within, Limited::new(body, max).collect()).await;
    match read {
        Err(_) => Err(Refusal::SlowBody { within }),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge { max }),
        Ok(Err(error)) => Err(Refusal::Malformed { reason: error.to_string(), param: None }),
    }
}
