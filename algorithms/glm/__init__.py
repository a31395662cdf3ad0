"""Linear and generalized linear models over organizations, equal to those of the pooled data."""
