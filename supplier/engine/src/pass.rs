//! A step that goes over several boxes: each runs some of the layers.
//!
//! ```text
//! first box   enter: tokens -> embedding -> its layers      keeps tokens, pages, sampling
//! others      pass:  rows -> their layers                   keep keys and values by page number
//! first box   leave: last rows -> norm, head -> logits
//! ```
//!
//! Where the first box decides which page of which number holds what, the others obey: they know
//! rows and numbers of pages, but no tokens. Steps must reach a box in the order in which they were
//! entered.

use crate::cache::{Cache, PAGE, PageId, Pages};
use crate::model::{Chunk, Model, Step, StepError, on_a_pool_thread, rows_wanted, wanted};

/// A piece of a sequence, as boxes know it that see no tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The numbers of the pages of its sequence, from the first token on.
    pub pages: Vec<u32>,
    /// The position of its first row.
    pub from: u32,
    /// How many rows it has.
    pub count: u32,
    /// After how many of its last rows what follows is asked for.
    pub wants: u32,
}

/// Keys and values of the layers of a box that is not the first.
#[derive(Debug)]
pub struct Store {
    pages: Pages,
}

/// Why rows were not taken. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassError {
    #[error("{got} numbers came for {rows} rows of {hidden}")]
    Size { got: usize, rows: usize, hidden: usize },
    #[error("a piece of no rows")]
    Empty,
    #[error("a piece of {rows} rows wants to know what follows {wants}")]
    Wants { rows: u32, wants: u32 },
    #[error("a piece ends at position {end}, but the context has {context}")]
    TooLong { end: u64, context: usize },
    #[error("a piece that ends at position {end} needs {needed} pages, but names {got}")]
    Pages { end: u64, needed: usize, got: usize },
    #[error("page {page} is named, but there are {all}")]
    Page { page: u32, all: usize },
    #[error("a number that flows between layers is not finite")]
    NotFinite,
    #[error("this part of the model has no head")]
    NoHead,
}

impl Store {
    /// Pages at most.
    pub fn pages(&self) -> usize {
        self.pages.all()
    }
}

impl Model {
    /// Room for the keys and values of `pages` pages.
    pub fn store(&self, pages: usize) -> Store {
        let heads = self.weights.shape.kept();
        Store { pages: Pages::new(pages, self.weights.layers.len(), heads) }
    }

    /// Reads `chunks` by the embedding and the layers that are here. Gives what the next box needs.
    pub fn enter(
        &self,
        cache: &mut Cache,
        chunks: &[Chunk<'_>],
    ) -> Result<(Vec<Span>, Vec<f32>), StepError> {
        self.check(cache, chunks)?;
        let (step, x) = on_a_pool_thread(|| self.read(cache, chunks));
        let span = |(chunk, table): (&Chunk<'_>, &Vec<PageId>)| Span {
            pages: table.iter().map(|page| page.number()).collect(),
            from: (cache.length(chunk.slot) - chunk.tokens.len()) as u32,
            count: chunk.tokens.len() as u32,
            wants: rows_wanted(cache, chunk) as u32,
        };
        Ok((chunks.iter().zip(&step.tables).map(span).collect(), x.to_vec()))
    }

    /// Runs the layers that are here over the rows of `spans`.
    pub fn pass(&self, store: &mut Store, spans: &[Span], x: &mut [f32]) -> Result<(), PassError> {
        let step = self.placed(store, spans, x)?;
        on_a_pool_thread(|| self.layers(&mut store.pages, &step, x));
        Ok(())
    }

    /// The logits after rows that all layers have read.
    pub fn leave(&self, rows: &[f32]) -> Result<Vec<Vec<f32>>, PassError> {
        let hidden = self.hidden();
        if !rows.len().is_multiple_of(hidden) {
            return Err(PassError::Size { got: rows.len(), rows: rows.len() / hidden, hidden });
        }
        if self.weights.ends.is_none() {
            return Err(PassError::NoHead);
        }
        finite(rows)?;
        Ok(on_a_pool_thread(|| self.ending(rows)))
    }

    fn placed(&self, store: &mut Store, spans: &[Span], x: &[f32]) -> Result<Step, PassError> {
        let (hidden, context) = (self.hidden(), self.context_max());
        let rows = spans.iter().map(|span| span.count as usize).sum::<usize>();
        if rows.checked_mul(hidden) != Some(x.len()) {
            return Err(PassError::Size { got: x.len(), rows, hidden });
        }
        finite(x)?;
        let mut step = Step::default();
        for span in spans {
            let end = u64::from(span.from) + u64::from(span.count);
            if span.count == 0 {
                return Err(PassError::Empty);
            }
            if span.wants > span.count {
                return Err(PassError::Wants { rows: span.count, wants: span.wants });
            }
            if end > context as u64 {
                return Err(PassError::TooLong { end, context });
            }
            let (needed, got) = ((end as usize).div_ceil(PAGE), span.pages.len());
            if needed != got {
                return Err(PassError::Pages { end, needed, got });
            }
            let all = store.pages.all();
            let page =
                |&page: &u32| store.pages.numbered(page).ok_or(PassError::Page { page, all });
            let pages = span.pages.iter().map(page).collect::<Result<_, _>>()?;
            self.place(&mut step, pages, span.from as usize, span.count as usize);
        }
        Ok(step)
    }
}

/// The last rows of all spans, as many as each wants.
pub fn last_rows(spans: &[Span], hidden: usize, x: &[f32]) -> Vec<f32> {
    wanted(spans.iter().map(|span| (span.count as usize, span.wants as usize)), hidden, x)
}

fn finite(x: &[f32]) -> Result<(), PassError> {
    if x.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(PassError::NotFinite) }
}
