"""The entry point. It makes sure that our own packages are the ones that get imported, and hands over to `app`.

The command has to work inside a project that has folders called `gateway` or `contracts` of its own, with `PYTHONPATH`
or the working directory in front of everything that is installed. So nothing of ours may be imported before `home`
has looked.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from lienthong import home

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (by default the process's) and return its exit code."""
    home.settle()
    gc.disable()  # what is imported stays, and to look through it again and again takes a third of the start
    try:
        from lienthong.app import run  # noqa: PLC0415 - only now is it certain whose packages these are
    finally:
        gc.freeze()
        gc.enable()

    return run(arguments)
