"""The reason catalogue: what a code of a scheme or provider means for the follow-up.

Must not read files or decide what is done. Invariant: every code, however written and known to anybody or
not, gives a Reason; one that is in no row is category ``unknown`` and is never retried.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from connector.core.model import Reason
from connector.core.words import Category, CodeSet, Scheme

USUAL: Mapping[Scheme, tuple[CodeSet, ...]] = MappingProxyType(
    {
        Scheme.SEPA_CORE: (CodeSet.ISO20022_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.SEPA_B2B: (CodeSet.ISO20022_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.CREDIT_TRANSFER: (CodeSet.ISO20022_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.BACS: (CodeSet.BACS_ARUDD, CodeSet.GOCARDLESS_CAUSE),
        Scheme.ACH: (CodeSet.NACHA_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.BECS: (CodeSet.BECS_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.PAD: (CodeSet.PAD_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.AUTOGIRO: (CodeSet.AUTOGIRO_RETURN, CodeSet.GOCARDLESS_CAUSE),
        Scheme.CARD: (CodeSet.ISO8583, CodeSet.STRIPE_DECLINE, CodeSet.STRIPE_ERROR, CodeSet.MOLLIE_REASON),
        Scheme.WALLET: (CodeSet.STRIPE_DECLINE, CodeSet.STRIPE_ERROR, CodeSet.BRAINTREE_PROCESSOR, CodeSet.MOLLIE_REASON),
    }
)
"""Sets in which a code is looked for where a record names only its scheme, the scheme's usual one first."""
KIN: Mapping[CodeSet, tuple[CodeSet, ...]] = MappingProxyType(
    {
        CodeSet.ISO20022_RETURN: (CodeSet.ISO20022_STATUS, CodeSet.ISO20022_REVERSAL, CodeSet.ISO20022_CANCELLATION),
        CodeSet.ISO20022_STATUS: (CodeSet.ISO20022_RETURN, CodeSet.ISO20022_REVERSAL, CodeSet.ISO20022_CANCELLATION),
        CodeSet.ISO20022_REVERSAL: (CodeSet.ISO20022_RETURN, CodeSet.ISO20022_STATUS, CodeSet.ISO20022_CANCELLATION),
        CodeSet.ISO20022_CANCELLATION: (CodeSet.ISO20022_RETURN, CodeSet.ISO20022_STATUS, CodeSet.ISO20022_REVERSAL),
        CodeSet.NACHA_RETURN: (CodeSet.NACHA_NOC,),
        CodeSet.NACHA_NOC: (CodeSet.NACHA_RETURN,),
        CodeSet.STRIPE_DECLINE: (CodeSet.STRIPE_ERROR,),
        CodeSet.STRIPE_ERROR: (CodeSet.STRIPE_DECLINE,),
    }
)
"""Sets of one family, whose codes mean the same wherever they are named."""
PREFIXES = (
    (re.compile(r"^ARUDD[-_ ]"), CodeSet.BACS_ARUDD), (re.compile(r"^ADDACS[-_ ]"), CodeSet.BACS_ADDACS),
    (re.compile(r"^AUDDIS[-_ ]"), CodeSet.BACS_AUDDIS), (re.compile(r"^DDICA?[-_ ]"), CodeSet.BACS_DDIC),
    (re.compile(r"^AWACS[-_ ]"), CodeSet.BACS_AWACS), (re.compile(r"^ACH_RETURN[-_ ]"), CodeSet.NACHA_RETURN),
    (re.compile(r"^PAYMENT_STATUS_REPORT[-_ ]"), CodeSet.PAD_RETURN), (re.compile(r"^DISHONOUR[-_ ]"), CodeSet.BECS_RETURN),
)  # fmt: skip
"""Prefixes under which GoCardless hands on scheme codes, and the set the rest belongs to."""
_RANGE = re.compile(r"^(\d+)-(\d+)$")


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

    @property
    def reason(self) -> Reason:
        """What a Position carries of it."""
        return Reason(self.code_set, self.code, self.category, self.retry, self.sensitive, self.meaning, self.act, self.wait_hours)


class Catalogue:
    """Reasons by code set and code; later rows replace earlier ones, so that an admin's own file wins."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._reasons: dict[tuple[CodeSet, str, str], Reason] = {}
        self._ranges: dict[tuple[CodeSet, int, int], Reason] = {}
        for entry in entries:
            span = _RANGE.match(entry.code)
            if span:
                self._ranges[entry.code_set, int(span[1]), int(span[2])] = entry.reason
            else:
                self._reasons[entry.code_set, _plain(entry.code_set, entry.code), entry.country or ""] = entry.reason

    def __len__(self) -> int:
        return len(self._reasons) + len(self._ranges)

    def resolve(self, code_set: CodeSet | None, code: str | None, scheme: Scheme | None, country: str | None, /) -> Reason:
        """Give the reason for a code as a record holds it.

        Args:
            code_set: whose code it is, where known.
            code: as received; case, blanks, leading zeros of card codes and GoCardless's prefixes do not matter.
            scheme: where the set is not known, its usual set is taken.
            country: of the payer's bank, two letters; some codes mean more there.

        """
        text = (code or "").strip()
        if not text:
            return Reason(code_set or "", "", Category.UNKNOWN, "no", act="creditor")
        land = (country or "").strip().upper()
        for one_set, one_code in self._places(code_set, text, scheme):
            found = self._find(one_set, one_code, land)
            if found is not None:
                return found
        return self._agreed(text, land) if code_set is None and scheme is None else _unknown(code_set, text)

    def knows(self, code_set: CodeSet, code: str) -> bool:
        """Tell whether a row stands for the code in exactly this set."""
        return self._find(code_set, code.strip(), "") is not None

    def _places(self, code_set: CodeSet | None, code: str, scheme: Scheme | None) -> list[tuple[CodeSet, str]]:
        """Give where a code is looked for, best first."""
        sets = (code_set, *KIN.get(code_set, ())) if code_set is not None else USUAL.get(scheme, ()) if scheme is not None else ()
        if code_set is None:
            sets = tuple(dict.fromkeys(one for usual in sets for one in (usual, *KIN.get(usual, ()))))
        elif code_set is CodeSet.GOCARDLESS_CAUSE and scheme is not None:
            sets = (*sets, *USUAL.get(scheme, ()))
        places = [(one, code) for one in sets]
        for prefix, owner in PREFIXES:
            if prefix.match(code.upper()):
                places.append((owner, prefix.sub("", code.upper())))
        return places

    def _find(self, code_set: CodeSet, code: str, country: str) -> Reason | None:
        plain = _plain(code_set, code)
        found = self._reasons.get((code_set, plain, country)) or self._reasons.get((code_set, plain, ""))
        if found is None and plain.isdecimal() and len(plain) < 9:
            number = int(plain)
            if plain != str(number) and (code_set, str(number), "") in self._reasons:
                return self._find(code_set, str(number), country)
            found = next(
                (reason for (owner, low, high), reason in self._ranges.items() if owner is code_set and low <= number <= high), None
            )
            return replace(found, code=code) if found else None
        return found

    def _agreed(self, code: str, country: str) -> Reason:
        """A code of which neither set nor scheme is known: what all sets that have it say, if they say the same."""
        found = [
            reason
            for one in CodeSet
            if one is not CodeSet.MASTERCARD_ADVICE
            for reason in [self._find(one, code, country)]
            if reason is not None
        ]
        agree = {(reason.category, reason.retry) for reason in found}
        return found[0] if len(agree) == 1 else _unknown(None, code)


def _unknown(code_set: CodeSet | None, code: str) -> Reason:
    return Reason(code_set or "", code, Category.UNKNOWN, "no", act="creditor")


def _plain(code_set: CodeSet, code: str) -> str:
    """Give a code as it is compared: without regard to case; card codes with two signs, words with underscores."""
    plain = code.strip().casefold()
    if code_set in (CodeSet.ISO8583, CodeSet.MASTERCARD_ADVICE) and plain.isdecimal():
        return plain.lstrip("0").rjust(2, "0")
    if code_set is CodeSet.ADYEN_REFUSAL and plain.isdecimal():
        return plain.lstrip("0") or "0"
    if code_set in (CodeSet.STRIPE_DECLINE, CodeSet.STRIPE_ERROR, CodeSet.GOCARDLESS_CAUSE, CodeSet.MOLLIE_REASON):
        return plain.replace(" ", "_")
    return plain
