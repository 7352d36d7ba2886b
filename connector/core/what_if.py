"""``--what-if key=value``: the same payer with one thing otherwise, for "and if the case were closed?".

Must not decide. Invariant: a supposition changes what it names and nothing else, and one that cannot be read is an
error that says which there are; nothing supposed is ever written anywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from connector.core.model import Case, Contact, Failure, Hold, OpenItem, Plan, Position, Promise, Reason
from connector.core.timing import zone
from connector.core.words import Category, Channel, ClaimKind, HoldCause, Outcome, Scheme
from connector.errors import ConfigError

Supposed = Callable[[Position, str, datetime], Position]
Word = TypeVar("Word", bound=StrEnum)
RETRYABLE = frozenset({Category.INSUFFICIENT_FUNDS, Category.TECHNICAL})
"""Categories that are supposed to be lawful to try again."""
NOTHING = ("none", "null", "-")
PLANS = ("offered", "kept", "missed")
DAYS = range(1, 32)
LETTERS = 2
"""Of an ISO 3166-1 code."""


def suppose(position: Position, suppositions: Sequence[str], now: datetime) -> Position:
    """Give ``position`` with every ``key=value`` of ``suppositions`` come true, in their order.

    Raises:
        ConfigError: every one that cannot be read, with what was probably meant.

    """
    problems = []
    for one in suppositions:
        name, sign, text = (part.strip() for part in one.partition("="))
        if not sign or name not in KEYS:
            problems.append(_unknown(one, name))
            continue
        try:
            position = KEYS[name][0](position, text, now)
        except ValueError as error:
            problems.append(f"--what-if {one}: {error}")
    if problems:
        raise ConfigError(problems)
    return position


def _unknown(one: str, name: str) -> str:
    close = get_close_matches(name, KEYS, n=1)
    meant = f"did you mean {close[0]}?" if close else f"it is one of {', '.join(sorted(KEYS))}"
    return f"--what-if {one}: write key=value; {meant}"


def _number(text: str) -> int | None:
    if text in NOTHING:
        return None
    if not text.isdecimal():
        raise ValueError(f"'{text}' is no whole number")
    return int(text)


def _flag(text: str) -> bool | None:
    words = {"yes": True, "true": True, "no": False, "false": False} | dict.fromkeys(NOTHING)
    if text not in words:
        raise ValueError(f"'{text}' is neither yes nor no")
    return words[text]


def _word(kind: type[Word], text: str) -> Word:
    try:
        return kind(text)
    except ValueError:
        close = get_close_matches(text, list(kind), n=1)
        raise ValueError(f"'{text}' is not known; " + (f"did you mean {close[0]}?" if close else f"one of {', '.join(kind)}")) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is no date such as 2026-03-31") from None


def _payer(position: Position, name: str, value: object) -> Position:
    change: dict[str, Any] = {name: value}
    return replace(position, payer=replace(position.payer, **change))


def _text(name: str) -> Supposed:
    return lambda position, text, _: _payer(position, name, None if text in NOTHING else text)


def _consent(name: str) -> Supposed:
    return lambda position, text, _: _payer(position, name, _flag(text))


def _pay_day(position: Position, text: str, _: datetime) -> Position:
    day = _number(text)
    if day is not None and day not in DAYS:
        raise ValueError(f"'{text}' is no day of a month")
    return replace(position, pay_day=day)


def _country(position: Position, text: str, _: datetime) -> Position:
    if text in NOTHING:
        return _payer(position, "country", None)
    country, _sign, region = text.partition("-")
    if len(country) != LETTERS or not country.isalpha():
        raise ValueError(f"'{text}' is no country such as NL or GB-SCT")
    return _payer(_payer(position, "country", country.upper()), "region", region or None)


def _zone(position: Position, text: str, _: datetime) -> Position:
    if text not in NOTHING and zone(text) is None:
        raise ValueError(f"'{text}' is no IANA time zone such as Europe/Amsterdam")
    return _payer(position, "time_zone", None if text in NOTHING else text)


def _count(name: str) -> Supposed:
    def counted(position: Position, text: str, _: datetime) -> Position:
        change: dict[str, Any] = {name: _number(text)}
        return replace(position, **change)

    return counted


def _items(position: Position, change: Callable[[OpenItem], OpenItem]) -> Position:
    return replace(position, open_items=tuple(change(item) for item in position.open_items))


def _channel(position: Position, text: str, _: datetime) -> Position:
    channel = None if text in NOTHING else _word(Channel, text)
    return replace(position, payer=replace(position.payer, preferred_channel=channel))


def _kind(position: Position, text: str, _: datetime) -> Position:
    if text not in ("person", "company"):
        raise ValueError(f"'{text}' is neither person nor company")
    return replace(position, payer=replace(position.payer, kind=text))


def _vulnerable(position: Position, text: str, _: datetime) -> Position:
    return replace(position, payer=replace(position.payer, vulnerable=bool(_flag(text))))


def _reason(position: Position, text: str, now: datetime) -> Position:
    """All open installments failed for this reason last; ``none``: they never failed."""
    if text in NOTHING:
        return _items(position, lambda item: replace(item, failures=()))
    category = _word(Category, text)

    def failed(item: OpenItem) -> OpenItem:
        last = item.last_failure
        old = last or Failure(now, Outcome.FAILED, _reason_of(category))
        return replace(item, failures=(*item.failures[:-1], replace(old, reason=_reason_of(category, old))))

    return _items(position, failed)


def _reason_of(category: Category, old: Failure | None = None) -> Reason:
    retry = "yes" if category in RETRYABLE else "no"
    code_set, code = (old.reason.code_set, old.reason.code) if old is not None else ("", "")
    return Reason(code_set, code, category, retry, category in (Category.DECEASED, Category.LEGAL, Category.FRAUD))


def _scheme(position: Position, text: str, _: datetime) -> Position:
    scheme = None if text in NOTHING else _word(Scheme, text)
    return _items(position, lambda item: replace(item, scheme=scheme))


def _claim_kind(position: Position, text: str, _: datetime) -> Position:
    kind = _word(ClaimKind, text)
    return _items(position, lambda item: replace(item, claim_kind=kind))


def _product(position: Position, text: str, _: datetime) -> Position:
    return _items(position, lambda item: replace(item, product=None if text in NOTHING else text))


def _case(position: Position, text: str, now: datetime) -> Position:
    """``closed``: none is open any more; any other word: one more of that type is open."""
    if text in (*NOTHING, "closed"):
        return replace(position, cases=tuple(replace(case, is_closed=True, closed_at=case.closed_at or now) for case in position.cases))
    return replace(position, cases=(*position.cases, Case("supposed", is_closed=False, type=text, opened_at=now)))


def _hold(position: Position, text: str, now: datetime) -> Position:
    """``none``: all are released; a cause, or ``cause:2026-04-30``: one more stands."""
    if text in (*NOTHING, "released"):
        return replace(position, holds=())
    cause, _, until = text.partition(":")
    hold = Hold("supposed", _word(HoldCause, cause), now.date(), _day(until) if until else None)
    return replace(position, holds=(*position.holds, hold))


def _promise(position: Position, text: str, _: datetime) -> Position:
    return replace(position, promises=() if text in NOTHING else (Promise(_day(text)),))


def _plan(position: Position, text: str, _: datetime) -> Position:
    if text not in (*NOTHING, *PLANS):
        raise ValueError(f"'{text}' is none of none, {', '.join(PLANS)}")
    return replace(position, plan=None if text in NOTHING else Plan(text))


def _reached(position: Position, text: str, now: datetime) -> Position:
    """``yes``: somebody spoke with the payer just now; ``no``: nobody did."""
    if _flag(text):
        return replace(
            position, contacts=(*position.contacts, Contact(now - timedelta(minutes=1), Channel.CALL, "call", conversation=True))
        )
    return replace(position, contacts=tuple(replace(contact, conversation=False) for contact in position.contacts))


def _contacts(position: Position, text: str, _: datetime) -> Position:
    if text not in NOTHING:
        raise ValueError("only 'none' can be supposed of contacts; for a conversation write reached=yes")
    return replace(position, contacts=(), finished=frozenset(), shown=MappingProxyType({}))


KEYS: Mapping[str, tuple[Supposed, str]] = MappingProxyType(
    {
        "reason": (_reason, "why the open installments failed last, or none"),
        "scheme": (_scheme, "scheme of the open installments"),
        "claim_kind": (_claim_kind, "debt, membership or gift"),
        "product": (_product, "product of the open installments"),
        "case": (_case, "closed, or the type of one more open case"),
        "hold": (_hold, "none, a cause, or cause:2026-04-30"),
        "promise": (_promise, "none, or the day it is for"),
        "plan": (_plan, "none, offered, kept or missed"),
        "reached": (_reached, "somebody spoke with the payer just now"),
        "contacts": (_contacts, "none: nobody has been in touch yet, and nothing is planned"),
        "failures_12m": (_count("failures_12m"), "installments that failed in twelve months"),
        "consecutive_failures": (_count("consecutive_failures"), "failures in a row"),
        "tenure_days": (_count("tenure_days"), "days since they became a customer"),
        "clean_days": (_count("clean_days"), "days without a failure before this"),
        "pay_day": (_pay_day, "day of the month on which they pay"),
        "country": (_country, "where they live, ISO 3166: NL or GB-SCT"),
        "region": (_text("region"), "part of the country, ISO 3166-2"),
        "time_zone": (_zone, "IANA name"),
        "segment": (_text("segment"), "customer segment"),
        "value": (_text("value"), "customer value"),
        "risk": (_text("risk"), "risk class"),
        "payer_kind": (_kind, "person or company"),
        "vulnerable": (_vulnerable, "marked for special care"),
        "preferred_channel": (_channel, "the channel they prefer"),
        "email": (_consent("allow_email"), "whether mail is allowed"),
        "sms": (_consent("allow_sms"), "whether texts are allowed"),
        "call": (_consent("allow_call"), "whether calls are allowed"),
    }
)
"""What can be supposed: how, and what it means."""
