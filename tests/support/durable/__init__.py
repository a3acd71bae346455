"""The chaos of durable delivery: real processes, a hand that kills and freezes them, and a judge who was not there.

`workload` says what is asked for, `callers` ask until they are answered, `stage` keeps the processes, `hand` harms
them, `books` reads what is left, `judge` says what is wrong with it, `run` puts all of it together.
"""
