"""The packs of scheme and country rules: sourced, complete, strictest where nothing is known, faults told at once."""

import shutil

import pytest

from connector.core.rules import CountryRules, Rules
from connector.core.words import Scheme
from connector.errors import ConfigError
from connector.mapping.rules import load_rules
from tests.scenario.decide.builders import ROOT, default_policy

FOLDER = ROOT / "mappings" / "rules"


@pytest.fixture
def rules():
    """The packs that ship."""
    return default_policy().rules


def test_every_scheme_has_limits_with_source_and_date(rules):
    """A number without a source is an opinion; what cannot be pulled is never tried again."""
    assert set(rules.schemes) == set(Scheme)
    assert all(limit.source and limit.effective for limit in [*rules.schemes.values(), *rules.countries.values()])
    assert not rules.scheme(Scheme.CREDIT_TRANSFER).collects


def test_an_unknown_scheme_gets_the_strictest_of_all(rules):
    """Not knowing the scheme never allows more than knowing it would."""
    strictest = rules.scheme(None)
    for limit in (one for one in rules.schemes.values() if one.collects):
        assert strictest.notice_days >= limit.notice_days
        assert strictest.notice_business_days >= limit.notice_business_days
        assert strictest.same_amount >= limit.same_amount
        for name in ("attempts_24h", "attempts_30d", "presentments_180d", "within_days", "mandate_lapse_months"):
            own, least = getattr(limit, name), getattr(strictest, name)
            assert own is None or least <= own
    assert strictest.collects


@pytest.mark.parametrize(
    ("country", "region", "asks"),
    [
        ("NL", None, (14, None, None)), ("DE", "BY", (0, None, None)), ("US", "MA", (0, 2, None)), ("US", " massachusetts ", (0, 2, None)),
        ("US", "OH", (0, 7, None)), ("US", None, (0, 2, None)), ("GB", "SCT", (0, None, 184)), ("GB", "Scotland", (0, None, 184)),
        ("GB", "ENG", (0, None, 60)), ("GB", None, (0, None, 184)), (None, None, (14, 2, 184)), (None, "MA", (14, 2, 184)),
    ],
)  # fmt: skip
def test_the_place_decides_and_an_unknown_place_is_the_strictest(rules, country, region, asks):
    """A part of a country is known by code or by name; the whole stands for no part of it."""
    found = rules.country(country, region)
    assert (found.reminder_gap_days, found.calls_per_week, found.breathing_space_days) == asks
    assert rules.country(country, region) is found


def test_no_packs_at_all_forbid_nothing_but_know_no_place():
    """Empty packs are possible in a test; they are never shipped."""
    assert Rules().country("NL") == CountryRules()
    assert Rules().scheme(Scheme.ACH).needs_notice is False


def test_every_fault_of_both_files_is_told_at_once(tmp_path):
    """An admin mends everything in one go, each with file, line and what was probably meant."""
    folder = tmp_path / "rules"
    shutil.copytree(FOLDER, folder)
    schemes = (folder / "schemes.yaml").read_text()
    (folder / "schemes.yaml").write_text(schemes.replace("attempts_30d: 15", "attempts_30: 15", 1).replace("  bacs:", "  bax:"))
    countries = (folder / "countries.yaml").read_text()
    (folder / "countries.yaml").write_text(countries.replace("reminder_gap_days: 14", "reminder_gap_days: two weeks", 1))
    with pytest.raises(ConfigError) as caught:
        load_rules(folder)
    text = "\n".join(caught.value.problems)
    assert "rules/schemes.yaml:" in text
    assert "attempts_30d" in text
    assert "bax" in text
    assert "rules/countries.yaml:" in text


def test_a_scheme_left_out_is_a_fault(tmp_path):
    """No scheme falls through to nothing."""
    folder = tmp_path / "rules"
    shutil.copytree(FOLDER, folder)
    text = (folder / "schemes.yaml").read_text()
    (folder / "schemes.yaml").write_text("\n".join(line for line in text.splitlines() if not line.startswith("  cash:")))
    with pytest.raises(ConfigError, match="no limits for cash"):
        load_rules(folder)
