"""How pySigma reads regular expressions: by RE2, as it does by default, without words on standard error."""

from __future__ import annotations

import re
from typing import Any, cast

from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RE2RegexEngine, RegexPattern

_FLAGS = {re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s"}


class _QuietEngine(RE2RegexEngine):
    """RE2, which logs what it cannot read before it raises, and raises bytes."""

    def __init__(self) -> None:
        super().__init__()
        self._options: Any = self._re2.Options()
        self._options.log_errors = False

    def compile(self, pattern: str, flags: int = 0) -> RegexPattern:
        """Read one expression."""
        letters = "".join(letter for flag, letter in _FLAGS.items() if int(flags) & flag)
        try:
            expression = f"(?{letters}){pattern}" if letters else pattern
            return cast("RegexPattern", self._re2.compile(expression, self._options))
        except self.error as error:
            (reason,) = error.args
            raise self.error(reason.decode() if isinstance(reason, bytes) else reason) from error


POLICY = SigmaPolicy(regex_engine=_QuietEngine())
