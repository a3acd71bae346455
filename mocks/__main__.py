"""`python -m mocks` serves (`mocks.server`); `python -m mocks replay FILE` decides a run again (`mocks.replay`)."""

import gc
import sys

gc.disable()  # what is imported stays, and to look through it again and again takes a third of the start
from mocks import replay, server  # noqa: E402 - after that

gc.freeze()
gc.enable()

argv = sys.argv[1:]
raise SystemExit(replay.main(argv[1:]) if argv[:1] == ["replay"] else server.main(argv))
