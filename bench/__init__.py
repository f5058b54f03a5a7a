"""Benchmarks against peers and limits. Each prints ratios of one run, and no verdict on time."""
