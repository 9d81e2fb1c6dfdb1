//! What no single role can show.
