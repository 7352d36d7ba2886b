"""Values: what a request may put into a field, how it is kept, and how it is shown.

Must not look at other fields or records. Kept forms: texts as given (empty = null), numbers rounded half up to the scale,
booleans as 0 or 1, dates as YYYY-MM-DD, datetimes as YYYY-MM-DDTHH:MM:SS.000Z (whole seconds, UTC), ids of 18 characters.
Invariant: reading a shown value again gives the kept value.
"""

import json
import re
from base64 import b64decode
from binascii import Error as BinasciiError
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from sandbox.org import errors, ids
from sandbox.org.errors import OrgError
from sandbox.org.schema import COMPOUND_TYPES, Field, ObjectType
from sandbox.org.types import Json

Stored = str | int | float | None
Reader = Callable[[object], Stored]
Shower = Callable[[Stored], Json]

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def exact(at: datetime) -> str:
    """Write a moment with its milliseconds: for event payloads, and to compare with kept datetimes."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def stamp(at: datetime) -> str:
    """Write a moment in the kept form of datetimes, cut to whole seconds."""
    return f"{at.astimezone(UTC).isoformat()[:19]}.000Z"


@lru_cache(maxsize=16384)
def reader(field: Field) -> Reader:
    """Make the function that checks a given value and returns its kept form. It raises OrgError in the platform's words."""
    if field.type == "boolean":
        return _boolean_reader()
    if field.type == "int":
        return _int_reader(field)
    if field.is_number:
        return _number_reader(field)
    if field.type == "date":
        return _read_date
    if field.type == "datetime":
        return _read_datetime
    if field.type == "time":
        return _read_time
    if field.type == "base64":
        return _read_base64
    if field.type in ("reference", "id"):
        return _id_reader(field)
    return _text_reader(field)


def _token(value: object) -> str:
    return "VALUE_STRING" if isinstance(value, str) else "VALUE_NUMBER" if isinstance(value, int | float) else "START_OBJECT"


def _boolean_reader() -> Reader:
    def read(value: object) -> Stored:
        if value is None or value is False:
            return 0
        if value is True:
            return 1
        word = str(value).strip().lower()
        if word in ("true", "1", "yes"):
            return 1
        if word in ("false", "0", "no", ""):
            return 0
        raise errors.bad_json("boolean", _token(value), value)

    return read


def _decimal(value: object, kind: str) -> Decimal | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise errors.bad_json(kind, _token(value), value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise errors.bad_json(kind, _token(value), value) from None
    if not number.is_finite():
        raise errors.bad_json(kind, _token(value), value)
    return number


def _int_reader(field: Field) -> Reader:
    def read(value: object) -> Stored:
        number = _decimal(value, "int")
        if number is None:
            return None
        if number != number.to_integral_value():
            raise errors.bad_json("int", _token(value), value)
        if abs(number) >= 2**31:
            raise errors.bad_number(field.label, field.name, str(value))
        return int(number)

    return read


def _number_reader(field: Field) -> Reader:
    unit = Decimal(1).scaleb(-field.scale)
    bound = Decimal(10) ** max((field.precision or 18) - field.scale, 1)
    plain = re.compile(rf"-?[0-9]{{1,15}}(?:\.[0-9]{{1,{field.scale}}})?" if field.scale else r"-?[0-9]{1,15}").fullmatch
    limit = float(bound)

    def read(value: object) -> Stored:
        if value.__class__ is str and plain(value):
            exact_as_given = float(value)  # no more decimals than are kept: nothing to round
            if abs(exact_as_given) < limit:
                return exact_as_given
        number = _decimal(value, field.type)
        if number is None:
            return None
        if abs(number) >= bound:
            raise errors.bad_number(field.label, field.name, str(value))
        return float(number.quantize(unit, rounding=ROUND_HALF_UP))

    return read


def _read_date(value: object) -> Stored:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    text = str(value).strip()
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        raise errors.bad_json("date", _token(value), value) from None


def _read_datetime(value: object) -> Stored:
    if value is None or value == "":
        return None
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise errors.bad_json("datetime", _token(value), value) from None
    return stamp(at if at.tzinfo else at.replace(tzinfo=UTC))


def _read_time(value: object) -> Stored:
    if value is None or value == "":
        return None
    try:
        at = value if isinstance(value, time) else time.fromisoformat(str(value).strip())
    except ValueError:
        raise errors.bad_json("time", _token(value), value) from None
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _read_base64(value: object) -> Stored:
    if value is None or value == "":
        return None
    try:
        b64decode(str(value), validate=True)
    except BinasciiError:
        raise errors.bad_json("base64", _token(value), "(binary)") from None
    return str(value)


def _id_reader(field: Field) -> Reader:
    def read(value: object) -> Stored:
        if value is None or value == "":
            return None
        found = ids.normal(value) if isinstance(value, str) else None
        if found is None:
            raise errors.wrong_id_type(field.label, field.name, str(value))
        return found

    return read


def _text_reader(field: Field) -> Reader:
    choices = frozenset(each.value for each in field.choices if each.active)
    restricted, many, email = field.restricted and bool(choices), field.type == "multipicklist", field.type == "email"
    length = field.length

    def read(value: object) -> Stored:
        if value is None or value == "":
            return None
        if isinstance(value, dict | list | bool):
            raise errors.bad_json("string", _token(value), value)
        text = value if isinstance(value, str) else str(value)
        if restricted and not many and text not in choices:
            raise errors.bad_picklist(field.label, field.name, text)
        if restricted and many and not choices.issuperset(text.split(";")):
            raise errors.bad_picklist(field.label, field.name, text)
        if length and len(text) > length:
            raise errors.too_long(field.label, field.name, text, length)
        if email and not _EMAIL.fullmatch(text):
            raise OrgError(400, "INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", [field.name])
        return text

    return read


def shower(field: Field) -> Shower:
    """Make the function that turns a kept value into its JSON form in query answers."""
    return shower_of(field.type, field.scale)


def shower_of(kind: str, scale: int = 2) -> Shower:
    """Make the function that shows values of a type: datetimes end in +0000, numbers are rounded to the scale."""
    if kind == "boolean":
        return bool
    if kind == "int":
        return lambda value: None if value is None else int(value)
    if kind in ("double", "currency", "percent"):
        return lambda value: None if value is None else round(float(value), scale)
    if kind == "datetime":
        return lambda value: None if value is None else str(value).replace("Z", "+0000")
    if kind in COMPOUND_TYPES:
        return lambda value: None if value is None else json.loads(str(value))
    return _as_is


def _as_is(value: Stored) -> Json:
    return value


def event_value(field: Field, value: Stored) -> Json:
    """Show a kept value as event payloads do: like a query answer, but datetimes keep their Z."""
    return value if field.type == "datetime" else shower(field)(value)


def check_target(one: ObjectType | None, field: Field, value: str) -> None:
    """Refuse an id of an object the lookup cannot point at."""
    if one is None or one.name not in field.reference_to:
        raise errors.wrong_id_type(field.label, field.name, value)
