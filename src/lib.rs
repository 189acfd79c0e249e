//! sweepd: a hyperparameter-search daemon.
