"""Reason codes of a batch looked up once each.

Must not know any code; the catalogue does. Invariant: a network's advice never makes a retry laxer, only
stricter: it is the network that charges for the try it advised against (field.md 6.4).
"""

from dataclasses import dataclass, field, replace
from typing import Protocol

from connector.core.cells import word
from connector.core.model import Reason
from connector.core.reasons import strictness
from connector.core.words import Category, CodeSet, Scheme


class Catalogue(Protocol):
    """What reason codes mean."""

    def resolve(self, code_set: CodeSet | None, code: str | None, scheme: Scheme | None, country: str | None, /) -> Reason:
        """The reason for a code; a code nobody knows is category ``unknown``, never an error."""
        ...


@dataclass(slots=True)
class Reasons:
    """Reasons by code, remembered for the life of one assessment."""

    catalogue: Catalogue
    _known: dict[tuple[str | None, ...], Reason] = field(default_factory=dict)

    def of(self, code_set: str | None, code: str | None, advice: str | None, scheme: str | None, country: str | None) -> Reason:
        """The reason for one failure, in the words of a payments row, the network's advice taken in.

        Raises:
            ValueError: a scheme or a code set outside the closed lists.

        """
        key = (code_set, code, advice, scheme, country)
        if key not in self._known:
            self._known[key] = self._resolve(*key)
        return self._known[key]

    def _resolve(self, code_set: str | None, code: str | None, advice: str | None, scheme: str | None, country: str | None) -> Reason:
        rail = word(Scheme, scheme)
        reason = self.catalogue.resolve(word(CodeSet, code_set), code, rail, country)
        if advice is None:
            return reason
        advised = self.catalogue.resolve(CodeSet.MASTERCARD_ADVICE, advice, rail, country)
        if advised.category is Category.UNKNOWN and not advised.wait_hours:
            return reason
        return advised if reason.category is Category.UNKNOWN else _heeding(reason, advised)


def _heeding(reason: Reason, advised: Reason) -> Reason:
    """``reason`` with the stricter word on retrying and the longer wait of the two."""
    retry = max(reason.retry, advised.retry, key=strictness)
    wait = max(reason.wait_hours or 0, advised.wait_hours or 0) or None
    return replace(reason, retry=retry, wait_hours=wait)
