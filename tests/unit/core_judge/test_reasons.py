"""The reason catalogue: every code has a judgement, and a bad row is told with its line."""

import csv
from functools import cache
from pathlib import Path

import pytest

from connector.core.reasons import Catalogue
from connector.core.words import Category, CodeSet, Scheme
from connector.errors import ConfigError
from connector.mapping.reasons import COLUMNS, load_reasons
from tests.scenario.decide.builders import ROOT

DATA = ROOT.parent / "shared" / "data" / "reason_codes"
FILES = {
    "iso20022_ExternalReturnReason1.csv": CodeSet.ISO20022_RETURN,
    "iso20022_ExternalStatusReason1.csv": CodeSet.ISO20022_STATUS,
    "iso20022_ExternalReversalReason1.csv": CodeSet.ISO20022_REVERSAL,
    "iso20022_ExternalCancellationReason1.csv": CodeSet.ISO20022_CANCELLATION,
    "sepa_sdd_r_transactions.csv": CodeSet.ISO20022_RETURN,
    "stripe_decline_codes.csv": CodeSet.STRIPE_DECLINE,
    "stripe_error_codes.csv": CodeSet.STRIPE_ERROR,
    "adyen_refusal_reason_codes.csv": CodeSet.ADYEN_REFUSAL,
    "gocardless_causes.csv": CodeSet.GOCARDLESS_CAUSE,
    "mollie_status_reasons.csv": CodeSet.MOLLIE_REASON,
    "braintree_processor_responses.csv": CodeSet.BRAINTREE_PROCESSOR,
    "iso8583_response_codes_with_visa_category.csv": CodeSet.ISO8583,
    "mastercard_merchant_advice_codes.csv": CodeSet.MASTERCARD_ADVICE,
}
BACS = {
    "ARUDD": CodeSet.BACS_ARUDD,
    "ADDACS": CodeSet.BACS_ADDACS,
    "AUDDIS": CodeSet.BACS_AUDDIS,
    "DDICA": CodeSet.BACS_DDIC,
    "AWACS": CodeSet.BACS_AWACS,
}


@cache
def catalogue() -> Catalogue:
    """The catalogue that ships."""
    return load_reasons(ROOT / "mappings" / "reasons")


def rows(name):
    """Rows of a reference table."""
    if not DATA.is_dir():
        pytest.skip("the reference tables are not on this machine")
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("name", "code_set"), FILES.items())
def test_every_code_of_the_reference_tables_has_a_row(name, code_set):
    """No code that providers publish is unknown to us."""
    codes = [row["code"] for row in rows(name)]
    assert [code for code in codes if not code.count("-") and not catalogue().knows(code_set, code) and not _in_kin(code_set, code)] == []


def _in_kin(code_set, code):
    return catalogue().resolve(code_set, code, None, None).category is not Category.UNKNOWN


def test_every_nacha_and_bacs_code_has_a_row():
    """The two tables that hold several sets."""
    nacha = {"R": CodeSet.NACHA_RETURN, "C": CodeSet.NACHA_NOC}
    assert [row["code"] for row in rows("nacha_return_and_noc.csv") if not catalogue().knows(nacha[row["code"][0]], row["code"])] == []
    bacs = [row for row in rows("bacs.csv") if row["report"] in BACS]
    assert [row["code"] for row in bacs if not catalogue().knows(BACS[row["report"]], row["code"])] == []


def test_every_code_that_gocardless_hands_on_is_understood_by_its_scheme():
    """Prefixed or not, through the scheme's usual set or GoCardless's own causes."""
    schemes = {"ach": Scheme.ACH, "bacs": Scheme.BACS, "becs": Scheme.BECS, "pad": Scheme.PAD, "sepa_core": Scheme.SEPA_CORE}
    lost = [
        row["reason_code"] for row in rows("gocardless_scheme_code_to_cause.csv")
        if row["scheme"] in schemes and row["reason_code"] != "TEST"
        and not catalogue().resolve(CodeSet.GOCARDLESS_CAUSE, row["reason_code"], schemes[row["scheme"]], None).meaning
    ]  # fmt: skip
    assert lost == []


@pytest.mark.parametrize(
    "row",
    [
        ("iso20022_return", "AM04", None, None, "insufficient_funds", "yes"),
        ("iso20022_return", "MS03", None, None, "refused", "ask"),
        ("iso20022_return", "MS03", None, "DE", "insufficient_funds", "yes"),
        ("iso20022_return", "ms03", None, "de", "insufficient_funds", "yes"),
        ("iso20022_return", "MS03", None, "NL", "refused", "ask"),
        ("iso20022_status", "MS03", None, "AT", "insufficient_funds", "yes"),
        ("iso20022_return", "AG07", None, None, "refused", "ask"),
        ("iso20022_return", "AG07", None, "DE", "insufficient_funds", "yes"),
        ("iso20022_return", "AG07", None, "NL", "refused", "ask"),
        ("iso20022_return", "MD07", None, None, "deceased", "no"),
        ("iso20022_return", "MD06", None, None, "disputed", "no"),
        ("iso20022_return", "MD01", None, None, "mandate_invalid", "no"),
        ("iso20022_return", "AC04", None, None, "method_invalid", "no"),
        ("iso20022_return", "AM05", None, None, "creditor_error", "no"),
        ("iso20022_return", "SL01", None, None, "blocked_by_payer", "no"),
        ("iso20022_return", "RR04", None, None, "legal", "no"),
        ("iso20022_reversal", "AM04", None, None, "insufficient_funds", "yes"),
        (None, "AM04", "sepa_core", None, "insufficient_funds", "yes"),
        (None, "AM04", None, None, "insufficient_funds", "yes"),
        (None, "0", "bacs", None, "insufficient_funds", "yes"),
        ("bacs_arudd", "2", None, None, "deceased", "no"),
        ("bacs_arudd", "4", None, None, "disputed", "no"),
        ("bacs_arudd", "8", None, None, "creditor_error", "no"),
        ("bacs_arudd", "b", None, None, "method_invalid", "no"),
        ("gocardless_cause", "ARUDD-0", "bacs", None, "insufficient_funds", "yes"),
        ("gocardless_cause", "ACH_RETURN-R09", "ach", None, "insufficient_funds", "yes"),
        ("gocardless_cause", "PAYMENT_STATUS_REPORT-901", "pad", None, "insufficient_funds", "yes"),
        ("gocardless_cause", "mandate_cancelled", None, None, "mandate_invalid", "no"),
        (None, "R01", "ach", None, "insufficient_funds", "yes"),
        (None, "R10", "ach", None, "disputed", "no"),
        (None, "R15", "ach", None, "deceased", "no"),
        (None, "6", "becs", None, "insufficient_funds", "yes"),
        (None, "4", "becs", None, "deceased", "no"),
        (None, "901", "pad", None, "insufficient_funds", "yes"),
        (None, "TK82-1", "autogiro", None, "insufficient_funds", "yes"),
        (None, "51", "card", None, "insufficient_funds", "yes"),
        (None, "5", "card", None, "refused", "yes"),
        (None, "05", "card", None, "refused", "yes"),
        (None, "54", "card", None, "method_invalid", "no"),
        (None, "59", "card", None, "fraud", "no"),
        (None, "R1", "card", None, "mandate_invalid", "no"),
        (None, "insufficient_funds", "card", None, "insufficient_funds", "yes"),
        ("stripe_decline", "Do Not Honor", None, None, "refused", "yes"),
        ("stripe_decline", "lost_card", None, None, "method_invalid", "no"),
        ("stripe_decline", "card_declined", None, None, "refused", "yes"),
        ("adyen_refusal", "12", None, None, "insufficient_funds", "yes"),
        ("adyen_refusal", "012", None, None, "insufficient_funds", "yes"),
        ("adyen_refusal", "46", None, None, "refused", "no"),
        ("mollie_reason", "stolen_card", None, None, "method_invalid", "no"),
        ("braintree_processor", "2001", None, None, "insufficient_funds", "yes"),
        ("braintree_processor", "2417", None, None, "refused", "yes"),
        ("mastercard_advice", "3", None, None, "refused", "no"),
        ("mastercard_advice", "21", None, None, "mandate_invalid", "no"),
        ("iso20022_return", "ZZ99", None, None, "unknown", "no"),
        (None, "", "sepa_core", None, "unknown", "no"),
        (None, None, None, None, "unknown", "no"),
        ("iso20022_return", "NARR", None, None, "unknown", "no"),
        (None, "2", None, None, "unknown", "no"),
        (None, "51", "cash", None, "unknown", "no"),
    ],
)  # fmt: skip
def test_a_code_means_what_it_means_however_it_is_written(row):
    """Set or scheme, prefix, case, zeros and the country of the payer's bank."""
    code_set, code, scheme, country, category, retry = row
    found = catalogue().resolve(CodeSet(code_set) if code_set else None, code, Scheme(scheme) if scheme else None, country)
    assert (found.category, found.retry) == (category, retry)


def test_codes_that_visa_never_approves_are_never_retried():
    """Category one of Visa's declines (bulletin AI10325)."""
    never = ("04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3")
    assert {catalogue().resolve(CodeSet.ISO8583, code, None, None).retry for code in never} == {"no"}


def test_networks_that_say_wait_are_understood():
    """Mastercard's advice 24 to 30 name hours and days."""
    waits = [catalogue().resolve(CodeSet.MASTERCARD_ADVICE, str(code), None, None).wait_hours for code in range(24, 31)]
    assert waits == [1, 24, 48, 96, 144, 192, 240]


def test_what_must_never_be_retried_nowhere_is():
    """No row of a death, a dispute, fraud, the law or an unknown cause allows another try."""
    for path in (ROOT / "mappings" / "reasons").glob("*.csv"):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["category"] in (
                    "deceased",
                    "disputed",
                    "fraud",
                    "legal",
                    "unknown",
                    "creditor_error",
                    "method_invalid",
                    "mandate_invalid",
                ):
                    assert row["retry"] != "yes", row
                if row["category"] in ("deceased", "legal", "fraud"):
                    assert row["sensitive"] == "yes", row


HEAD = ",".join(COLUMNS)
GOOD = "stripe_decline,brand_new_code,Something new,refused,yes,payer,no,,our own,2026-01-01"


def folder(tmp_path: Path, *lines: str, name="a.csv") -> Path:
    """A folder with one file of these lines."""
    (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def faults(tmp_path: Path, *lines: str):
    """What is wrong with a file of these lines."""
    with pytest.raises(ConfigError) as caught:
        load_reasons(folder(tmp_path, *lines))
    return caught.value.problems


def test_an_admin_adds_and_overrides_rows_in_a_file_of_their_own(tmp_path: Path):
    """Later files win; what they do not name stays."""
    own = tmp_path / "own.csv"
    own.write_text(
        f"{HEAD}\n{GOOD}\nstripe_decline,do_not_honor,We never retry it,refused,no,payer,no,,our own,2026-01-01\n", encoding="utf-8"
    )
    found = load_reasons(ROOT / "mappings" / "reasons", own)
    assert found.resolve(CodeSet.STRIPE_DECLINE, "brand_new_code", None, None).category is Category.REFUSED
    assert found.resolve(CodeSet.STRIPE_DECLINE, "do_not_honor", None, None).retry == "no"
    assert found.resolve(CodeSet.STRIPE_DECLINE, "expired_card", None, None).category is Category.METHOD_INVALID
    assert len(found) == len(catalogue()) + 1


def test_the_example_of_the_guide_is_a_file_that_works(tmp_path: Path):
    """What an admin copies from docs/reasons.md loads, adds and replaces."""
    example = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8").split("```")[1].strip()
    own = tmp_path / "own_reasons.csv"
    own.write_text(example, encoding="utf-8")
    found = load_reasons(ROOT / "mappings" / "reasons", own)
    assert found.resolve(CodeSet.BACS_ARUDD, "Z", None, None).category is Category.MANDATE_INVALID
    assert found.resolve(CodeSet.ISO20022_RETURN, "MS03", None, "NL").category is Category.INSUFFICIENT_FUNDS
    assert found.resolve(CodeSet.ADYEN_REFUSAL, "5", None, None).retry == "ask"


def test_a_name_of_an_own_row_is_understood_and_a_sensitive_cause_stays_hidden(tmp_path: Path):
    """The column also gives further names; a death stays out of Tasks even where a row forgets to say so."""
    own = tmp_path / "own.csv"
    own.write_text(
        f"{HEAD},also\nadyen_refusal,99,The holder died,deceased,no,specialist,no,,our own,2026-01-01,Holder Deceased | Gone\n",
        encoding="utf-8",
    )
    found = load_reasons(ROOT / "mappings" / "reasons", own)
    for name in ("99", "holder deceased", "GONE"):
        reason = found.resolve(CodeSet.ADYEN_REFUSAL, name, None, None)
        assert (reason.category, reason.sensitive) == (Category.DECEASED, True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("stripe_decline,", "stripe_declin,"), "code_set 'stripe_declin' is not known; did you mean 'stripe_decline'?"),
        (("refused", "refusd"), "category 'refusd' is not known; did you mean 'refused'?"),
        ((",yes,", ",maybe,"), "retry 'maybe' is none of yes, no, ask"),
        (("payer,no", "pyer,no"), "act 'pyer' is none of payer, creditor, bank, specialist, nobody; did you mean 'payer'?"),
        (("payer,no", "payer,"), "sensitive '' is none of yes, no"),
        (("brand_new_code", ""), "code is empty"),
        (("Something new", ""), "meaning is empty"),
        ((",no,,our", ",no,Austria,our"), "country 'Austria' is no two-letter code"),
        (("2026-01-01", "1 January"), "effective_on '1 January' is no date"),
        (("refused", "deceased"), "retry yes is not lawful for deceased"),
        (("refused", "mandate_invalid"), "retry yes is not lawful for mandate_invalid"),
        (("refused", "blocked_by_payer"), "retry yes is not lawful for blocked_by_payer"),
        ((",2026-01-01", ""), "another number of cells"),
    ],
)
def test_a_bad_row_is_told_with_its_line(tmp_path: Path, change, said):
    """file:line: what, did you mean."""
    problems = faults(tmp_path, HEAD, GOOD.replace(*change, 1))
    assert any(one.startswith(f"{tmp_path.name}/a.csv:2: ") and said in one for one in problems)


def test_faults_of_files_are_told_too(tmp_path: Path):
    """Unknown and missing columns, double rows, no file at all, not UTF-8."""
    assert "no reason codes" in faults_of(tmp_path)
    assert any(
        "column 'sorce' is not known; did you mean 'source'?" in one for one in faults(tmp_path, HEAD.replace("source", "sorce"), GOOD)
    )
    assert any("stands on line 2 already" in one for one in faults(tmp_path, HEAD, GOOD, GOOD))
    assert any(
        "refused" not in one and "stands on line 2 already" in one
        for one in faults(tmp_path, HEAD, GOOD, GOOD.replace("brand_new", "Brand New"))
    )
    assert any("wait_hours 'x' is no number of hours" in one for one in faults(tmp_path, f"{HEAD},wait_hours", f"{GOOD},x"))
    assert any("not CSV" in one for one in faults(tmp_path, HEAD, '"open'))
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in faults_of(tmp_path)
    folder(tmp_path, HEAD, GOOD)
    with pytest.raises(ConfigError, match="no such file"):
        load_reasons(tmp_path, tmp_path / "none.csv")


def faults_of(tmp_path: Path) -> str:
    """What is wrong with a folder."""
    with pytest.raises(ConfigError) as caught:
        load_reasons(tmp_path)
    return "\n".join(caught.value.problems)
