"""The front door: command line, demo, client of the mocks, pytest plugin. Imports nothing of the mocks."""
