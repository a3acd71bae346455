"""The front door: the command line and the demo. It starts the mocks as a process and imports nothing of theirs."""
