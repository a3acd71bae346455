"""Sign-ins at an even rate and as fast as they go, and the mock of the door alone beside them.

`part` runs it. `load` is a program of its own: the browser and the vendor of every sign-in, as lean as Python can be,
because it shares the cores with what is measured. `ways` says what one sign-in is, `wire` sends.
"""
