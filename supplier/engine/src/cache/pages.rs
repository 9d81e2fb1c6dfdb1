//! The memory of the cache.

use crate::device::DeviceFault;

/// Tokens in one page: small enough that little is wasted, large enough that looking pages up
/// costs nothing.
pub const PAGE: usize = 32;

/// Heads of keys and values, and the floats of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heads {
    pub(crate) count: usize,
    pub(crate) size: usize,
}

/// One page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PageId(usize);

impl Heads {
    /// Floats that one token takes, in keys or in values.
    pub(crate) fn width(self) -> usize {
        self.count * self.size
    }
}

/// What a page holds of one head: for attention keys lie side by side, each number of all tokens,
/// and values one token after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    /// `[numbers of a key][PAGE]`
    pub(crate) keys: &'a [f32],
    /// `[PAGE][numbers of a value]`
    pub(crate) values: &'a [f32],
}

#[derive(Debug, Default)]
struct Sheet {
    floats: Vec<f32>,
    /// Sequences that it belongs to.
    users: usize,
    /// Whether it is one of those that can be taken.
    free: bool,
}

/// All pages. Their memory is taken when they are first used, and kept.
#[derive(Debug)]
pub(crate) struct Pages {
    pages: Vec<Sheet>,
    free: Vec<PageId>,
    used: usize,
    all: usize,
    layers: usize,
    heads: Heads,
    /// Whether pages lie on a GPU, in memory that is taken for all of them when the first is needed.
    away: bool,
    #[cfg(feature = "cuda")]
    memory: Option<crate::cuda::Memory>,
}

impl PageId {
    pub(crate) fn number(self) -> u32 {
        self.0 as u32
    }
}

impl Pages {
    pub(crate) fn new(all: usize, layers: usize, heads: Heads) -> Pages {
        Pages {
            pages: Vec::new(),
            free: Vec::new(),
            used: 0,
            all,
            layers,
            heads,
            away: false,
            #[cfg(feature = "cuda")]
            memory: None,
        }
    }

    /// No page takes memory of the host: a GPU holds them.
    pub(crate) fn lie_away(&mut self) {
        self.away = true;
    }

    /// Whether the host holds the pages.
    pub(crate) fn check_here(&self) -> Result<(), DeviceFault> {
        if self.away { Err(DeviceFault::Elsewhere) } else { Ok(()) }
    }

    /// Where all pages of all layers lie on a GPU.
    #[cfg(feature = "cuda")]
    pub(crate) fn reserve(
        &mut self,
        gpu: &std::sync::Arc<dyn crate::cuda::Gpu>,
    ) -> Result<crate::cuda::Place, DeviceFault> {
        if !self.away {
            return Err(DeviceFault::Elsewhere);
        }
        let memory = match self.memory.take() {
            Some(memory) if memory.is_of(gpu) => memory,
            Some(_) => return Err(DeviceFault::Elsewhere),
            None => crate::cuda::pages_memory(gpu, self.all, self.layers, self.heads.width())?,
        };
        Ok(self.memory.insert(memory).place())
    }

    fn floats(&self) -> Vec<f32> {
        match self.away {
            true => Vec::new(),
            false => vec![0.0; self.layers * self.layer_floats()],
        }
    }

    /// Pages at most.
    pub(crate) fn all(&self) -> usize {
        self.all
    }

    /// Pages that sequences use now.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Whether a page can only be had when one that is kept is given up.
    pub(super) fn is_exhausted(&self) -> bool {
        self.free.is_empty() && self.pages.len() >= self.all
    }

    /// Whether no sequence uses a page.
    pub(super) fn is_idle(&self, page: PageId) -> bool {
        self.pages[page.0].users == 0
    }

    /// An unused page.
    pub(super) fn take(&mut self) -> PageId {
        let page = self.free.pop().unwrap_or_else(|| {
            let floats = self.floats();
            self.pages.push(Sheet { floats, ..Sheet::default() });
            PageId(self.pages.len() - 1)
        });
        self.pages[page.0].free = false;
        self.share(page);
        page
    }

    /// The page of this number, which somebody else gave out; `None` when it is beyond all.
    pub(crate) fn numbered(&mut self, number: u32) -> Option<PageId> {
        let number = number as usize;
        if number >= self.all {
            return None;
        }
        while self.pages.len() <= number {
            self.pages.push(Sheet::default());
        }
        if self.pages[number].floats.is_empty() {
            self.pages[number].floats = self.floats();
        }
        Some(PageId(number))
    }

    /// One more sequence uses a page.
    pub(super) fn share(&mut self, page: PageId) {
        let users = &mut self.pages[page.0].users;
        self.used += usize::from(*users == 0);
        *users += 1;
    }

    /// One sequence less uses a page, which is then free unless it is `kept`.
    pub(super) fn leave(&mut self, page: PageId, kept: bool) {
        let users = &mut self.pages[page.0].users;
        *users -= 1;
        let idle = *users == 0;
        self.used -= usize::from(idle);
        if idle && !kept {
            self.discard(page);
        }
    }

    /// A page that nobody uses is free.
    pub(super) fn discard(&mut self, page: PageId) {
        let state = &mut self.pages[page.0];
        if state.users == 0 && !state.free {
            state.free = true;
            self.free.push(page);
        }
    }

    /// Floats of one layer in a page.
    fn layer_floats(&self) -> usize {
        2 * PAGE * self.heads.width()
    }

    /// Keys and values of the token at `place` of a page in one layer.
    pub(crate) fn write(
        &mut self,
        page: PageId,
        layer: usize,
        place: usize,
        keys: &[f32],
        values: &[f32],
    ) {
        let (size, floats) = (self.heads.size, self.layer_floats());
        let floats = &mut self.pages[page.0].floats[layer * floats..(layer + 1) * floats];
        let (kept_keys, kept_values) = floats.split_at_mut(floats.len() / 2);
        for (kept, key) in kept_keys.chunks_exact_mut(PAGE).zip(keys) {
            kept[place] = *key;
        }
        let heads = kept_values.chunks_exact_mut(PAGE * size).zip(values.chunks_exact(size));
        for (kept, values) in heads {
            kept[place * size..(place + 1) * size].copy_from_slice(values);
        }
    }

    /// Keys and values of one head in one layer of a page.
    pub(crate) fn head(&self, page: PageId, layer: usize, head: usize) -> Page<'_> {
        let (floats, each) = (self.layer_floats(), PAGE * self.heads.size);
        let (keys, values) =
            self.pages[page.0].floats[layer * floats..(layer + 1) * floats].split_at(floats / 2);
        let place = head * each..(head + 1) * each;
        Page { keys: &keys[place.clone()], values: &values[place] }
    }
}
