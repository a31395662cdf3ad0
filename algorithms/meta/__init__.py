"""Meta-analysis: each organization fits a model of its own, the estimates are combined."""
