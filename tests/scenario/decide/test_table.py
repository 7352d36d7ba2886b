"""Facts → what is done and what is withheld, one row a situation: the table people read first."""

from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from connector.core.model import CollectionRun, Hold, Plan, Position, Promise
from connector.core.words import ClaimKind, HoldCause, Outcome, Scheme
from tests.scenario.decide.builders import at, complaint, contact, failure, item, judge, kinds, loyal, payer, position, settled, withheld


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    facts: Position
    follow_ups: str
    status: str
    withheld: dict[str, str] = field(default_factory=dict)
    tone: str | None = None


def hold(cause, until=None, installments=()):
    """A hold since the twentieth of February."""
    return Hold("h1", HoldCause(cause), date(2026, 2, 20), until, installments)


def gift(**more):
    """A gift that failed."""
    return item(claim_kind=ClaimKind.GIFT, **more)


TWICE = (failure(when=at("2026-01-30 08:00")), failure())
ROWS = [
    Row("loyal payer, first failure, direct debit", loyal(item()), "notify remind retry", "In Arrears", tone="gentle"),
    Row("loyal payer, first failure, card", loyal(item(scheme="card")), "remind retry", "In Arrears", tone="gentle"),
    Row("ordinary payer, no money", position(item(), failures_12m=2), "notify remind retry", "In Arrears", tone="gentle"),
    Row("fourth this year, a person", position(item(), failures_12m=4), "call notify offer_plan remind retry", "In Arrears", tone="firm"),
    Row("fourth this year, a company", position(item(), failures_12m=4, payer=payer(kind="company")), "call notify remind retry", "In Arrears", tone="firm"),
    Row("fourth this year, card expired", position(item("method_invalid"), failures_12m=4), "call offer_plan request_method", "In Arrears", tone="firm"),
    Row("failures cannot be told", position(item(), failures_12m=None), "notify remind retry", "In Arrears", tone="gentle"),
    Row("first payment of all", position(item(first_ever=True), tenure_days=20), "notify remind retry", "In Arrears", tone="welcoming"),
    Row("first payment, card expired", position(item("method_invalid", first_ever=True)), "request_method", "In Arrears", tone="welcoming"),
    Row("first payment, confirmation wanted", position(item("authentication_required", first_ever=True, scheme="card")), "request_method", "In Arrears", tone="welcoming"),
    Row("no money twice in a row", position(item(failures=TWICE)), "remind", "In Arrears", tone="gentle"),
    Row(
        "no money twice in a row, but reached since",
        position(item(failures=TWICE), contacts=(contact("2026-03-01 12:00", "call", "call", conversation=True),)),
        "notify remind retry", "In Arrears",
    ),
    Row("account closed", position(item("method_invalid")), "request_method", "In Arrears", tone="gentle"),
    Row("mandate revoked", position(item("mandate_invalid")), "request_method", "In Arrears", tone="gentle"),
    Row("confirmation wanted", position(item("authentication_required", scheme="card")), "request_method", "In Arrears", tone="gentle"),
    Row("technical, card", position(item("technical", scheme="card")), "retry", "Watch"),
    Row("technical, direct debit", position(item("technical")), "notify retry", "Watch", tone="neutral"),
    Row("technical, must be repaired first", position(item(failures=(failure("technical", retry="no"),))), "review", "Watch"),
    Row("technical, twice", position(item(scheme="card", failures=(failure("technical", at("2026-02-26 08:00")), failure("technical")))), "remind retry review", "In Arrears"),
    Row("our own mistake, nothing moved", position(item("creditor_error")), "review", "Watch"),
    Row("our own mistake, money taken back", position(item(failures=(failure("creditor_error", outcome="reversed"),))), "apologise review", "Watch", tone="gentle"),
    Row("disputed", position(item("disputed")), "hold review", "On Hold"),
    Row("charged back without a reason", position(item(failures=(failure("unknown", outcome="charged_back"),))), "hold review", "On Hold"),
    Row("blocked by the payer", position(item("blocked_by_payer")), "request_method", "In Arrears"),
    Row("fraud suspected", position(item("fraud")), "hold review", "On Hold"),
    Row("legal", position(item("legal")), "hold review", "On Hold"),
    Row("deceased", position(item("deceased")), "hold review", "On Hold"),
    Row(
        "deceased, and another installment failed for lack of money",
        position(item("deceased"), item(id="a0X2")), "hold review", "On Hold", {"remind": "hold:deceased", "retry": "hold:deceased"},
    ),
    Row("unknown reason", position(item("unknown")), "review", "In Arrears"),
    Row("refused, may be tried again", position(item("refused")), "notify remind retry", "In Arrears"),
    Row("refused, must not be tried again", position(item(failures=(failure("refused", retry="ask"),))), "request_method", "In Arrears"),
    Row("not paid, a transfer, long overdue", position(item(None, scheme="credit_transfer", due="2026-02-20")), "remind", "In Arrears", tone="gentle"),
    Row("not paid, a transfer, yesterday", position(item(None, scheme="credit_transfer")), "remind", "Watch", tone="gentle"),
    Row("not paid by a loyal payer, yesterday", loyal(item(None, scheme="credit_transfer")), "remind", "Watch", tone="gentle"),
    Row("complaint is open", position(item(), cases=(complaint(),)), "inform", "On Hold", {"remind": "open_case", "retry": "open_case"}),
    Row("contract case is open", position(item(scheme="card"), cases=(complaint(type="Contract change"),)), "inform retry", "On Hold", {"remind": "open_case"}),
    Row(
        "contract case is open, direct debit",
        position(item(), cases=(complaint(type="Contract"),)), "inform", "On Hold", {"remind": "open_case", "retry": "open_case notice_period"},
    ),
    Row("complaint is closed", position(item(), cases=(complaint(is_closed=True),)), "notify remind retry", "In Arrears"),
    Row("another kind of case is open: only softer", position(item(), failures_12m=4, cases=(complaint(type="Address change"),)), "call notify offer_plan remind retry", "In Arrears", tone="neutral"),
    Row("old complaint: a person decides", position(item(), cases=(complaint(opened_at=at("2025-10-01 10:00")),)), "inform review", "On Hold", {"remind": "open_case", "retry": "open_case"}),
    Row("breathing space", position(item(due="2026-02-18"), holds=(hold("breathing_space", date(2026, 4, 20)),)), "", "On Hold", {"remind": "hold:breathing_space", "retry": "hold:breathing_space"}),
    Row("breathing space is over", position(item(), holds=(hold("breathing_space", date(2026, 3, 1)),)), "notify remind retry", "In Arrears"),
    Row("last day of breathing space", position(item(due="2026-02-18"), holds=(hold("breathing_space", date(2026, 3, 2)),)), "", "On Hold", {"remind": "hold:breathing_space", "retry": "hold:breathing_space"}),
    Row("a hold that people release does not end by its date", position(item(), holds=(hold("dispute", date(2026, 2, 25)),)), "", "On Hold", {"remind": "hold:dispute", "retry": "hold:dispute"}),
    Row("hold on another installment only", position(item(), holds=(hold("dispute", None, ("a0X9",)),)), "notify remind retry", "On Hold"),
    Row("a hold of cause promise goes by its bare name", position(item(), holds=(hold("promise", date(2026, 3, 9)),)), "", "On Hold", {"remind": "promise", "retry": "promise"}),
    Row("marked as vulnerable", position(item(), payer=payer(vulnerable=True)), "review", "On Hold", {"remind": "hold:vulnerable", "retry": "hold:vulnerable"}),
    Row("promise to pay next week", position(item(), promises=(Promise(date(2026, 3, 9)),)), "", "On Hold", {"remind": "promise", "retry": "promise"}),
    Row("promise broken yesterday", position(item(), promises=(Promise(date(2026, 3, 1)),)), "call remind", "In Arrears"),
    Row("plan is kept", position(item(), plan=Plan("kept")), "", "Payment Plan", {"remind": "plan", "retry": "plan"}),
    Row("plan was missed", position(item(), plan=Plan("missed")), "call remind", "In Arrears"),
    Row("late money", position(settled=(settled(),)), "clear confirm", "Clear"),
    Row("settled by a credit", position(settled=(settled("credit"),)), "clear", "Clear"),
    Row("written off", position(settled=(settled("written_off"),)), "clear", "Clear"),
    Row("settled three weeks ago", position(settled=(settled(when="2026-02-10 09:00"),)), "clear", "Clear"),
    Row("settled, something else is open", position(item(), settled=(settled(id="a0X0"),)), "notify remind retry", "In Arrears"),
    Row("settled, and the payer never knew", position(settled=(settled(silent=True),)), "clear", "Clear"),
    Row("settled, but a complaint is open", position(settled=(settled(),), cases=(complaint(),)), "clear", "Clear", {"confirm": "open_case"}),
    Row("gift", position(gift()), "remind", "Clear", tone="gentle"),
    Row("first gift", position(gift(first_ever=True)), "remind", "Clear", tone="welcoming"),
    Row("gift, technical, card", position(item("technical", scheme="card", claim_kind=ClaimKind.GIFT)), "retry", "Clear"),
    Row("gift, fourth failure", position(gift(), failures_12m=4), "remind", "Clear", tone="gentle"),
    Row("membership", position(item(claim_kind=ClaimKind.MEMBERSHIP)), "notify remind retry", "In Arrears", tone="gentle"),
    Row("membership, fourth failure", position(item(claim_kind=ClaimKind.MEMBERSHIP), failures_12m=4), "notify remind retry", "In Arrears", tone="gentle"),
    Row("rows are missing, nothing is seen open", position(missing=("a0X7",)), "alert_team", "In Arrears", {"clear": "stale_data"}),
    Row("rows are missing, something failed", position(item(), missing=("a0X7",)), "alert_team", "In Arrears", {"remind": "stale_data", "retry": "stale_data"}),
    Row("rows are missing, something was settled", position(settled=(settled(),), missing=("a0X7",)), "alert_team", "In Arrears", {"clear": "stale_data"}),
    Row("payment data is stale", position(item(), stale=True), "", "In Arrears", {"remind": "stale_data", "retry": "stale_data"}),
    Row("money is on its way", position(item(in_transit=True)), "", "Watch", {"remind": "money_in_transit", "retry": "money_in_transit"}),
    Row("another system tries again", position(item(retried_elsewhere=True)), "remind", "In Arrears", {"retry": "other_system"}),
    Row("too small", position(item(amount=499)), "", "Watch", {"remind": "threshold", "retry": "threshold notice_period"}),
    Row("just enough", position(item(amount=500, scheme="card")), "remind retry", "In Arrears"),
    Row("a credit covers it", position(item(credit_minor=4000)), "", "Clear"),
    Row("e-mail refused, nothing else allowed", position(item(), payer=payer(allow_email=False)), "review", "In Arrears", {"remind": "no_consent", "retry": "no_consent notice_period"}),
    Row("e-mail refused, texts allowed", position(item(scheme="card"), payer=payer(allow_email=False, allow_sms=True)), "remind retry", "In Arrears"),
    Row("calls refused", position(item(), failures_12m=4, payer=payer(allow_call=False)), "notify offer_plan remind retry review", "In Arrears", {"call": "no_consent"}),
    Row("never asked whether they may be called", position(item(), failures_12m=4, payer=payer(allow_call=None)), "notify offer_plan remind retry review", "In Arrears", {"call": "no_consent"}),
    Row("spoken to last week", position(item(), failures_12m=4, contacts=(contact("2026-02-26 12:00", "call", "call", conversation=True),)), "notify offer_plan remind retry", "In Arrears", {"call": "call_cap"}),
    Row("no collection run is planned", position(item(), runs=()), "remind", "In Arrears", {"retry": "no_run"}),
    Row("a run leaves time for notice", position(item(), runs=(CollectionRun(Scheme.SEPA_CORE, date(2026, 3, 27)),)), "notify remind retry", "In Arrears"),
    Row("the only run comes before notice can be given", position(item(), runs=(CollectionRun(Scheme.SEPA_CORE, date(2026, 3, 10)),)), "remind", "In Arrears", {"retry": "no_run"}),
    Row("a run of another scheme only", position(item(), runs=(CollectionRun(Scheme.BACS, date(2026, 3, 27)),)), "remind", "In Arrears", {"retry": "no_run"}),
    Row("card tried fifteen times in thirty days", position(item(scheme="card", attempts_30d=15)), "remind", "In Arrears", {"retry": "scheme_limit"}),
    Row("ACH presented three times", position(item(scheme="ach", attempts_180d=3)), "remind", "In Arrears", {"retry": "scheme_limit"}),
    Row("ACH returns too often", position(item(scheme="ach"), return_ratio={"ach.overall": 0.16}), "remind", "In Arrears", {"retry": "scheme_limit"}),
    Row("Bacs, older than a month", position(item(scheme="bacs", due="2026-01-20")), "remind", "In Arrears", {"retry": "scheme_limit"}),
    Row("nothing at all", position(), "", "Clear"),
    Row("open but not yet due", position(item(None, overdue=False, due="2026-04-01")), "", "Clear"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_is_done_follows_from_the_facts(row):
    """Every situation of the table leads to exactly these follow-ups, this status and these withheld steps."""
    decision = judge(row.facts)
    assert " ".join(kinds(decision)) == row.follow_ups
    assert decision.arrears.status == row.status
    assert {kind: " ".join(reasons) for kind, reasons in withheld(decision).items()} == row.withheld
    tones = {one.tone for one in decision.follow_ups if one.kind in ("remind", "request_method", "apologise")}
    if row.tone and tones:
        assert tones == {row.tone}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_decision_explains_itself(row):
    """Each follow-up names its row and says why in sentences, and the flag has one sentence of its own."""
    decision = judge(row.facts)
    assert decision.why.endswith(".")
    for one in decision.follow_ups:
        assert one.rule
        assert one.subject
        assert one.reasons
        assert all(sentence.endswith(".") for sentence in one.reasons)


def test_sensitive_causes_stand_in_no_subject_and_not_on_the_flag():
    """Colleagues read "do not contact", never why."""
    for category in ("deceased", "legal", "fraud"):
        decision = judge(position(item(category)))
        shown = " ".join([decision.why, *(one.subject for one in decision.follow_ups)]).casefold()
        assert not any(word in shown for word in ("deceased", "died", "death", "legal", "fraud", "insolv"))


def test_an_amount_is_what_is_overdue_by_currency():
    """Credits are set off, gifts and what is not yet due are left out, currencies are never added up."""
    pounds = replace(item(id="a0X3", amount=900), currency="GBP")
    decision = judge(
        position(item(credit_minor=1000), pounds, item(id="a0X4", claim_kind=ClaimKind.GIFT), item(None, id="a0X5", overdue=False))
    )
    assert dict(decision.arrears.amount) == {"EUR": 3000, "GBP": 900}


def test_a_partly_taken_back_year_is_counted_from_the_oldest_open_installment():
    """January reversed in March is open since January, whatever was paid since."""
    january = item(due="2026-01-01", failures=(failure("disputed", outcome="reversed"),), id="a0X0")
    decision = judge(position(january, item(id="a0X1")))
    assert decision.arrears.since == date(2026, 1, 1)
    assert decision.arrears.days_past_due == 60
    assert january.failures[0].outcome is Outcome.REVERSED
