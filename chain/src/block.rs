//! What every block begins and ends with. The work is bounded: what is left waits in order.

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::registry::{frozen, service, stakes};
use crate::{audit, epoch, params, price, seeds, settle};

/// Keeps the block's seed; at a session's first height lets changes take effect, so that everything
/// stands still within a session.
pub(crate) fn begin<H: Host>(draft: &mut Draft<'_, H>) {
    let (height, seed) = (draft.block().height, draft.block().seed);
    seeds::keep(draft, height, &seed);
    seeds::forget(draft);
    if epoch::load(draft).start(height) == height {
        params::take_effect(draft, height);
        service::take_effect(draft);
        frozen::take_effect(draft);
        audit::auditor::take_effect(draft);
        price::begin_steps(draft);
        draft.emit(Event::new("lode_session_boundary").with("start", height));
    }
    audit::begin(draft);
    price::step_some(draft);
}

/// Ends rounds of audits, settles what is due, forgets what nobody can look up any more, and returns stakes once nothing
/// that is due can cost them.
pub(crate) fn end<H: Host>(draft: &mut Draft<'_, H>) {
    audit::end(draft);
    let all_settled = settle::settle_due(draft);
    settle::forget_due(draft);
    if all_settled {
        stakes::give_back_due(draft);
    }
}
