"""Formulas outside queries: default values and validation rules.

Must not write. Invariant: every formula of a schema compiles, or the org does not start.
"""

from datetime import datetime

from sandbox.org.access import Rights
from sandbox.org.errors import OrgError
from sandbox.org.formula.compile import Compiler
from sandbox.org.formula.syntax import parse
from sandbox.org.schema import Field, ObjectType, Schema
from sandbox.org.sql.scope import Scope, Statement
from sandbox.org.storage import Database
from sandbox.org.values import Stored


class Expressions:
    """Works out default values and validation rules of one org."""

    def __init__(self, schema: Schema, database: Database, time_zone: str) -> None:
        self._schema = schema
        self._database = database
        self._time_zone = time_zone

    def _statement(self, rights: Rights, now: datetime) -> Statement:
        return Statement(self._schema, rights, now, self._time_zone)

    def default(self, one: ObjectType, field: Field, rights: Rights, now: datetime) -> Stored:
        """Give the default value of a field for a new record."""
        if field.default is None or not field.default_is_formula:
            return field.default
        statement = self._statement(rights, now)
        sql = Compiler(Scope(statement, one)).compile(parse(field.default)).sql
        return self._database.rows(f"SELECT {sql}", statement.parameters)[0][0]

    def check_rules(self, one: ObjectType, record_id: str, rights: Rights, now: datetime) -> None:
        """Refuse a record, already written, that breaks a validation rule. Raises OrgError FIELD_CUSTOM_VALIDATION_EXCEPTION."""
        for rule in one.rules:
            statement = self._statement(rights, now)
            scope = Scope(statement, one)
            condition = Compiler(scope).compile(parse(rule.condition)).sql
            sql = f"SELECT {condition} FROM {scope.source()} WHERE {scope.plain('Id')} = {statement.parameter(record_id)}"
            rows = self._database.rows(sql, statement.parameters)
            if rows and rows[0][0]:
                fields = [rule.error_field] if rule.error_field else []
                raise OrgError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields)

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
