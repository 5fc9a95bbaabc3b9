"""The command `freiplatz`."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any

import click

from vacancies.errors import FreiplatzError

# Loaded when asked for: `--help` and `key create` need not wait for the web server.
COMMANDS = {
    "serve": "web.commands.serve:serve",
    "doctor": "web.commands.doctor:doctor",
    "migrate": "web.commands.administration:migrate",
    "import": "web.commands.imports:import_command",
    "key": "web.commands.administration:key",
    "provider": "web.commands.administration:provider",
    "home": "web.commands.administration:home",
    "staff": "web.commands.staff:staff",
    "webhook": "web.commands.webhooks:webhook",
    "portal": "web.commands.portal:portal",
    "subscriber": "web.commands.subscriber:subscriber",
    "advice": "web.commands.advice:advice",
    "desk": "web.commands.desk:desk",
    "municipality": "web.commands.leaving:municipality",
    "federation": "web.commands.federation:federation",
    "policy": "web.commands.policy:policy",
    "reminders": "web.commands.reminders:reminders",
    "corrections": "web.commands.corrections:corrections",
    "lasting": "web.commands.lasting:lasting",
    "alerts": "web.commands.alerts:alerts",
    "archive": "web.commands.archive:archive",
    "backup": "web.commands.backup:backup",
    "restore": "web.commands.restore:restore",
    "demo": "web.commands.demo:demo",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """A refusal is a plain sentence and exit code 1, not a traceback."""
        try:
            return super().invoke(ctx)
        except FreiplatzError as error:
            raise click.ClickException(error.detail) from error
        except (KeyboardInterrupt, asyncio.CancelledError):
            sys.exit(130)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="freiplatz")
def main() -> None:
    """Freiplatz shows, live, which care homes in a region have a free place.

    Without FREIPLATZ_DATABASE_URL and FREIPLATZ_REDIS_URL every command uses the servers
    of the data folder, and starts them if need be.
    """


if __name__ == "__main__":
    main(prog_name="freiplatz")
