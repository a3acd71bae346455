"""The national systems, imitated: one world behind every door, one clock, one fault grammar, one ledger.

Every citizen, number and credential in here is made up. This package reads the wire contracts as data files and shares
no code with the adapters that it tests.
"""
