"""The Snapshot: facts of a batch of payers as data frames with a declared schema.

Every way in (an org's records, a facts file, a bulk download) builds these same frames, so there is no
second code path to drift. Must not interpret: what a row means is the ledger's business.
Invariant: each frame has exactly the columns and dtypes of ``SCHEMA``; money is ``Int64`` minor units
beside a ``currency`` column; instants are UTC; dates are midnight ``datetime64[s]`` without a zone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, cast

import numpy as np
import pandas as pd

TEXT: Final = "str"
MONEY: Final = "Int64"
COUNT: Final = "Int64"
FLAG: Final = "boolean"
DATE: Final = "datetime64[s]"
INSTANT: Final = "datetime64[us, UTC]"

SCHEMA: Final[Mapping[str, Mapping[str, str]]] = {
    "payers": {
        "id": TEXT,
        "kind": TEXT,
        "customer_since": DATE,
        "country": TEXT,
        "region": TEXT,
        "time_zone": TEXT,
        "phone_time_zone": TEXT,
        "language": TEXT,
        "preferred_channel": TEXT,
        "allow_email": FLAG,
        "allow_sms": FLAG,
        "allow_call": FLAG,
        "vulnerable": FLAG,
        "segment": TEXT,
        "value": TEXT,
        "risk": TEXT,
        "plan_state": TEXT,
        "plan_id": TEXT,
        "plan_starts_on": DATE,
        "plan_ends_on": DATE,
        "plan_installments": TEXT,
        "missing": TEXT,
    },
    "installments": {
        "id": TEXT,
        "payer": TEXT,
        "amount_minor": MONEY,
        "currency": TEXT,
        "due_on": DATE,
        "product": TEXT,
        "claim_kind": TEXT,
        "payment_method": TEXT,
        "scheme": TEXT,
        "status": TEXT,
        "credential": TEXT,
        "mandate": TEXT,
        "processor": TEXT,
        "retried_elsewhere": FLAG,
        "retry_stamp": TEXT,
        "times_failed": COUNT,
        "last_failed_on": DATE,
        "last_reason_code": TEXT,
    },
    "payments": {
        "id": TEXT,
        "payer": TEXT,
        "installment": TEXT,
        "amount_minor": MONEY,
        "currency": TEXT,
        "at": INSTANT,
        "outcome": TEXT,
        "scheme": TEXT,
        "code_set": TEXT,
        "reason_code": TEXT,
        "reason_country": TEXT,
        "advice_code": TEXT,
        "payer_initiated": FLAG,
        "reference": TEXT,
    },
    "cases": {
        "id": TEXT,
        "payer": TEXT,
        "is_closed": FLAG,
        "type": TEXT,
        "subject": TEXT,
        "status": TEXT,
        "opened_at": INSTANT,
        "closed_at": INSTANT,
        "owner": TEXT,
    },
    "contacts": {"payer": TEXT, "at": INSTANT, "channel": TEXT, "kind": TEXT, "key": TEXT, "conversation": FLAG},
    "holds": {"id": TEXT, "payer": TEXT, "cause": TEXT, "from_on": DATE, "until": DATE, "installment": TEXT},
    "representatives": {
        "payer": TEXT,
        "id": TEXT,
        "role": TEXT,
        "country": TEXT,
        "time_zone": TEXT,
        "phone_time_zone": TEXT,
        "preferred_channel": TEXT,
        "allow_email": FLAG,
        "allow_sms": FLAG,
        "allow_call": FLAG,
    },
    "promises": {"id": TEXT, "payer": TEXT, "installment": TEXT, "amount_minor": MONEY, "currency": TEXT, "on": DATE},
    "follow_ups": {
        "key": TEXT,
        "payer": TEXT,
        "kind": TEXT,
        "status": TEXT,
        "at": INSTANT,
        "surfaced": FLAG,
    },
}
"""Frame → column → dtype. ``payments`` holds attempts too, told apart by ``outcome``; its ``amount_minor`` is positive
for collected, negative for reversed, refunded, charged back and returned after collection; ignored for the others.
``holds`` has one row per hold and installment (installment null = all). ``payers.missing`` lists, space-separated, ids of
installments our flags rest on that the load did not return. ``installments.times_failed`` and its companions are what a
package counts itself, used only where no attempt row tells of the failure. ``follow_ups`` is what the org shows of ours. ``payers.plan_installments`` lists ids, space-separated."""


@dataclass(frozen=True, slots=True)
class Run:
    """A coming collection run. ``scheme`` None = any."""

    scheme: str | None
    on: Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The frames of one batch, and what is true of the whole org: coming runs, return ratios, stale data."""

    payers: pd.DataFrame
    installments: pd.DataFrame
    payments: pd.DataFrame
    cases: pd.DataFrame
    contacts: pd.DataFrame
    holds: pd.DataFrame
    representatives: pd.DataFrame
    promises: pd.DataFrame
    follow_ups: pd.DataFrame
    runs: tuple[Run, ...] | None = None
    return_ratio: tuple[tuple[str, float], ...] = ()
    stale: bool = False
    outages: frozenset[str] = frozenset()
    """Processors whose failures have jumped."""

    def __post_init__(self) -> None:
        """Refuse a frame whose columns or dtypes are not the declared ones (TypeError)."""
        for name in SCHEMA:
            check(name, getattr(self, name))

    def only(self, payers: Sequence[str]) -> "Snapshot":
        """Give the facts of some of the payers."""
        tables = {name: getattr(self, name) for name in SCHEMA}
        return replace(self, **{name: one[one["id" if name == "payers" else "payer"].isin(list(payers))] for name, one in tables.items()})


def frame(name: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows (mappings by column; absent = null) as the declared frame ``name``.

    Raises:
        KeyError: a row has a column that the schema does not know.
        ValueError, TypeError: a value does not fit its dtype.

    """
    schema = SCHEMA[name]
    rows = list(rows)
    for row in rows:
        if not row.keys() <= schema.keys():
            raise KeyError(f"{name}: unknown column {min(row.keys() - schema.keys())}")
    return table(name, {column: [row.get(column) for row in rows] for column in schema} if rows else {})


def table(name: str, columns: Mapping[str, Sequence[Any] | pd.api.extensions.ExtensionArray]) -> pd.DataFrame:
    """Columns of one length (absent = null) as the declared frame ``name``; ready arrays are taken as they are. Raises as ``frame`` does."""
    schema = SCHEMA[name]
    if not columns.keys() <= schema.keys():
        raise KeyError(f"{name}: unknown column {min(columns.keys() - schema.keys())}")
    length = max(map(len, columns.values()), default=0)
    if not length:
        return _empty(name).copy()
    return _joined({column: _cells(columns.get(column), dtype, length) for column, dtype in schema.items()})


@cache
def _empty(name: str) -> pd.DataFrame:
    return _joined({column: _cells(None, dtype, 0) for column, dtype in SCHEMA[name].items()})


def _joined(cells: Mapping[str, Any]) -> pd.DataFrame:
    """Arrays as a frame: a frame of Series would first bring their indices into line, which for one payer takes longest of all."""
    return pd.DataFrame(cells, copy=False)


_OBJECTS: Final = pd.StringDtype("python", na_value=np.nan)
"""Texts as Python's own: for the small frames of everyday it is a third faster than Arrow's, where that is installed."""


def _cells(values: Any, dtype: str, length: int) -> Any:  # noqa: ANN401 - pandas has no one type for its arrays
    if isinstance(values, pd.api.extensions.ExtensionArray):
        return values
    if dtype == TEXT:
        return pd.array([None] * length if values is None else values, dtype=_OBJECTS)
    if not values or (values[0] is None and values.count(None) == length):
        return pd.Series(None, index=range(length), dtype=dtype).array
    if dtype != INSTANT:
        return pd.array(values, dtype=cast(Any, dtype))
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}  # one instant is slow to convert, and most are midnights
    return pd.array(pd.to_datetime([*places], utc=True), dtype=cast(Any, dtype)).take([places[value] for value in values])


def check(name: str, table: pd.DataFrame) -> None:
    """Refuse a frame that is not of the declared shape (TypeError)."""
    schema = SCHEMA[name]
    found = {str(column): str(dtype) for column, dtype in table.dtypes.items()}
    if found != dict(schema):
        wrong = sorted({*found.items()} ^ {*schema.items()})
        raise TypeError(f"frame {name}: columns differ from the schema at {wrong}")


def snapshot(
    rows: Mapping[str, Iterable[Mapping[str, Any]]],
    columns: Mapping[str, Mapping[str, Sequence[Any]]] | None = None,
    *,
    runs: tuple[Run, ...] | None = None,
    return_ratio: tuple[tuple[str, float], ...] = (),
    stale: bool = False,
) -> Snapshot:
    """Build a Snapshot from rows per frame, or from its ``columns`` where a frame is given by these; one of neither is empty."""
    wide = columns or {}
    tables = {name: table(name, wide[name]) if name in wide else frame(name, rows.get(name, ())) for name in SCHEMA}
    return Snapshot(**tables, runs=runs, return_ratio=return_ratio, stale=stale, outages=frozenset())
