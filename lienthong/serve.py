"""`lienthong serve`: answers calls, and carries deliveries out beside them unless workers are there for that."""

from typing import Annotated

import typer

from gateway.api.app import create_app
from lienthong import options, serving
from lienthong.config import checked


def serve(
    config: options.Config = None,
    until_stdin_closes: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--until-stdin-closes", help="serve.until_stdin_closes")
    ] = False,
) -> None:
    """Serve until told to stop."""
    settings = checked(config)
    role = serving.Role(
        name="gateway", app=create_app, place=settings.server, carrying=settings.worker.in_server, keys=True
    )
    serving.run(settings, role, until_stdin_closes=until_stdin_closes)
