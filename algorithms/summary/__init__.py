"""Table 1 and histograms over organizations: counts, means, deviations, bounded quantiles."""
