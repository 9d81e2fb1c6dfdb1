//! Services: models that sources list.

use super::RegistryRefused;
use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::refused::{Refused, check_denom};
use crate::{keys, price};
use proto::message::ListService;
use proto::service::{Service, ServiceId};
use proto::{Amount, Coin};

/// Listings that take effect at one boundary at most; the rest waits for the next, in order.
const LISTINGS_MAX: usize = 4_096;

pub(crate) fn list<H: Host>(draft: &mut Draft<'_, H>, m: &ListService) -> Result<(), Refused> {
    let service = &m.service;
    check(service)?;
    if service.source != m.source {
        return Err(Refused::NotYours { who: m.source, owner: service.source });
    }
    if let Some(before) = known(draft, &service.id).filter(|before| before.source != m.source) {
        return Err(Refused::NotYours { who: m.source, owner: before.source });
    }
    draft.write(keys::service_to_come(&service.id), service);
    draft.set(keys::to_list(draft.block().height, &service.id), Vec::new());
    draft.emit(
        Event::new("lode_service_listed").with("service", &service.id).with("source", m.source),
    );
    Ok(())
}

/// Whether a service can be listed here.
pub(crate) fn check(service: &Service) -> Result<(), Refused> {
    service.check().map_err(RegistryRefused::from)?;
    check_denom(&Coin::new(Amount::ZERO, service.denom.clone()))
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
