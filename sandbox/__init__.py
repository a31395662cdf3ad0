"""A whole federation on one computer, for demonstrations, tests and benchmarks."""
