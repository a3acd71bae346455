"""The chaos of durable delivery: real processes, a hand that kills and freezes them, and a judge who was not there.

`workload` says what is asked for and what a partner is, `partners` are those that there are, `troubles` what befalls
exchanges with them. `callers` ask until they are answered, `stage` keeps the processes, `hand` harms them, `books`
reads what is left, `judge` and `sessions` say what is wrong with it, `run` puts all of it together. `doctor` makes up
a run in which all went well, for the judge's own tests.
"""
