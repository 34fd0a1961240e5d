"""Run the ``aws`` lines of a script with the real aws-cli, all in one process.

Its start costs more than its calls. stdin: the script. Understands ``NAME=$(aws ...)``,
``"$NAME"`` and ``|| true``; stops at the first failure.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from contextlib import redirect_stdout
from io import StringIO

from awscli.clidriver import create_clidriver


def main() -> int:
    """The exit code of the line that failed, else 0."""
    variables = dict(os.environ)
    for line in sys.stdin.read().splitlines():
        assignment = re.fullmatch(r"(\w+)=\$\((aws .*)\)", line)
        command = assignment[2] if assignment else line
        if not command.startswith("aws "):
            continue
        code, printed = _run(command.removesuffix(" || true"), variables)
        if code and not command.endswith(" || true"):
            print(command, file=sys.stderr)
            return code
        if assignment:
            variables[assignment[1]] = printed.strip()
    return 0


def _run(command: str, variables: dict[str, str]) -> tuple[int, str]:
    for name, value in variables.items():
        command = command.replace(f'"${name}"', shlex.quote(value))
    printed = StringIO()
    with redirect_stdout(printed):
        code = create_clidriver().main(shlex.split(command)[1:])
    return code, printed.getvalue()


if __name__ == "__main__":
    raise SystemExit(main())
