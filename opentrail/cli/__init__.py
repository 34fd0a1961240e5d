"""The ``opentrail`` command: one file per verb.

A verb is a module of this package with a click command named ``command``; the
module's name is the verb (``validate_all.py`` is ``validate-all``). Modules are
imported only when their verb is used or listed, so ``opentrail validate`` does
not wait for moto.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil

import click

EXIT_INTERRUPTED = 130  # as a shell has it; click's own 1 says of many verbs that they found something wrong


class Verbs(click.Group):
    """A click group that finds its commands in the modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in alphabetical order."""
        names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
        return [name.replace("_", "-") for name in sorted(names) if self._load(name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb; ``None`` when there is none of that name."""
        return self._load(cmd_name.replace("-", "_"))

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; Ctrl-C is nothing it found out."""
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        if endpoint and not endpoint.startswith(("http://", "https://")):  # botocore would end in a traceback
            raise click.UsageError(f"AWS_ENDPOINT_URL is not a URL: {endpoint!r}", ctx)
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            ctx.exit(EXIT_INTERRUPTED)

    def _load(self, name: str) -> click.Command | None:
        if (
            not name.isidentifier()
            or name.startswith("_")
            or importlib.util.find_spec(f"{__name__}.{name}") is None
        ):
            return None
        command = getattr(importlib.import_module(f"{__name__}.{name}"), "command", None)
        return command if isinstance(command, click.Command) else None


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="opentrail")
def main() -> None:
    """OpenTrail records API calls, delivers them as CloudTrail log files, and proves them."""
