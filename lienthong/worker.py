"""`lienthong worker`: carries deliveries out and answers no calls; how it is can be read from it.

For PostgreSQL, where as many processes work as are needed. On SQLite one process serves, and carries out beside that.
"""

from typing import Annotated

import typer

from gateway.api.app import create_watch
from lienthong import options, serving
from lienthong.config import checked
from lienthong.stop import ExitCode, Stop


def worker(
    config: options.Config = None,
    until_stdin_closes: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--until-stdin-closes", help="serve.until_stdin_closes")
    ] = False,
) -> None:
    """Work until told to stop."""
    settings = checked(config)
    if settings.store.path is not None:
        raise Stop(ExitCode.USAGE, "worker_on_sqlite", path=str(settings.store.path))
    place = settings.server.model_copy(update={"host": settings.worker.host, "port": settings.worker.port})
    role = serving.Role(name="worker", app=create_watch, place=place, carrying=True, keys=False)
    serving.run(settings, role, until_stdin_closes=until_stdin_closes)
