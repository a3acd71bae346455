"""The demo: mocks and gateway as real processes, a batch of citizens, faults that come and go, and a judge."""
