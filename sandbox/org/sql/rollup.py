"""Roll-up summary fields as SQL: a subquery over the child records.

Must not cache: a roll-up is always what the children say now. Source: Metadata API Developer Guide, CustomField, summary
fields. Invariant: records in the recycle bin do not count.
"""

from sandbox.org.schema import Field, ObjectType
from sandbox.org.sql.scope import Column, Scope

_WORDS = {"contains": "LIKE", "startsWith": "LIKE"}


def rollup_column(scope: Scope, one: Field) -> Column:
    """Give the SQL of a roll-up summary field. Raises ValueError when its child object or fields are missing."""
    summary = one.summary
    child = scope.statement.schema.get(summary.child) if summary else None
    if summary is None or child is None:
        raise ValueError(f"{scope.object.name}.{one.name}: the summarised object is not there")
    inner = Scope(scope.statement, child)
    conditions = [f"{inner.plain(summary.foreign_key)} = {scope.plain('Id')}", f"{inner.plain('IsDeleted')} = 0"]
    conditions += [_filter(inner, child, *each) for each in summary.filters]
    if summary.operation == "count":
        value, kind, scale = "COUNT(*)", "double", 0
    else:
        summarized = child.field(summary.summarized or "")
        if summarized is None:
            raise ValueError(f"{scope.object.name}.{one.name}: the summarised field is not there")
        value, kind, scale = f"{summary.operation.upper()}({inner.column(summarized).sql})", summarized.type, summarized.scale
        if summary.operation == "sum":
            value = f"COALESCE(ROUND({value}, {scale}), 0)"
    return Column(f"(SELECT {value} FROM {inner.source()} WHERE {' AND '.join(conditions)})", kind, one, scale=scale)


def _filter(inner: Scope, child: ObjectType, name: str, operator: str, value: str) -> str:
    field = child.field(name)
    if field is None:
        raise ValueError(f"{child.name}.{name}: the field of a roll-up filter is not there")
    left = inner.column(field).sql
    if field.type == "boolean":
        return f"{left} = {int(value.lower() in ('true', '1'))}"
    if operator in ("=", "!="):
        listed = ", ".join(inner.statement.parameter(float(each) if field.is_number else each.strip()) for each in value.split(","))
        return f"{left} {'' if operator == '=' else 'NOT '}IN ({listed})"
    if operator in _WORDS:
        pattern = f"{value}%" if operator == "startsWith" else f"%{value}%"
        return f"{left} LIKE {inner.statement.parameter(pattern)}"
    return f"{left} {operator} {inner.statement.parameter(float(value) if field.is_number else value)}"
