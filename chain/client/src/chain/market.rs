//! What several roles ask the market.

use super::{Chain, QueryError};
use proto::audit::auditor::Auditor;
use proto::audit::case::{Case, Docket};
use proto::claim::Settled;
use proto::params::Params;
use proto::price::State as PriceState;
use proto::query::{
    App, Clock, GetApp, GetAudit, GetAuditor, GetClock, GetDocket, GetGateway, GetParams, GetPrice,
    GetService, GetSession, GetSettled, GetSupplier, ListAudits,
};
use proto::service::{Service, ServiceId};
use proto::session::Session;
use proto::supplier::{Gateway, Supplier};
use proto::{Address, Digest, Height};

impl Chain {
    /// The parameters that sessions open with from the next boundary on.
    pub async fn params(&self) -> Result<Params, QueryError> {
        self.query(&GetParams {}).await
    }

    /// Where the chain's sessions are.
    pub async fn clock(&self) -> Result<Clock, QueryError> {
        self.query(&GetClock {}).await
    }

    /// One service.
    pub async fn service(&self, id: &ServiceId) -> Result<Option<Service>, QueryError> {
        self.find(&GetService { id: Some(id.clone()) }).await
    }

    /// Where a service's price stands.
    pub async fn price(&self, service: &ServiceId) -> Result<Option<PriceState>, QueryError> {
        self.find(&GetPrice { service: Some(service.clone()) }).await
    }

    /// One supplier.
    pub async fn supplier(&self, operator: Address) -> Result<Option<Supplier>, QueryError> {
        self.find(&GetSupplier { operator: Some(operator) }).await
    }

    /// One gateway.
    pub async fn gateway(&self, address: Address) -> Result<Option<Gateway>, QueryError> {
        self.find(&GetGateway { address: Some(address) }).await
    }

    /// An app's free escrow and its delegations.
    pub async fn app(&self, app: Address) -> Result<Option<App>, QueryError> {
        self.find(&GetApp { app: Some(app) }).await
    }

    /// One session that is not settled.
    pub async fn session(&self, id: Digest) -> Result<Option<Session>, QueryError> {
        self.find(&GetSession { id }).await
    }

    /// The session that `gateway` has open for `app` and `service` at the chain's height.
    pub async fn current_session(
        &self,
        service: &ServiceId,
        app: Address,
        gateway: Address,
    ) -> Result<Option<Session>, QueryError> {
        let start = self.clock().await?.start;
        self.session(Session::id_of(self.chain_id(), service, &app, &gateway, start)).await
    }

    /// What the audits of sessions that began at `start` go by, if there are any.
    pub async fn docket(&self, start: Height) -> Result<Option<Docket>, QueryError> {
        self.find(&GetDocket { start }).await
    }

    /// All audits of sessions that began at `start`.
    pub async fn audits(&self, start: Height) -> Result<Vec<Case>, QueryError> {
        let mut all: Vec<Case> = Vec::new();
        loop {
            let after = all.last().map(|case| case.audit.id);
            let question = ListAudits { start, after, ..ListAudits::default() };
            let page = self.query(&question).await?.audits;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// An audit, until it is forgotten.
    pub async fn audit(&self, id: Digest) -> Result<Option<Case>, QueryError> {
        self.find(&GetAudit { id }).await
    }

    /// One auditor.
    pub async fn auditor(&self, address: Address) -> Result<Option<Auditor>, QueryError> {
        self.find(&GetAuditor { address: Some(address) }).await
    }

    /// What became of a claim.
    pub async fn settled(
        &self,
        session_id: Digest,
        operator: Address,
    ) -> Result<Option<Settled>, QueryError> {
        self.find(&GetSettled { session_id, operator: Some(operator) }).await
    }
}
