//! How many cores the kernels use.

/// Lets the kernels use `threads` cores. It must be called before anything else of this crate, and
/// while the process has one thread only: the kernels' pool reads its size once, from the
/// environment.
///
/// # Panics
/// When the process has other threads already: changing the environment would be a data race.
#[allow(unsafe_code)]
pub fn limit_threads(threads: usize) {
    let running = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    assert!(running <= 1, "limit_threads was called with {running} threads running, not one");
    for name in ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"] {
        // SAFETY: no other thread runs that could read or write the environment meanwhile.
        unsafe { std::env::set_var(name, threads.max(1).to_string()) };
    }
}
