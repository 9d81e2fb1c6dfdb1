//! Memory for one step's intermediate values, used again by the next step.
//!
//! A step takes and drops some megabytes many times. An allocator gives such pieces back to the
//! system, which clears them anew each time; that took a tenth of all time.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

/// Buffers that a thread keeps at most: a layer has fewer in use at once.
const KEPT_MAX: usize = 24;

/// What buffers are made of.
pub(crate) trait Kept: Clone + Default + 'static {
    /// The thread's unused buffers of this kind.
    fn unused() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>>;
}

impl Kept for f32 {
    fn unused() -> &'static LocalKey<RefCell<Vec<Vec<f32>>>> {
        thread_local! {
            static UNUSED: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
        }
        &UNUSED
    }
}

/// A slice whose memory is kept for the next one.
pub(crate) struct Buffer<T: Kept> {
    all: Vec<T>,
    length: usize,
}

impl<T: Kept> Buffer<T> {
    /// `length` values that whoever takes them overwrites: they may be those of an earlier buffer.
    pub(crate) fn dirty(length: usize) -> Buffer<T> {
        let mut all = T::unused().with_borrow_mut(|unused| {
            // The smallest that is large enough, so that large ones stay for what needs them.
            let fits = |(_, all): &(usize, &Vec<T>)| all.len() >= length;
            let best = unused.iter().enumerate().filter(fits).min_by_key(|(_, all)| all.len());
            best.map(|(i, _)| i).map_or_else(Vec::new, |i| unused.swap_remove(i))
        });
        if all.len() < length {
            all.resize(length, T::default());
        }
        Buffer { all, length }
    }
}

impl<T: Kept> Drop for Buffer<T> {
    fn drop(&mut self) {
        let all = std::mem::take(&mut self.all);
        T::unused().with_borrow_mut(|unused| {
            if unused.len() == KEPT_MAX {
                // Small ones are cheap to have anew.
                let smallest = (0..unused.len()).min_by_key(|i| unused[*i].len());
                smallest.map(|i| unused.swap_remove(i));
            }
            unused.push(all);
        });
    }
}

impl<T: Kept> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all[..self.length]
    }
}

impl<T: Kept> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.all[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_by_what_fits_it() {
        let mut large = Buffer::<f32>::dirty(1_000);
        large[999] = 7.0;
        let place = large.as_ptr();
        drop(large);
        let small = Buffer::<f32>::dirty(10);
        assert_eq!((small.len(), small.as_ptr()), (10, place));
        let other = Buffer::<f32>::dirty(2_000);
        assert_eq!((other.len(), other[1_999]), (2_000, 0.0));
    }
}
