"""The reason catalogue: what a code of a scheme or provider means for the follow-up.

Must not read files or decide what is done. Invariant: every code, however written and known to anybody or
not, gives a Reason; one that is in no row is category ``unknown`` and is never retried, and where a record
says two things the stricter one stands.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from connector.core import codes
from connector.core.model import Reason
from connector.core.words import Category, CodeSet, Scheme

_ISO = (CodeSet.ISO20022_RETURN, CodeSet.ISO20022_STATUS, CodeSet.ISO20022_REVERSAL, CodeSet.ISO20022_CANCELLATION)
KIN: Mapping[CodeSet, tuple[CodeSet, ...]] = MappingProxyType(
    {
        **{one: tuple(other for other in _ISO if other is not one) for one in _ISO},
        CodeSet.NACHA_RETURN: (CodeSet.NACHA_NOC,),
        CodeSet.NACHA_NOC: (CodeSet.NACHA_RETURN,),
        CodeSet.STRIPE_DECLINE: (CodeSet.STRIPE_ERROR,),
        CodeSet.STRIPE_ERROR: (CodeSet.STRIPE_DECLINE,),
    }
)
"""Sets of one family, whose codes mean the same wherever they are named."""
USUAL: Mapping[Scheme, tuple[CodeSet, ...]] = MappingProxyType(
    {
        Scheme.SEPA_CORE: (*_ISO, CodeSet.GOCARDLESS_CAUSE),
        Scheme.SEPA_B2B: (*_ISO, CodeSet.GOCARDLESS_CAUSE),
        Scheme.CREDIT_TRANSFER: (*_ISO, CodeSet.GOCARDLESS_CAUSE),
        Scheme.BACS: (CodeSet.BACS_ARUDD, CodeSet.GOCARDLESS_CAUSE),
        Scheme.ACH: (CodeSet.NACHA_RETURN, CodeSet.NACHA_NOC, CodeSet.GOCARDLESS_CAUSE),
        Scheme.BECS: (CodeSet.BECS_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.PAD: (CodeSet.PAD_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.AUTOGIRO: (CodeSet.AUTOGIRO_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.CARD: (CodeSet.ISO8583, CodeSet.STRIPE_DECLINE, CodeSet.STRIPE_ERROR, CodeSet.MOLLIE_REASON),
        Scheme.WALLET: (
            CodeSet.STRIPE_DECLINE, CodeSet.STRIPE_ERROR, CodeSet.BRAINTREE_PROCESSOR, CodeSet.MOLLIE_REASON, CodeSet.ISO8583,
        ),
    }
)  # fmt: skip
"""Sets in which a code is looked for where a record names only its scheme, the scheme's usual one first."""
_CARDS = frozenset({Scheme.CARD, Scheme.WALLET})
HOME: Mapping[CodeSet, frozenset[Scheme]] = MappingProxyType(
    {
        **{one: frozenset({Scheme.BACS}) for one in CodeSet if one.startswith("bacs_")},
        **{one: frozenset({Scheme.ACH}) for one in CodeSet if one.startswith("nacha_")},
        CodeSet.BECS_RETURN: frozenset({Scheme.BECS}),
        CodeSet.PAD_RETURN: frozenset({Scheme.PAD}),
        CodeSet.AUTOGIRO_RETURN: frozenset({Scheme.AUTOGIRO}),
        CodeSet.ISO8583: _CARDS,
        CodeSet.MASTERCARD_ADVICE: _CARDS,
    }
)
"""Schemes to which a set belongs alone. With another one set or scheme is wrong, and nobody knows whose retry rules hold."""
GATEWAYS = (
    CodeSet.GOCARDLESS_CAUSE, CodeSet.STRIPE_DECLINE, CodeSet.STRIPE_ERROR, CodeSet.MOLLIE_REASON, CodeSet.BRAINTREE_PROCESSOR,
    CodeSet.ADYEN_REFUSAL,
)  # fmt: skip
"""Providers that hand on a scheme's or bank's code where they have none of their own."""
_SELF_TOLD = (*_ISO, CodeSet.NACHA_RETURN, CodeSet.NACHA_NOC)
"""Sets whose codes nobody else's look like."""
_CARD_WORDS = (*GATEWAYS[1:], CodeSet.ISO8583)
"""Sets of card answers, whose words mean the same whoever says them."""
SENSITIVE = frozenset({Category.DECEASED, Category.LEGAL, Category.FRAUD})
"""Categories whose cause never stands in a Task, whatever a row says."""
_STRICTNESS = {"yes": 0, "ask": 1, "no": 2}
_VAGUE = frozenset({Category.REFUSED, Category.UNKNOWN})
_RANGE = re.compile(r"([0-9]+)-([0-9]+)")


def strictness(retry: str) -> int:
    """Tell how much a word on retrying forbids; one that is not known forbids all."""
    return _STRICTNESS.get(retry, 2)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue. ``country`` = the row holds only where the payer's bank is there."""

    code_set: CodeSet
    code: str
    meaning: str
    category: Category
    retry: str
    act: str
    sensitive: bool = False
    country: str | None = None
    source: str = ""
    effective_on: str = ""
    wait_hours: int | None = None
    also: tuple[str, ...] = ()
    """Names under which the same code is handed on."""

    @property
    def reason(self) -> Reason:
        """What a Position carries of it."""
        hidden = self.sensitive or self.category in SENSITIVE
        return Reason(self.code_set, self.code, self.category, self.retry, hidden, self.meaning, self.act, self.wait_hours)


class Catalogue:
    """Reasons by code set and code; later rows replace earlier ones, so that an admin's own file wins."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._reasons: dict[tuple[CodeSet, str, str], Reason] = {}
        self._ranges: dict[tuple[CodeSet, int, int], Reason] = {}
        self._names: dict[tuple[CodeSet, str], str] = {}
        for entry in entries:
            span = _RANGE.fullmatch(entry.code)
            if span:
                self._ranges[entry.code_set, int(span[1]), int(span[2])] = entry.reason
                continue
            code = codes.plain(entry.code_set, entry.code)
            self._reasons[entry.code_set, code, entry.country or ""] = entry.reason
            self._names |= {(entry.code_set, codes.plain(entry.code_set, name)): code for name in entry.also}

    def __len__(self) -> int:
        return len(self._reasons) + len(self._ranges)

    def resolve(self, code_set: CodeSet | None, code: str | None, scheme: Scheme | None, country: str | None, /) -> Reason:
        """Give the reason for a code as a record holds it.

        Args:
            code_set: whose code it is, where known.
            code: as received; case, separators, leading zeros, prefixes and a title behind it do not matter.
            scheme: where the set is not known, its usual sets are taken.
            country: of the payer's bank, two letters; some codes mean more there.

        """
        text = (code or "").strip()
        land = (country or "").strip().upper()
        found = self._whole(code_set, text, scheme, land) or self._pieced(code_set, text, scheme, land)
        if found is None:
            return Reason(code_set or "", text, Category.UNKNOWN, "no", act="creditor")
        home = HOME.get(CodeSet(found.code_set)) if scheme is not None else None
        return replace(found, retry="ask") if home is not None and scheme not in home and found.retry == "yes" else found

    def knows(self, code_set: CodeSet, code: str) -> bool:
        """Tell whether a row stands for the code in exactly this set."""
        return self._find(code_set, code, "") is not None

    def _whole(self, code_set: CodeSet | None, code: str, scheme: Scheme | None, country: str) -> Reason | None:
        """Look up ``code`` as one code, best place first."""
        if code_set is CodeSet.ADYEN_REFUSAL and codes.is_raw(code):
            return None
        found = next((reason for one in _sets(code_set, code, scheme) if (reason := self._find(one, code, country)) is not None), None)
        found = found or self._prefixed(code_set, code, country)
        if found is None and (code_set in _CARD_WORDS or (code_set is None and scheme in _CARDS)):
            return self._worded(code)
        return self._agreed(code, country) if found is None and code_set is None and scheme is None else found

    def _prefixed(self, code_set: CodeSet | None, code: str, country: str) -> Reason | None:
        """Look up a code that names its set itself; where the record names another one, the stricter of both stands."""
        for owner, rest in codes.prefixed(code):
            named = () if code_set is None or code_set in GATEWAYS else (code_set,)
            found = _strictest(reason for one in (owner, *named) if (reason := self._find(one, rest, country)) is not None)
            if found is not None:
                return found
        return None

    def _pieced(self, code_set: CodeSet | None, code: str, scheme: Scheme | None, country: str) -> Reason | None:
        """Look up the parts of a text and keep the strictest, of equals the one that says most."""
        owner = CodeSet.ISO8583 if code_set is CodeSet.ADYEN_REFUSAL and codes.is_raw(code) else code_set
        pieces = codes.parts(code)
        found = [self._whole(owner, piece, scheme, country) for piece in pieces]
        if codes.needs_words(code) and None in found:
            return None
        known = [reason for reason in found if reason is not None]
        return max(known, key=lambda reason: (strictness(reason.retry), reason.category not in _VAGUE), default=None)

    def _find(self, code_set: CodeSet, code: str, country: str) -> Reason | None:
        """Look ``code`` up in one set, by code or by name."""
        plain = codes.plain(code_set, code)
        number = plain.lstrip("0") or "0" if codes.is_number(plain) and len(plain) < 9 else None
        for one in dict.fromkeys((plain, number or plain, self._names.get((code_set, plain), plain))):
            found = self._reasons.get((code_set, one, country)) or self._reasons.get((code_set, one, ""))
            if found is not None:
                return found
        if number is None:
            return None
        ranged = next(
            (reason for (owner, low, high), reason in self._ranges.items() if owner is code_set and low <= int(number) <= high), None
        )
        return replace(ranged, code=code.strip()) if ranged else None

    def _worded(self, code: str) -> Reason | None:
        """A word that a card set does not have itself: what the others say of it, the strictest first."""
        if any(sign.isdecimal() for sign in code):
            return None
        return _strictest(reason for one in _CARD_WORDS if (reason := self._find(one, code, "")) is not None)

    def _agreed(self, code: str, country: str) -> Reason | None:
        """A code of which neither set nor scheme is known: what all sets that have it say, if they say the same."""
        places = [one for one in CodeSet if one is not CodeSet.MASTERCARD_ADVICE]
        found = [reason for one in places if (reason := self._find(one, code, country)) is not None]
        return _strictest(found) if len({reason.category for reason in found}) == 1 else None


def _sets(code_set: CodeSet | None, code: str, scheme: Scheme | None) -> Iterator[CodeSet]:
    """Give the sets in which a code may stand, best first."""
    usual = USUAL.get(scheme, ()) if scheme is not None else ()
    if code_set is None:
        yield from usual
        return
    yield code_set
    yield from KIN.get(code_set, ())
    if code_set in GATEWAYS and not (code_set is CodeSet.ADYEN_REFUSAL and codes.is_number(code)):
        yield from usual or (_SELF_TOLD if any(sign.isdecimal() for sign in code) else ())


def _strictest(reasons: Iterable[Reason]) -> Reason | None:
    return max(reasons, key=lambda reason: strictness(reason.retry), default=None)
