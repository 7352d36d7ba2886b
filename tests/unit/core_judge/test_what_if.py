"""``--what-if``: the same payer with one thing otherwise, nothing else touched, and clear words for what cannot be supposed."""

from dataclasses import replace

import pytest

from connector.core.decide import decide
from connector.core.what_if import KEYS, suppose
from connector.errors import ConfigError
from tests.scenario.decide.builders import NOW, complaint, default_policy, item, payer, position


def kinds(found, *supposed):
    """Kinds of what would be done."""
    decision = decide(suppose(found, supposed, NOW), default_policy(), NOW)
    return [one.kind.value for one in decision.follow_ups], sorted({reason for one in decision.withheld for reason in one.reasons})


def test_a_closed_case_lets_the_note_go_out():
    """The question the issue of every complaint is asked with, and if it were closed."""
    found = position(item(), cases=(complaint(),))
    assert kinds(found) == (["inform"], ["open_case"])
    assert kinds(found, "case=closed")[0] == kinds(position(item()))[0]


@pytest.mark.parametrize(
    ("supposed", "expected"),
    [
        ("reason=disputed", "review"), ("reason=account", None), ("case=complaint", "inform"), ("reason=mandate_invalid", "request_method"),
        ("failures_12m=5", "call"), ("hold=none", "remind"), ("claim_kind=gift", "remind"), ("scheme=card", "retry"), ("reason=none", "remind"),
    ],
)  # fmt: skip
def test_each_supposition_changes_what_is_done(supposed, expected):
    """What is supposed is judged as if it were so."""
    found = position(item())
    if expected is None:
        with pytest.raises(ConfigError):
            kinds(found, supposed)
    else:
        assert expected in kinds(found, supposed)[0]


@pytest.mark.parametrize(
    ("supposed", "reason"),
    [
        ("hold=breathing_space:2026-05-01", "hold:breathing_space"), ("plan=kept", "plan"), ("promise=2026-03-09", "promise"),
        ("vulnerable=yes", "hold:vulnerable"), ("case=billing", "open_case"), ("email=no", "no_consent"),
    ],
)  # fmt: skip
def test_what_forbids_can_be_supposed_too(supposed, reason):
    """Silence is explained for a supposed stop as for a real one."""
    assert reason in kinds(position(item()), supposed)[1]


def test_what_was_true_is_untouched():
    """A supposition is a copy: the position that was asked about stays as it is."""
    found = position(item(), payer=payer(segment="Gold"))
    assert suppose(found, ("segment=none", "country=GB", "region=SCT"), NOW).payer.region == "SCT"
    assert found.payer.segment == "Gold"


def test_suppositions_come_true_in_their_order():
    """Several are told one after the other, and the later wins."""
    assert suppose(position(item()), ("tenure_days=10", "tenure_days=4000"), NOW).tenure_days == 4000


@pytest.mark.parametrize(
    ("supposed", "words"),
    [
        ("cases=closed", "did you mean case?"), ("nonsense", "write key=value"), ("reason=disputd", "did you mean disputed?"),
        ("failures_12m=many", "no whole number"), ("hold=dispute:tomorrow", "no date such as"), ("vulnerable=maybe", "neither yes nor no"),
        ("plan=paid", "is none of"), ("payer_kind=dog", "neither person nor company"), ("contacts=3", "reached=yes"), ("scheme=x9", "one of"),
    ],
)  # fmt: skip
def test_what_cannot_be_supposed_is_told_with_what_was_meant(supposed, words):
    """A slip of the pen is mended from the message alone."""
    with pytest.raises(ConfigError) as caught:
        suppose(position(item()), (supposed,), NOW)
    assert words in "\n".join(caught.value.problems)


def test_every_problem_is_told_at_once():
    """Two slips are two lines."""
    with pytest.raises(ConfigError) as caught:
        suppose(position(item()), ("a=b", "reason=c", "segment=d"), NOW)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("name", sorted(KEYS))
def test_everything_can_be_supposed_away_or_refused(name):
    """``none`` is either understood or refused in words, for every key; it never breaks a decision."""
    found = position(item(), cases=(complaint(),))
    if name in ("claim_kind", "payer_kind"):
        with pytest.raises(ConfigError, match="none"):
            suppose(found, (f"{name}=none",), NOW)
    else:
        assert decide(suppose(found, (f"{name}=none",), NOW), default_policy(), NOW).payer == found.payer.id


def test_a_payer_may_be_supposed_a_company_and_reached():
    """Who they are and whether somebody spoke with them are supposed like anything else."""
    found = position(item())
    assert suppose(found, ("payer_kind=company",), NOW).payer.kind == "company"
    spoken = suppose(found, ("reached=yes",), NOW)
    assert [(one.conversation, one.at < NOW) for one in spoken.contacts] == [(True, True)]
    assert not any(one.conversation for one in suppose(spoken, ("reached=no",), NOW).contacts)


@pytest.mark.parametrize(
    ("supposed", "what", "value"),
    [
        ("country=none", "country", None), ("region=SCT", "region", "SCT"), ("time_zone=Asia/Tokyo", "time_zone", "Asia/Tokyo"), ("segment=-", "segment", None),
        ("value=high", "value", "high"), ("risk=low", "risk", "low"), ("preferred_channel=sms", "preferred_channel", "sms"), ("preferred_channel=none", "preferred_channel", None),
        ("email=no", "allow_email", False), ("sms=yes", "allow_sms", True), ("call=none", "allow_call", None), ("vulnerable=true", "vulnerable", True), ("vulnerable=null", "vulnerable", False),
    ],
)  # fmt: skip
def test_what_is_supposed_of_a_payer_is_that_and_nothing_else(supposed, what, value):
    """One field changes, to exactly what was said."""
    found = position(item())
    assert suppose(found, (supposed,), NOW) == replace(found, payer=replace(found.payer, **{what: value}))


@pytest.mark.parametrize(
    ("supposed", "what", "value"),
    [("failures_12m=none", "failures_12m", None), ("consecutive_failures=3", "consecutive_failures", 3), ("clean_days=0", "clean_days", 0), ("pay_day=26", "pay_day", 26)],
)  # fmt: skip
def test_what_is_supposed_of_their_past_is_that_and_nothing_else(supposed, what, value):
    """A number, or nothing known."""
    found = position(item())
    assert suppose(found, (supposed,), NOW) == replace(found, **{what: value})


def test_what_is_supposed_of_installments_is_so_for_all_of_them():
    """Reason, scheme, claim and product of every open one; a code that was reported stays beside its new meaning."""
    found = position(item(id="a"), item(None, id="b"))
    blocked = suppose(found, ("reason=deceased",), NOW).open_items
    assert [(one.last_failure.reason.category, one.last_failure.reason.code, one.last_failure.reason.retry, one.last_failure.reason.sensitive) for one in blocked] == [
        ("deceased", "XXXX", "no", True), ("deceased", "", "no", True),
    ]  # fmt: skip
    assert [(one.last_failure.at, one.last_failure.outcome) for one in blocked[1:]] == [(NOW, "failed")]
    poor = suppose(found, ("reason=insufficient_funds",), NOW).open_items
    assert {(one.last_failure.reason.retry, one.last_failure.reason.sensitive) for one in poor} == {("yes", False)}
    assert [one.failures for one in suppose(found, ("reason=none",), NOW).open_items] == [(), ()]
    assert {one.scheme for one in suppose(found, ("scheme=none",), NOW).open_items} == {None}
    assert {one.product for one in suppose(found, ("product=Gas",), NOW).open_items} == {"Gas"}
    assert {one.claim_kind for one in suppose(found, ("claim_kind=gift",), NOW).open_items} == {"gift"}


def test_what_surrounds_them_is_added_or_taken_away():
    """A hold, a promise, a plan, a case: one more, or none."""
    found = position(item(), cases=(complaint(),))
    (hold,) = suppose(found, ("hold=dispute",), NOW).holds
    assert (hold.cause, hold.from_on, hold.until, hold.installments) == ("dispute", NOW.date(), None, ())
    (hold,) = suppose(found, ("hold=dispute", "hold=released", "hold=manual:2026-04-01"), NOW).holds
    assert (hold.cause, str(hold.until)) == ("manual", "2026-04-01")
    (promise,) = suppose(found, ("promise=2026-03-09",), NOW).promises
    assert (str(promise.on), promise.installment) == ("2026-03-09", None)
    assert (suppose(found, ("plan=kept",), NOW).plan.state, suppose(found, ("plan=none",), NOW).plan) == ("kept", None)
    (closed,) = suppose(found, ("case=closed",), NOW).cases
    assert (closed.is_closed, closed.closed_at) == (True, NOW)
    old, new = suppose(found, ("case=billing",), NOW).cases
    assert (old.is_closed, new.is_closed, new.type, new.opened_at) == (False, False, "billing", NOW)
