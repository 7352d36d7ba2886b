"""What the default policy and its guards promise, sentence by sentence: facts → what is done, what is withheld.

`done` lists kinds, with the assignee's role or the tone after a slash where the sentence speaks of it.
"""

from dataclasses import dataclass, field
from datetime import date

import pytest

from connector.core.model import Hold, Plan, Position, Promise
from connector.core.words import ClaimKind, HoldCause
from tests.scenario.decide.builders import at, complaint, contact, failure, item, judge, loyal, payer, position, settled


@dataclass(frozen=True)
class Row:
    """One promise."""

    sentence: str
    facts: Position
    done: str
    withheld: dict[str, str] = field(default_factory=dict)


def told(decision):
    """What is done: kind, and tone or assignee."""
    return " ".join(sorted(f"{one.kind}/{one.tone or one.assignee or '-'}" for one in decision.follow_ups))


def member(*args, **more):
    """A membership fee that failed."""
    return item(*args, claim_kind=ClaimKind.MEMBERSHIP, **more)


def hold(cause, until=None, installments=()):
    """A hold since the twentieth of February."""
    return Hold("h1", HoldCause(cause), date(2026, 2, 20), until, installments)


def expired(day):
    """A card that expired when it was due."""
    return item("method_invalid", failures=(failure("method_invalid", at(f"{day} 08:00")),), due=day)


def american(state):
    """A person in one of the United States."""
    return payer(country="US", region=state, time_zone="America/New_York")


def done(*keys):
    """Contacts of ours that were made, a week apart, ending yesterday."""
    days = ("02-02", "02-09", "02-16", "02-23")[-len(keys) :]
    return tuple(contact(f"2026-{day} 10:00", key.split("-")[0], "email", key) for day, key in zip(days, keys, strict=True))


LATE = item(None, scheme="credit_transfer", due="2026-02-01")
CALLED_TWICE = (contact("2026-02-26 18:00", "call", "call"), contact("2026-02-27 18:00", "call", "call"))
TWICE = (failure(when=at("2026-01-30 08:00")), failure())
ROWS = [
    # insufficient funds
    Row("not enough money: a gentle note, and a retry that is announced", position(item()), "notify/neutral remind/gentle retry/-"),
    Row("by card nothing has to be announced", position(item(scheme="card")), "remind/gentle retry/-"),
    Row("by a wallet as by card", position(item(scheme="wallet")), "remind/gentle retry/-"),
    Row("twice in a row: retries pause until the payer was reached", position(item(scheme="card", failures=TWICE)), "remind/gentle"),
    Row("money owed in cash is asked for and never pulled", position(item(None, scheme="cash", due="2026-02-01")), "remind/gentle"),
    # the whole customer
    Row("four failures in a year: firm, a call, and for a person a plan", position(item(scheme="card"), failures_12m=4), "call/credit_manager offer_plan/neutral remind/firm retry/-"),
    Row("four failures in a year, a company: no plan is offered by itself", position(item(scheme="card"), failures_12m=5, payer=payer(kind="company")), "call/credit_manager remind/firm retry/-"),
    Row("a long and clean history: the mildest word however late it is", loyal(item(None, scheme="credit_transfer", due="2025-10-01")), "remind/gentle"),
    Row("the first installment of all without a mandate: welcoming", position(item("mandate_invalid", first_ever=True)), "request_method/welcoming"),
    Row("a risk class alone makes nothing harsher", position(item(scheme="card"), payer=payer(risk="high")), "remind/gentle retry/-"),
    # only the payer can mend it
    Row("card expired, asked again after seven days", position(expired("2026-02-22"), contacts=done("request_method-a0X1-20260222-L1")), "request_method/neutral"),
    Row("card expired, a call after fourteen", position(expired("2026-02-14"), contacts=done("request_method-a0X1-20260214-L1", "request_method-a0X1-20260214-L2")), "call/credit_manager"),
    Row("confirmation wanted of a loyal payer: asked at once, no blind retry", loyal(item("authentication_required", scheme="card")), "request_method/gentle"),
    Row("account closed of a loyal payer: no retry, a gentle request", loyal(item("method_invalid", scheme="card")), "request_method/gentle"),
    Row("blocked by the payer: no retry, another way to pay", position(item("blocked_by_payer", scheme="card")), "request_method/gentle"),
    # nobody's fault, and ours
    Row("technical again and again: another way, and an admin looks", position(item(scheme="card", failures=tuple(failure("technical", at(f"2026-02-{day} 08:00")) for day in (20, 22, 24, 26)))), "request_method/gentle review/admin"),
    Row("our own mistake that moved money: an apology, a review, no dunning", position(item(failures=(failure("creditor_error", outcome="reversed"),))), "apologise/gentle review/credit_manager"),
    # what stops
    Row("disputed after collection: no retry, a hold, a review", position(item(failures=(failure("disputed", outcome="charged_back"),))), "hold/- review/credit_manager"),
    Row("fraud suspected: no retry, all rests until a specialist has looked", position(item("fraud", scheme="card"), item(id="a0X2", scheme="card")), "hold/- review/specialist", {"remind": "hold:fraud", "retry": "hold:fraud"}),
    Row("a death stops everything that person owes", position(item("deceased"), item(id="a0X2")), "hold/- review/specialist", {"remind": "hold:deceased", "retry": "hold:deceased"}),
    # cases
    Row("a billing case withholds contact and retries, its owner is told", position(item(scheme="card"), cases=(complaint(type="Billing question"),)), "inform/case_owner:005U1", {"remind": "open_case", "retry": "open_case"}),
    Row("a dispute case too", position(item(scheme="card"), cases=(complaint(type="Dispute"),)), "inform/case_owner:005U1", {"remind": "open_case", "retry": "open_case"}),
    Row("any other case only softens", position(item(scheme="card"), failures_12m=4, cases=(complaint(type="Moving house"),)), "call/credit_manager offer_plan/gentle remind/neutral retry/-"),
    # agreements
    Row("on the day of the promise it is still quiet", position(LATE, promises=(Promise(date(2026, 3, 2)),)), "", {"remind": "promise"}),
    Row("the day after, a call", position(LATE, promises=(Promise(date(2026, 3, 1)),)), "call/credit_manager remind/gentle"),
    Row("a promise about another installment keeps this one going", position(LATE, promises=(Promise(date(2026, 3, 9), "a0X9"),)), "remind/gentle"),
    Row("a broken promise of a member goes to the membership team", position(member(None, scheme="credit_transfer", due="2026-02-01"), promises=(Promise(date(2026, 3, 1)),)), "call/membership_team remind/gentle"),
    Row("a plan that is only offered stops nothing", position(LATE, plan=Plan("offered")), "remind/gentle"),
    Row("a plan that was missed has its own course", position(LATE, plan=Plan("missed")), "call/credit_manager remind/neutral"),
    # settled
    Row("settled by a credit note: cleared, and nobody is thanked for it", position(settled=(settled("credit"),)), "clear/-"),
    Row("settled, but mail is refused: cleared without a word", position(settled=(settled(),), payer=payer(allow_email=False)), "clear/-", {"confirm": "no_consent"}),
    Row("settled while disputed: cleared without a word", position(settled=(settled(),), holds=(hold("dispute"),)), "clear/-", {"confirm": "hold:dispute"}),
    # amounts
    Row("two currencies are two contacts", position(item(scheme="card"), item(id="a0X2", currency="GBP", scheme="card")), "remind/gentle remind/gentle retry/- retry/-"),
    Row("below the threshold nobody is written to, in pounds too", position(item(amount=499, currency="GBP", scheme="card")), "retry/-", {"remind": "threshold"}),
    Row("a currency without cents has a threshold of whole units", position(item(amount=4, currency="JPY", scheme="card")), "retry/-", {"remind": "threshold"}),
    Row("two small amounts together are worth a note", position(item(amount=300, scheme="card"), item(id="a0X2", amount=300, scheme="card")), "remind/gentle retry/- retry/-"),
    Row("what is on its way waits, the rest does not", position(item(in_transit=True), item(id="a0X2", scheme="card")), "remind/gentle retry/-", {"remind": "money_in_transit", "retry": "money_in_transit"}),
    # gifts
    Row("a gift is asked for twice and never again", position(item(None, claim_kind=ClaimKind.GIFT, scheme="credit_transfer", due="2026-01-01"), contacts=done("remind-a0X1-20260101-L1", "remind-a0X1-20260101-L2")), ""),
    # holds
    Row("breathing space: the listed debt is silent, the others go on", position(item(), item(id="a0X2"), holds=(hold("breathing_space", date(2026, 4, 20), ("a0X1",)),)), "notify/neutral remind/gentle retry/-", {"remind": "hold:breathing_space", "retry": "hold:breathing_space"}),
    Row("a crisis does not end by its date: people release it", position(item(), holds=(hold("crisis", date(2026, 2, 25)),)), "", {"remind": "hold:crisis", "retry": "hold:crisis"}),
    Row("nor does special care", position(item(), holds=(hold("vulnerable"),)), "", {"remind": "hold:vulnerable", "retry": "hold:vulnerable"}),
    Row("nor a suspicion of fraud", position(item(), holds=(hold("fraud"),)), "", {"remind": "hold:fraud", "retry": "hold:fraud"}),
    Row("a hold set by hand counts its last day", position(item(), holds=(hold("manual", date(2026, 3, 2)),)), "", {"remind": "hold:manual", "retry": "hold:manual"}),
    Row("and is over the day after", position(item(), holds=(hold("manual", date(2026, 3, 1)),)), "notify/neutral remind/gentle retry/-"),
    # schemes
    Row("a decline the network never approves: no retry", position(item(failures=(failure("refused", retry="no"),), scheme="card")), "request_method/gentle"),
    Row("ten declines today: the next try waits a day", position(item(scheme="card", attempts_24h=10)), "remind/gentle retry/-"),
    Row("PAD is presented once more and no third time", position(item(scheme="pad", attempts_180d=2)), "remind/gentle", {"retry": "scheme_limit"}),
    Row("Bacs is presented for the same amount or not at all", position(item(scheme="bacs", open_minor=2000, paid_minor=2000)), "remind/gentle", {"retry": "scheme_limit"}),
    Row("a scheme nobody knows is bound by the strictest", position(item(scheme=None, open_minor=2000, paid_minor=2000)), "remind/gentle", {"retry": "scheme_limit"}),
    Row("SEPA may collect the rest, announced anew", position(item(open_minor=2000, paid_minor=2000)), "notify/neutral remind/gentle retry/-"),
    Row("a mandate unused for three years is asked about, not used", position(item(failures=(failure(when=at("2022-12-01 08:00")),), due="2022-12-01")), "remind/gentle"),
    # places
    Row("two calls in a week are enough in Massachusetts", position(item(scheme="card"), failures_12m=4, payer=american("MA"), contacts=CALLED_TWICE), "offer_plan/neutral remind/firm retry/-", {"call": "call_cap"}),
    Row("and not in Ohio", position(item(scheme="card"), failures_12m=4, payer=american("OH"), contacts=CALLED_TWICE), "call/credit_manager offer_plan/neutral remind/firm retry/-"),
    Row("an outage of the processor is no debtor", position(item(scheme="card", processor="P"), outages=frozenset({"P"})), "", {"remind": "switched_off", "retry": "switched_off"}),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.sentence)
def test_the_promise_is_kept(row):
    """Each sentence holds, exactly."""
    decision = judge(row.facts)
    found = {str(one.kind): " ".join(one.reasons) for one in decision.withheld}
    assert (told(decision), found) == (row.done, row.withheld)
