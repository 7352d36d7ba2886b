"""A nightly mix: the payers of an org as a pass over everyone finds them, 5 % of them in arrears.

Must not measure. Invariant: the same number and seed give the same Positions; all come out of ``assess``, and who is in
arrears has a past: what was due since their first failure was done, as the days went by, and what comes next is planned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from types import MappingProxyType
from typing import Any

from connector.core.decide import decide
from connector.core.frames import snapshot
from connector.core.ledger import assess
from connector.core.model import Contact, Position, Shown
from connector.core.policy import Policy
from connector.core.reasons import Catalogue
from connector.core.words import CONTACT_KINDS, Kind

NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
"""A Tuesday, three at night in Amsterdam."""
CREDITOR_ZONE = "Europe/Amsterdam"
IN_ARREARS = 0.05
PASS_DAYS = 3
"""Days between two looks at a payer's past; nearer together makes the scene no different, only slower to build."""
CHUNK = 20_000
"""Payers assessed together."""
PLACES = (("NL", "Europe/Amsterdam"),) * 5 + (("DE", "Europe/Berlin"),) * 3 + (("GB", "Europe/London"),) * 2
CODES: Mapping[str, Sequence[str]] = {
    "sepa_core": ("AM04",) * 12 + ("MS03", "MS03", "MS02", "AC04", "AC01", "MD01", "MD06", "MD07", "AG02", "AM05", "TM01", "FOCR", "RR04"),
    "bacs": ("0",) * 8 + ("1", "2", "3", "5", "B", "6"),
    "card": ("51",) * 8 + ("05", "05", "54", "91", "04", "59", "65", "41"),
}
CODE_SETS = {"sepa_core": "iso20022_return", "bacs": "bacs_arudd", "card": "iso8583"}
CASE_TYPES = ("Complaint", "Billing", "Contract", "Question", "Address change")
Rows = dict[str, list[dict[str, Any]]]


def nightly_mix(payers: int, seed: int, policy: Policy, catalogue: Catalogue) -> list[Position]:
    """Positions of ``payers`` payers, in a mixed order."""
    random = Random(seed)  # noqa: S311 - a scene, no secret
    found: list[Position] = []
    for start in range(0, payers, CHUNK):
        numbers = range(start, min(start + CHUNK, payers))
        assessed = assess(snapshot(_rows(numbers, random)), catalogue, NOW, CREDITOR_ZONE)
        found += [_with_past(one, policy) if one.open_items else one for one in assessed.values()]
    random.shuffle(found)
    return found


def _rows(numbers: Sequence[int], random: Random) -> Rows:
    rows: Rows = {name: [] for name in ("payers", "installments", "payments", "cases", "holds", "promises")}
    for number in numbers:
        payer, (country, zone) = f"003{number:012d}AAA", random.choice(PLACES)
        years = random.choice((0, 0, 1, 1, 2, 3, 4, 6, 9, 14, 20))
        consent = {"allow_email": random.random() > 0.03, "allow_sms": random.random() < 0.4, "allow_call": random.random() < 0.7}
        since = NOW.date() - timedelta(days=365 * years + random.randrange(20, 365))
        scheme = "bacs" if country == "GB" and random.random() < 0.7 else random.choice(("sepa_core", "sepa_core", "card"))
        row = {"id": payer, "customer_since": since, "country": country, "time_zone": zone, **consent}
        rows["payers"].append({**row, "kind": "company" if random.random() < 0.08 else "person"})
        if random.random() < IN_ARREARS:
            _in_arrears(rows, random, payer, scheme, new=years == 0 and random.random() < 0.25)
        else:
            for back in (1, 2, 3):
                _installment(rows, payer, scheme, back, NOW.date() - timedelta(days=30 * back), paid=True)
    return rows


def _installment(rows: Rows, payer: str, scheme: str | None, number: int, due_on: date, *, paid: bool, **more: object) -> str:  # noqa: PLR0913 - a row has so many cells
    identifier = f"a0X{payer[3:15]}{number:03d}"
    amount = 1500 + 500 * (int(payer[3:15]) % 17)
    same = {"payer": payer, "amount_minor": amount, "currency": "GBP" if scheme == "bacs" else "EUR", "scheme": scheme}
    rows["installments"].append({"id": identifier, "due_on": due_on, "status": "Collected" if paid else "Failed", **same, **more})
    if paid:
        row = {"id": f"p{identifier}", "installment": identifier, "at": _at(due_on), "outcome": "collected"}
        rows["payments"].append({**row, **same, "reference": f"r{identifier}"})
    return identifier


def _failed(rows: Rows, payer: str, scheme: str, identifier: str, on: date, code: str) -> None:  # noqa: PLR0913, PLR0917 - the same
    row = {
        "id": f"f{identifier}{on:%m%d}",
        "payer": payer,
        "installment": identifier,
        "at": _at(on, 4),
        "outcome": "failed",
        "scheme": scheme,
    }
    rows["payments"].append({**row, "code_set": CODE_SETS[scheme], "reason_code": code, "reference": f"e{identifier}{on:%m%d}"})


def _in_arrears(rows: Rows, random: Random, payer: str, scheme: str, *, new: bool) -> None:
    """One to three installments open, most since days or weeks, and a past of others."""
    today, age = NOW.date(), min(int(random.expovariate(1 / 18)) + 1, 110)
    claim = random.choice(("debt",) * 16 + ("membership",) * 3 + ("gift",))
    by_hand = random.random() < 0.12
    for number in range(random.choice((1, 1, 1, 1, 1, 1, 1, 2, 2, 3))):
        due_on = today - timedelta(days=age + 30 * number)
        open_one = {"claim_kind": claim, "status": None if by_hand else "Failed"}
        identifier = _installment(rows, payer, "credit_transfer" if by_hand else scheme, number, due_on, paid=False, **open_one)
        if not by_hand:
            code = random.choice(CODES[scheme])
            _failed(rows, payer, scheme, identifier, due_on + timedelta(days=1), code)
            if age > 12 and random.random() < 0.3:
                _failed(rows, payer, scheme, identifier, due_on + timedelta(days=10), code)
    for back in range(4, 4 if new else random.choice((7, 10, 15))):
        due_on = today - timedelta(days=age + 30 * back)
        identifier = _installment(rows, payer, scheme, back, due_on, paid=True)
        if random.random() < 0.15:
            _failed(rows, payer, scheme, identifier, due_on - timedelta(days=6), "51" if scheme == "card" else "AM04")
    _around(rows, random, payer, f"a0X{payer[3:15]}000")


def _around(rows: Rows, random: Random, payer: str, oldest: str) -> None:
    """Cases, promises, holds and plans of some."""
    today = NOW.date()
    if random.random() < 0.12:
        opened_at = _at(today - timedelta(days=random.randrange(1, 60)))
        kind, closed = random.choice(CASE_TYPES), random.random() < 0.5
        rows["cases"].append({"id": f"500{payer[3:]}", "payer": payer, "type": kind, "is_closed": closed, "opened_at": opened_at})
    if random.random() < 0.05:
        on = today + timedelta(days=random.randrange(-5, 10))
        rows["promises"].append({"id": f"pr{payer}", "payer": payer, "installment": oldest, "on": on})
    if random.random() < 0.04:
        cause, until = random.choice(
            (("dispute", None), ("breathing_space", today + timedelta(days=30)), ("manual", today + timedelta(days=3)))
        )
        rows["holds"].append({"id": f"h{payer}", "payer": payer, "cause": cause, "until": until})
    if random.random() < 0.03:
        rows["payers"][-1]["plan_state"] = random.choice(("offered", "kept", "missed"))


def _at(on: date, hour: int = 3) -> datetime:
    return datetime.combine(on, time(hour), UTC)


def _with_past(position: Position, policy: Policy) -> Position:
    """``position`` with what was done since the first failure: contacts whose time came were made, and the rest is planned."""
    began_at = min((one.failures[0].at for one in position.open_items if one.failures), default=_at(position.open_items[0].due_on))
    at = began_at.replace(hour=2) + timedelta(days=1)
    while at < NOW:
        position = _passed(position, policy, at, min(at + timedelta(days=PASS_DAYS), NOW))
        at += timedelta(days=PASS_DAYS)
    return position


def _passed(position: Position, policy: Policy, at: datetime, until: datetime) -> Position:
    """The same payer at ``until``, when what was decided at ``at`` has been done or still waits."""
    decision = decide(position, policy, at)
    contacts, finished, shown = list(position.contacts), set(position.finished), {}
    holds = [one.hold for one in decision.follow_ups if one.hold is not None]
    for one in decision.follow_ups:
        if one.at >= until or one.kind is Kind.RETRY:
            shown[one.key] = Shown(one.key, one.kind, one.at.astimezone(UTC))
            continue
        finished.add(one.key)
        if one.kind in CONTACT_KINDS or one.kind is Kind.CALL:
            contacts.append(Contact(one.at.astimezone(UTC), one.channel, one.kind, one.key))
    for stop in decision.withheld:
        shown[stop.key] = Shown(stop.key, stop.kind, None, withheld=True)
    contacts.sort(key=lambda contact: contact.at)
    return replace(
        position,
        contacts=tuple(contacts),
        finished=frozenset(finished),
        shown=MappingProxyType(shown),
        holds=(*position.holds, *(replace(hold, id=f"h{position.payer.id}") for hold in holds)),
    )
