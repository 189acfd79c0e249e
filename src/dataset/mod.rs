//! Datasets: the Kaggle import, synthetic faces, splits, and the memory-mapped cache.
//!
//! Knows the domain; never the store.
