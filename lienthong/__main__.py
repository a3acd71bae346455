"""`python -m lienthong`: the same as the command `lienthong`."""

from __future__ import annotations

import sys

from lienthong.cli import main

if __name__ == "__main__":
    sys.exit(main())
