//! Services: models that sources list.

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::{keys, price, roster};
use proto::message::ListService;
use proto::service::{Service, ServiceId};
use proto::{Coin, Denom};

/// Services of one chain at most: each takes a step of its price at a session's first block.
pub(crate) const SERVICES_MAX: u64 = 1_024;

pub(crate) fn list<H: Host>(draft: &mut Draft<'_, H>, m: &ListService) -> Result<(), Refused> {
    let service = &m.service;
    service.check()?;
    if service.source != m.source {
        return Err(Refused::NotYours { who: m.source, owner: service.source });
    }
    if service.denom != Denom::stake() {
        let coin = Coin::new(Default::default(), service.denom.clone());
        return Err(Refused::WrongCoin { coin, expected: Denom::stake() });
    }
    match known(draft, &service.id) {
        Some(before) if before.source != m.source => {
            return Err(Refused::NotYours { who: m.source, owner: before.source });
        }
        Some(_) => {}
        None => count_one_more(draft)?,
    }
    draft.write(keys::service_to_come(&service.id), service);
    draft.emit(
        Event::new("lode_service_listed").with("service", &service.id).with("source", m.source),
    );
    Ok(())
}

fn count_one_more<H: Host>(draft: &mut Draft<'_, H>) -> Result<(), Refused> {
    let bytes = draft.get(&keys::SERVICE_COUNT).and_then(|bytes| bytes.try_into().ok());
    let count = bytes.map_or(0, u64::from_be_bytes);
    if count >= SERVICES_MAX {
        return Err(Refused::TooMany { what: "services", count: count as usize });
    }
    draft.set(keys::SERVICE_COUNT.to_vec(), (count + 1).to_be_bytes().to_vec());
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
    for (key, bytes) in draft.stored(&keys::all(keys::SERVICES_TO_COME), SERVICES_MAX as usize) {
        draft.delete(key);
        if let Ok(service) = <Service as proto::wire::Wire>::decode(&bytes) {
            adopt(draft, &service);
        }
    }
}

/// Makes a service current.
pub(crate) fn adopt<H: Host>(draft: &mut Draft<'_, H>, service: &Service) {
    if current(draft, &service.id).is_none() {
        price::begin(draft, service);
        roster::begin(draft, &service.id);
    }
    draft.write(keys::service(&service.id), service);
}

/// Counts a service of the genesis.
pub(crate) fn count_genesis<H: Host>(draft: &mut Draft<'_, H>, count: usize) {
    draft.set(keys::SERVICE_COUNT.to_vec(), (count as u64).to_be_bytes().to_vec());
}
