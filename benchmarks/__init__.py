"""Speed, as ratios within one run. `make bench`, or `python -m benchmarks [NAME...]`; see docs/benchmarks.md."""
