//! Pages of long answers, as the SDK's clients ask for them.

use super::NoAnswer;
use cosmrs::proto::cosmos::base::query::v1beta1::{PageRequest, PageResponse};

/// Records in one page, when none are asked for, as in the SDK.
const PAGE_DEFAULT: usize = 100;

/// Records in one page at most.
const PAGE_MAX: usize = 1_000;

/// Cuts the page out of `items`, which are in the order of their keys.
pub(super) fn page<T>(
    request: Option<PageRequest>,
    items: Vec<(Vec<u8>, T)>,
) -> Result<(Vec<T>, PageResponse), NoAnswer> {
    let request = request.unwrap_or_default();
    if request.reverse {
        return Err(NoAnswer::Invalid("pages are given in order, not in reverse".to_owned()));
    }
    if request.offset > 0 && !request.key.is_empty() {
        return Err(NoAnswer::Invalid("ask by offset or by key, not by both".to_owned()));
    }
    let total = items.len() as u64;
    let offset = usize::try_from(request.offset).unwrap_or(usize::MAX);
    let mut rest =
        items.into_iter().skip_while(|(key, _)| *key < request.key).skip(offset).peekable();
    let page = rest.by_ref().take(limit(&request)).map(|(_, item)| item).collect();
    let next_key = rest.peek().map(|(key, _)| key.clone()).unwrap_or_default();
    let total = if request.count_total || request.key.is_empty() { total } else { 0 };
    Ok((page, PageResponse { next_key, total }))
}

/// How many records `request` asks for.
pub(super) fn limit(request: &PageRequest) -> usize {
    match usize::try_from(request.limit) {
        Ok(0) => PAGE_DEFAULT,
        Ok(limit) => limit.min(PAGE_MAX),
        Err(_) => PAGE_MAX,
    }
}
