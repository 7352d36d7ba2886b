"""The SQL of calculated fields: formulas and roll-up summaries.

Must not hold state. Here formulas and roll-ups meet the tables that know neither, so that imports run one way.
Invariant: every field a schema calls calculated gets its SQL here or is refused with ValueError.
"""

from datetime import datetime

from sandbox.org.access import Rights
from sandbox.org.formula.compile import formula_column
from sandbox.org.schema import Field, Schema
from sandbox.org.sql.rollup import rollup_column
from sandbox.org.sql.scope import Column, Scope, Statement


def calculated_column(scope: Scope, one: Field) -> Column:
    """Give the SQL of a formula or roll-up field. Raises ValueError for what cannot be worked out."""
    return formula_column(scope, one) if one.formula is not None else rollup_column(scope, one)


def statement(schema: Schema, rights: Rights, now: datetime, time_zone: str, root: str = "") -> Statement:
    """Begin a statement whose calculated fields are worked out."""
    return Statement(schema, rights, now, time_zone, calculated_column, root)
