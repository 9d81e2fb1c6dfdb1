//! tendermint-rpc's `Client`, over this crate's transport: every call of CometBFT 0.38 that is safe
//! to ask twice.

use super::{Judged, Rpc, read};
use tendermint_rpc::client::Client;
use tendermint_rpc::{Error, SimpleRequest};

#[async_trait::async_trait]
impl Client for Rpc {
    async fn perform<R: SimpleRequest>(&self, request: R) -> Result<R::Output, Error> {
        let reply = self
            .ask_raw(&request.into_json(), Judged::Take)
            .await
            .map_err(|offline| Error::client_internal(offline.to_string()))?;
        match read::<R>(reply).map_err(Error::parse)? {
            Ok(answer) => Ok(answer),
            Err(error) => Err(Error::response(error)),
        }
    }
}
