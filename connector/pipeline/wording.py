"""The words of a Task: what is to be said to the payer, or asked of a colleague, and why.

Must not decide. Invariant: a sensitive cause never stands in a Task; people there read "do not contact".
"""

from datetime import date

from connector.core.changes import is_discreet
from connector.core.model import Decision, FollowUp
from connector.core.money import text as amount_text
from connector.core.words import CONTACT_KINDS, Kind
from connector.mapping.templates import FREE_ADVICE, Values
from connector.pipeline.load import Loaded
from connector.pipeline.ports import Context


def task_words(context: Context, loaded: Loaded, one: FollowUp, payer: str, decision: Decision) -> str:
    """Text of the Task for a follow-up: the message to send where there is one, then the reasons."""
    why = "Do not contact." if is_discreet(decision) else " ".join(one.reasons)
    if one.kind not in CONTACT_KINDS or one.template is None:
        return why
    facts = loaded.about[payer]
    message = context.templates.render(one.template, facts.language, values(context, loaded, one, payer, _debit_on(context, one, decision)))
    how = f"Send by {one.channel}" if one.channel else "Send"
    if one.to is not None:
        how = f"{how} to the person who acts for the payer, in your own words, because this text speaks to the payer"
    return f"{how}:\n\n{message.subject}\n\n{message.body}\n--\nWhy: {why}"


def values(context: Context, loaded: Loaded, one: FollowUp, payer: str, debit_on: date | None) -> Values:
    """What a template may print about a follow-up."""
    facts = loaded.about[payer]
    currency = one.currency or context.mapping.creditor.currency
    amount = f"{amount_text(one.amount_minor, currency)} {currency}" if one.amount_minor is not None else ""
    return Values(
        payer_name=facts.name,
        amount=amount,
        due_on=min((loaded.due_on[found] for found in one.installments if found in loaded.due_on), default=None),
        pay_link=next((loaded.pay_links[found] for found in one.installments if found in loaded.pay_links), None),
        retry_on=debit_on,
        creditor_name=context.mapping.creditor.name,
        installments=max(1, len(one.installments)),
        free_advice=None if facts.is_company else FREE_ADVICE.get(facts.country or ""),
    )


def _debit_on(context: Context, one: FollowUp, decision: Decision) -> date | None:
    """The day of the collection that a notice announces, in the creditor's time zone.

    Other messages name no day: whether the retry stands in the same decision depends on when it was made, and words must not.
    """
    announced = next((other for other in decision.follow_ups if other.kind is Kind.RETRY and other.after == one.key), None)
    return announced.at.astimezone(context.mapping.creditor.zone).date() if announced is not None else None
