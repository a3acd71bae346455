"""The gateway: makes every call safe, every failure explained, and leaves evidence of both.

`api` speaks REST, `resilience` decides what may be tried, `store` remembers, `security` says who may, `monitor` shows;
`runtime` puts them together and `server` serves them.
"""
