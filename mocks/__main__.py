"""`python -m mocks` serves (`mocks.server`); `python -m mocks replay FILE` decides a run again (`mocks.replay`)."""

import sys

from mocks import replay, server

argv = sys.argv[1:]
raise SystemExit(replay.main(argv[1:]) if argv[:1] == ["replay"] else server.main(argv))
