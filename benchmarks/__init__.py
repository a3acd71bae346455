"""The gateway and the mocks beside their peers, in one run: `make bench` writes `docs/benchmarks.md`."""
