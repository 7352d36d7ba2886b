"""Formulas outside queries: default values and validation rules.

Must not write. Rules of an object are one SELECT, kept for a user for a day (TODAY() is in its text, NOW() a parameter).
Invariant: every formula of a schema compiles, or the org does not start.
"""

from datetime import datetime

from sandbox.org.access import Rights
from sandbox.org.errors import OrgError
from sandbox.org.formula.compile import Compiler
from sandbox.org.formula.syntax import parse
from sandbox.org.schema import Field, ObjectType, Schema
from sandbox.org.sql.calculated import statement
from sandbox.org.sql.scope import NOW, Scope, Statement
from sandbox.org.storage import Database
from sandbox.org.values import Stored, stamp

_RECORD = "record"
_KEPT = 256


class Expressions:
    """Works out default values and validation rules of one org."""

    def __init__(self, schema: Schema, database: Database, time_zone: str) -> None:
        self._schema = schema
        self._database = database
        self._time_zone = time_zone
        self._rules: dict[tuple[str, Rights, str], tuple[str, dict[str, object]]] = {}

    def _statement(self, rights: Rights, now: datetime) -> Statement:
        return statement(self._schema, rights, now, self._time_zone)

    def default(self, one: ObjectType, field: Field, rights: Rights, now: datetime) -> Stored:
        """Give the default value of a field for a new record."""
        if field.default is None or not field.default_is_formula:
            return field.default
        made = self._statement(rights, now)
        sql = Compiler(Scope(made, one)).compile(parse(field.default)).sql
        return self._database.rows(f"SELECT {sql}", made.parameters)[0][0]

    def check_rules(self, one: ObjectType, record_id: str, rights: Rights, now: datetime) -> None:
        """Refuse a record, already written, that breaks a validation rule. Raises OrgError FIELD_CUSTOM_VALIDATION_EXCEPTION."""
        if not one.rules:
            return
        sql, parameters = self._rules_of(one, rights, now)
        rows = self._database.rows(sql, {**parameters, NOW: stamp(now), _RECORD: record_id})
        broken = next((rule for rule, holds in zip(one.rules, rows[0], strict=True) if holds), None) if rows else None
        if broken is not None:
            fields = [broken.error_field] if broken.error_field else []
            raise OrgError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", broken.message, fields)

    def _rules_of(self, one: ObjectType, rights: Rights, now: datetime) -> tuple[str, dict[str, object]]:
        made = self._statement(rights, now)
        key = (one.name, rights, made.today)
        found = self._rules.get(key)
        if found is None:
            scope = Scope(made, one)
            conditions = [Compiler(scope).compile(parse(rule.condition)).sql for rule in one.rules]
            sql = f"SELECT {', '.join(conditions)} FROM {scope.source()} WHERE {scope.plain('Id')} = :{_RECORD}"
            if len(self._rules) >= _KEPT:
                self._rules.clear()
            found = self._rules[key] = (sql, made.parameters)
        return found

    def compile_all(self, rights: Rights, now: datetime) -> None:
        """Compile every formula, roll-up, default and rule once. Raises ValueError naming the first that cannot be."""
        for one in self._schema.records():
            for field in one.fields.values():
                if field.calculated:
                    Scope(self._statement(rights, now), one).column(field)
                elif field.default_is_formula and field.default is not None:
                    Compiler(Scope(self._statement(rights, now), one)).compile(parse(field.default))
            for rule in one.rules:
                Compiler(Scope(self._statement(rights, now), one)).compile(parse(rule.condition))
