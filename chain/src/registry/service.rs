//! Services: models that sources list.

use super::RegistryRefused;
use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::{keys, params, price};
use proto::message::ListService;
use proto::service::{Service, ServiceId};

/// Listings that take effect at one boundary at most; the rest waits for the next, in order.
const LISTINGS_MAX: usize = 4_096;

pub(crate) fn list<H: Host>(draft: &mut Draft<'_, H>, m: &ListService) -> Result<(), Refused> {
    let service = &m.service;
    check(service)?;
    params::value(draft, &service.denom)?;
    if service.source != m.source {
        return Err(Refused::NotYours { who: m.source, owner: service.source });
    }
    if let Some(before) = known(draft, &service.id) {
        may_replace(service, &before)?;
    }
    draft.write(keys::service_to_come(&service.id), service);
    draft.set(keys::to_list(draft.block().height, &service.id), Vec::new());
    draft.emit(
        Event::new("lode_service_listed").with("service", &service.id).with("source", m.source),
    );
    Ok(())
}

/// Whether a service can be. One whose coin is not allowed any more can be, but opens no sessions.
pub(crate) fn check(service: &Service) -> Result<(), RegistryRefused> {
    Ok(service.check()?)
}

/// Whether a listing can take the place of another one. The price that stands and the suppliers' asks
/// are numbers of its coin, and would mean something else in another one.
fn may_replace(service: &Service, before: &Service) -> Result<(), Refused> {
    if service.source != before.source {
        return Err(Refused::NotYours { who: service.source, owner: before.source });
    }
    if service.denom != before.denom {
        let (id, denom) = (service.id.clone(), before.denom.clone());
        return Err(RegistryRefused::CoinChanges { id, denom }.into());
    }
    Ok(())
}

/// The service as it is in this session.
pub(crate) fn current<H: Host>(draft: &mut Draft<'_, H>, id: &ServiceId) -> Option<Service> {
    draft.read(&keys::service(id))
}

/// The service as it will be, or is.
pub(crate) fn known<H: Host>(draft: &mut Draft<'_, H>, id: &ServiceId) -> Option<Service> {
    draft.read(&keys::service_to_come(id)).or_else(|| current(draft, id))
}

/// Lets listings of the last session take effect.
pub(crate) fn take_effect<H: Host>(draft: &mut Draft<'_, H>) {
    let due = keys::until(keys::TO_LIST, draft.block().height);
    for (key, _) in draft.stored(&due, LISTINGS_MAX) {
        let id = String::from_utf8_lossy(keys::queued(&key)).into_owned();
        let to_come = ServiceId::new(id).map(|id| keys::service_to_come(&id)).unwrap_or_default();
        // One that was listed twice takes effect once, as it was listed last.
        if let Some(service) = draft.read(&to_come) {
            adopt(draft, &service);
            draft.delete(to_come);
        }
        draft.delete(key);
    }
}

/// Makes a service current.
pub(crate) fn adopt<H: Host>(draft: &mut Draft<'_, H>, service: &Service) {
    price::begin(draft, service);
    draft.write(keys::service(&service.id), service);
}
