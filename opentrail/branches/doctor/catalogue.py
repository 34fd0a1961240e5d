"""What each check is about: ``data/checks.toml``, whose head says where the mappings come from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

SEVERITIES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question to an account, and which rules ask it, too."""

    id: str
    title: str  # what holds when it passes
    severity: str  # one of SEVERITIES
    why: str
    cis: str = ""
    pci: str = ""
    hipaa: str = ""
    gdpr: str = ""

    @property
    def mappings(self) -> dict[str, str]:
        """The rules that ask it, by framework; frameworks that do not are left out."""
        named = {
            "CIS AWS Foundations": self.cis,
            "PCI DSS 4.0": self.pci,
            "HIPAA": self.hipaa,
            "GDPR": self.gdpr,
        }
        return {framework: rule for framework, rule in named.items() if rule}


@cache
def checks() -> dict[str, Check]:
    """Every check by its id, in the order they are made."""
    text = (files(__package__) / "data" / "checks.toml").read_text()
    return {name: Check(id=name, **fields) for name, fields in tomllib.loads(text).items()}
