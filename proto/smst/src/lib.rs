//! smst
