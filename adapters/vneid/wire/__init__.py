"""The door on the wire. Pure: no network, no clock, no file but the contract's own.

`browser` makes and reads what goes by the browser, `requests` builds what we send, `answer` recognises an answer,
`reading` and `claims` read what a success holds, `keys` and `id_token` decide whether an ID token counts.
"""
