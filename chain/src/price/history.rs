//! The steps that a price took, and the one that would follow.

use super::next;
use crate::draft::Draft;
use crate::glance::Glance;
use crate::host::Host;
use crate::query::{asked, rows};
use crate::refused::Refused;
use crate::{epoch, keys, params};
use proto::Height;
use proto::price::{HISTORY_SESSIONS, Point, State};
use proto::query::{GetPriceHistory, PriceHistory};
use proto::service::ServiceId;
use proto::wire::Wire;

/// Steps that are forgotten with a new one at most: more than one, so that what became too many when
/// sessions became shorter goes, too.
const FORGOTTEN_MAX: usize = 4;

/// Remembers a step, and forgets those from before [`HISTORY_SESSIONS`].
pub(super) fn keep<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId, point: &Point) {
    let back = epoch::load(draft).length.saturating_mul(HISTORY_SESSIONS);
    for (key, _) in
        draft.stored(&keys::price_points(service, point.since.minus(back)), FORGOTTEN_MAX)
    {
        draft.delete(key);
    }
    draft.write(keys::price_point(service, point.since), point);
}

/// A page of steps, newest first. The first page also says what the next session's price would be.
pub(crate) fn answer(host: &impl Host, q: GetPriceHistory) -> Result<PriceHistory, Refused> {
    let service = asked(q.service, "service")?;
    let first = q.before == Height(0);
    let before = if first { Height(u64::MAX) } else { q.before };
    let (from, to) = keys::price_points(&service, before);
    let points = host.range(&from, &to, rows(q.limit));
    let points = points.iter().map(|(_, bytes)| Ok(Point::decode(bytes)?));
    let points = points.collect::<Result<_, Refused>>()?;
    let predicted = if first { predict(host, &service)? } else { None };
    Ok(PriceHistory { points, predicted })
}

/// The next session's step by the chain's own rule, if nothing more were settled and nobody came or
/// went. Without supply there is nothing to predict.
fn predict(host: &impl Host, service: &ServiceId) -> Result<Option<Point>, Refused> {
    let mut glance = Glance(host);
    let mut draft = Draft::new(&mut glance);
    let before: Option<State> = draft.read(&keys::price(service));
    let before = before.ok_or_else(|| Refused::missing(format!("the price of {service}")))?;
    let (height, params) = (draft.block().height, params::load(&mut draft).price);
    let since = epoch::load(&mut draft).next_start(height);
    let (state, demand) = next(&mut draft, service, &before, &params, since);
    Ok((demand.capacity.0 > 0).then(|| Point::of(&state, demand)))
}
