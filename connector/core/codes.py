"""How reason codes are written: the many spellings of one code, made comparable.

Must not know what a code means; the catalogue does. Invariant: two spellings compare alike only if no scheme
tells them apart, so that no code is ever read as another one: digits are never joined, and a number inside a
text counts for nothing unless it stands first. Sources: GoCardless's prefixes (its event table), Adyen's raw
acquirer texts, code and title as banks print them.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from connector.core.words import CodeSet

_NAMES = {
    CodeSet.BACS_ARUDD: "arudd bacs", CodeSet.BACS_ADDACS: "addacs", CodeSet.BACS_AUDDIS: "auddis", CodeSet.BACS_DDIC: "ddic ddica",
    CodeSet.BACS_AWACS: "awacs", CodeSet.NACHA_RETURN: "ach nacha achreturn", CodeSet.PAD_RETURN: "pad cpa paymentstatusreport",
    CodeSet.BECS_RETURN: "becs becsnz dishonour", CodeSet.ISO20022_RETURN: "sepa sdd iso iso20022", CodeSet.ISO8583: "visa mastercard",
    CodeSet.MASTERCARD_ADVICE: "mac", CodeSet.AUTOGIRO_RETURN: "autogiro", CodeSet.STRIPE_DECLINE: "stripe",
    CodeSet.ADYEN_REFUSAL: "adyen", CodeSet.GOCARDLESS_CAUSE: "gocardless", CodeSet.MOLLIE_REASON: "mollie",
    CodeSet.BRAINTREE_PROCESSOR: "braintree",
}  # fmt: skip
PREFIXES: Mapping[str, CodeSet] = MappingProxyType(
    {name: owner for owner, names in _NAMES.items() for name in names.split()} | {one.value.replace("_", ""): one for one in CodeSet}
)
"""What may stand before a code and tell whose it is, with the set it names."""
_SEPARATOR = re.compile(r"[\W_]+")
_BETWEEN = re.compile(r"\s+[-\u2013\u2014]+\s+|\.\s+|\s*[:/|;,()\[\]\"]+\s*")
_THEN_WORDS = re.compile(r"([A-Za-z]{1,2}[0-9]{1,3}|[A-Z]{4}|[0-9]{1,4})\s+([A-Za-z].*)")
_POINT_ZERO = re.compile(r"([0-9]+)\.0+")
_RAW = re.compile(r"[0-9A-Z]{2} : \S.*")
_NACHA = re.compile(r"([rc])0*([1-9][0-9]?)")
_TWO_SIGNS = (CodeSet.ISO8583, CodeSet.MASTERCARD_ADVICE)


def plain(code_set: CodeSet, code: str) -> str:
    """Give a code as it is compared: without case and separators; card codes with two signs at least, Nacha's with three."""
    folded = unicodedata.normalize("NFKC", code).strip().casefold()
    point = _POINT_ZERO.fullmatch(folded)
    text = _joined(point[1] if point else folded)
    if code_set in _TWO_SIGNS and is_number(text):
        return text.lstrip("0").rjust(2, "0")
    if code_set in (CodeSet.NACHA_RETURN, CodeSet.NACHA_NOC) and (nacha := _NACHA.fullmatch(text)):
        return f"{nacha[1]}{int(nacha[2]):02d}"
    return text


def is_number(text: str) -> bool:
    """Tell whether a code is digits and nothing else."""
    return text.isascii() and text.isdecimal()


def is_raw(code: str) -> bool:
    """Tell whether this is an acquirer's own answer as Adyen hands it on: ``51 : Insufficient funds``."""
    return _RAW.fullmatch(code) is not None


def prefixed(code: str) -> list[tuple[CodeSet, str]]:
    """Give the sets that the front of ``code`` names, each with what follows: ``ARUDD-0``, ``stripe_decline:lost_card``."""
    found = []
    for match in re.finditer(r"[-_ :/.]+", code):
        owner = PREFIXES.get(_joined(code[: match.start()].casefold()))
        if owner is not None and code[match.end() :]:
            found.append((owner, code[match.end() :]))
    return found[::-1]


def parts(code: str) -> list[str]:
    """Give the pieces of a text that may each be a code: ``R01 - Insufficient funds``, ``card_declined: lost_card``, a URN's last.

    A piece that is a number counts only where it stands first: ``attempt (3)`` is no code 3.
    """
    if code.casefold().startswith("urn:"):
        return [code.rsplit(":", 1)[-1]]
    pieces = [piece for piece in _BETWEEN.split(code) if piece]
    words = _THEN_WORDS.fullmatch(pieces[0]) if len(pieces) == 1 else None
    if words:
        pieces = [words[1], words[2]]
    found = [piece for place, piece in enumerate(pieces) if place == 0 or not is_number(piece)]
    return found if found != [code] else []


def needs_words(code: str) -> bool:
    """Tell whether the first of the parts is a bare number that only a blank parts from its text: too little to go by alone."""
    words = _THEN_WORDS.fullmatch(code)
    return words is not None and is_number(words[1])


def _joined(text: str) -> str:
    """Leave out what parts letters; between two digits it stays, as an underscore."""
    pieces = [piece for piece in _SEPARATOR.split(text) if piece]
    joined = ""
    for piece in pieces:
        joined += f"_{piece}" if joined[-1:].isdecimal() and piece[0].isdecimal() else piece
    return joined
