"""`python -m mocks`: see `mocks.server`."""

from mocks.server import main

raise SystemExit(main())
