"""Durable delivery beside its peers: one ordered job with a handler that does nothing, and the whole way over HTTP.

`part` runs it. `ours`, `with_procrastinate` and `with_celery` are programs of their own, so that each is measured alone
and can be killed; they are told what to do as JSON and answer with lines of JSON. All three know the same few verbs.
"""
