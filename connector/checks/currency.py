"""Currencies: an org with several must be read as one.

Must not look at amounts. Invariant: where records have currencies of their own, none is taken for the creditor's unseen.
"""

from connector.checks.fields import SINGLE_CURRENCY
from connector.checks.place import Places
from connector.checks.problems import Finding, Findings
from connector.checks.said import Said
from connector.mapping.org import Mapping


def currency(said: Said, mapping: Mapping, places: Places) -> Findings:
    """Tell of currencies that would not be read."""
    found = Finding()
    one = said.objects.get(mapping.installments.object)
    if mapping.installments.currency is None and one is not None and SINGLE_CURRENCY in one.fields:
        what = f"the org has several currencies, and every amount would count as {mapping.creditor.currency}"
        found.wrong(places.of(("installments",), one.name), what, f"add currency: {SINGLE_CURRENCY} under installments")
    return found.done()
