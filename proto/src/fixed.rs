//! Exponential and logarithm in integers.
