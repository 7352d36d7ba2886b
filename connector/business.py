"""What the business wants, as the files of ``mappings/`` say it: mapping, policies, reasons and templates, and decisions by them alone.

Must not reach an org or a store. Invariant: what is given was read whole; every fault of every file is told at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connector.core import facts, facts_batch
from connector.core.coverage import dead_rows, unanswered
from connector.core.decide import decide
from connector.core.policy import Policy
from connector.core.reasons import Catalogue
from connector.core.what_if import suppose
from connector.errors import ConfigError
from connector.mapping.org import Mapping as OrgMapping
from connector.mapping.org import load_mapping
from connector.mapping.policy_folder import load_policies
from connector.mapping.reasons import load_reasons
from connector.mapping.rules import load_rules
from connector.mapping.templates import Templates, load_templates
from connector.settings import Settings

OWN_REASONS = "own_reasons.csv"
"""Beside the shipped tables: rows an admin adds or puts in place of ours."""
SHIPPED = Path(__file__).resolve().parent.parent / "mappings"


@dataclass(frozen=True, slots=True)
class Business:
    """What the business wants, read from ``mappings/`` and checked."""

    mapping: OrgMapping
    policies: dict[str, Policy]
    catalogue: Catalogue
    templates: Templates

    def policy(self, name: str) -> Policy:
        """One policy by name. Raises ConfigError naming those there are."""
        try:
            return self.policies[name]
        except KeyError:
            raise ConfigError(f"there is no policy '{name}'; there are: {', '.join(sorted(self.policies))}") from None


def folder_of(settings: Settings) -> Path:
    """Where mapping, policies, reasons and templates are."""
    return settings.mappings_dir or SHIPPED


def read_business(settings: Settings) -> Business:
    """Read mapping, policy, reasons and templates.

    Raises:
        ConfigError: every fault of every file, each ``file:line: what``.

    """
    directory = folder_of(settings)
    if not directory.is_dir():
        raise ConfigError("DUNWELL_MAPPINGS_DIR: no such directory")
    problems: list[str] = []
    parts: dict[str, object] = {}
    for name, reader in (
        ("mapping", lambda: load_mapping(directory, settings.mapping)[0]),
        ("policies", lambda: load_policies(directory / "policies", load_rules(directory / "rules"))),
        ("catalogue", lambda: load_reasons(directory / "reasons", _own_reasons(directory))),
        ("templates", lambda: load_templates(directory / "templates")),
    ):
        try:
            parts[name] = reader()
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return Business(**parts)  # type: ignore[arg-type]


def _own_reasons(directory: Path) -> Path | None:
    """The admin's own reason codes beside the shipped ones, where there are any."""
    own = directory / OWN_REASONS
    return own if own.exists() else None


def doubts(ours: Business) -> list[str]:
    """Give what is lawful in the files and still looks like a mistake: rows never hit, situations that only the last row answers."""
    found = []
    for policy in ours.policies.values():
        found += [
            f"policy '{policy.name}': row '{row}' can never be hit, row '{first}' always comes first" for row, first in dead_rows(policy)
        ]
        for one in unanswered(policy):
            facts_of = ", ".join(f"{name} {value}" for name, value in one.items() if value is not None)
            found.append(f"policy '{policy.name}': no row but the last answers {facts_of}")
    return found


def decide_facts(text: str, ours: Business, supposed: Sequence[str] = ()) -> list[dict[str, object]]:
    """Decide every element of a facts file, in its order; a bad element gives ``{"error": ...}`` in its place.

    Args:
        text: the file.
        ours: mapping, policies and reasons.
        supposed: ``key=value`` of ``--what-if``, for every element.

    Raises:
        ConfigError: it is not JSON, or a supposition cannot be read.

    """
    elements, _ = facts.read(text)
    found: list[dict[str, object]] = [{} for _ in elements]
    good: list[tuple[int, facts.Facts, Policy]] = []
    for at, element in enumerate(elements):
        try:
            parsed = facts.parse(element, ours.mapping.creditor.time_zone)
            good.append((at, parsed, ours.policy(parsed.policy or "default")))
        except ConfigError as error:
            found[at] = {"error": str(error)}
    positions = facts_batch.positions([parsed for _, parsed, _ in good], ours.catalogue)
    for (at, parsed, policy), position in zip(good, positions, strict=True):
        found[at] = facts.render(decide(suppose(position, supposed, parsed.now), policy, parsed.now))
    return found
