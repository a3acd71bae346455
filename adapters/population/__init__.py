"""The population database, as an adapter: verify and lookup, over contract variant P1. See README.md."""
