"""The org's schema: the built-in standard objects and whatever DX source directories add to them.

Must not know what the objects mean. Fields under objects/Activity surface on Task and Event, as on the platform.
Invariant: the same directories give the same schema, key prefixes included (custom objects count from a00 by name).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.org import dx
from sandbox.org.ids import base62
from sandbox.org.schema import Choice, Field, ObjectType, PermissionSet, Queue, RecordType, Rule, Schema
from sandbox.org.standard import standard_objects, system_fields

_ACTIVITY_OBJECTS = ("Task", "Event")
_STANDARD_VALUE_SETS = {
    "CaseStatus": ("Case", "Status"),
    "CaseType": ("Case", "Type"),
    "CaseReason": ("Case", "Reason"),
    "CaseOrigin": ("Case", "Origin"),
    "CasePriority": ("Case", "Priority"),
    "TaskStatus": ("Task", "Status"),
    "TaskPriority": ("Task", "Priority"),
    "TaskSubject": ("Task", "Subject"),
    "AccountType": ("Account", "Type"),
    "OpportunityStage": ("Opportunity", "StageName"),
    "Product2Family": ("Product2", "Family"),
}


@dataclass(slots=True)
class _Draft:
    """An object while its files are being gathered."""

    file: dx.ObjectFile | None = None
    fields: list[Field] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    record_types: list[RecordType] = field(default_factory=list)


@dataclass(slots=True)
class _Source:
    """Everything found in the DX directories."""

    drafts: dict[str, _Draft] = field(default_factory=dict)
    permission_sets: dict[str, PermissionSet] = field(default_factory=dict)
    channels: dict[str, list[str]] = field(default_factory=dict)
    value_sets: dict[str, tuple[Choice, ...]] = field(default_factory=dict)
    standard_values: dict[str, tuple[Choice, ...]] = field(default_factory=dict)
    queues: list[Queue] = field(default_factory=list)


def load_schema(dx_dirs: Sequence[Path]) -> Schema:
    """Build the schema from the standard objects and DX source directories (`force-app`, or any folder below it).

    Raises ValueError, naming the file, for metadata the sandbox cannot act on.
    """
    source = _Source()
    for directory in dx_dirs:
        if not directory.is_dir():
            raise ValueError(f"{directory}: no such directory of DX source")
    for path in _files(dx_dirs, "globalValueSet"):
        source.value_sets[_stem(path)] = dx.read_value_set(path)
    for path in _files(dx_dirs, "standardValueSet"):
        source.standard_values[_stem(path)] = dx.read_value_set(path)
    _gather(source, dx_dirs)
    objects = _assemble(source)
    return Schema(
        objects=objects,
        permission_sets=source.permission_sets,
        change_entities={channel: tuple(dict.fromkeys(entities)) for channel, entities in source.channels.items()},
        record_types=tuple(each for name in sorted(source.drafts) for each in source.drafts[name].record_types),
        queues=tuple(source.queues),
    )


def _files(dx_dirs: Sequence[Path], suffix: str) -> Iterator[Path]:
    for directory in dx_dirs:
        yield from sorted(directory.rglob(f"*.{suffix}-meta.xml"))


def _stem(path: Path) -> str:
    return path.name.split(".", 1)[0]


def _gather(source: _Source, dx_dirs: Sequence[Path]) -> None:
    def draft(path: Path, up: int) -> tuple[str, _Draft]:
        name = path.parents[up].name
        return name, source.drafts.setdefault(name, _Draft())

    for path in _files(dx_dirs, "object"):
        name, one = draft(path, 0)
        one.file = dx.read_object(path, name)
    for path in _files(dx_dirs, "field"):
        if _stem(path).endswith("__c"):
            draft(path, 1)[1].fields.append(dx.read_field(path, source.value_sets))
    for path in _files(dx_dirs, "validationRule"):
        rule = dx.read_rule(path)
        if rule is not None:
            draft(path, 1)[1].rules.append(rule)
    for path in _files(dx_dirs, "recordType"):
        name, one = draft(path, 1)
        one.record_types.append(dx.read_record_type(path, name))
    for path in _files(dx_dirs, "permissionset"):
        found = dx.read_permission_set(path)
        source.permission_sets[found.name] = found
    source.queues += [dx.read_queue(path) for path in _files(dx_dirs, "queue")]
    for path in _files(dx_dirs, "platformEventChannelMember"):
        node = dx.read(path)
        source.channels.setdefault(node.text("eventChannel"), []).append(node.text("selectedEntity"))


def _assemble(source: _Source) -> dict[str, ObjectType]:
    objects = standard_objects()
    activity = source.drafts.pop("Activity", _Draft())
    for name in _ACTIVITY_OBJECTS:
        source.drafts.setdefault(name, _Draft()).fields += [replace(each, activity=True) for each in activity.fields]
    prefixes = _prefixes(name for name in source.drafts if name not in objects)
    for name, draft in sorted(source.drafts.items()):
        if name in objects:
            objects[name] = _extended(objects[name], draft)
        else:
            objects[name] = _custom(name, draft, prefixes[name])
    for set_name, values in source.standard_values.items():
        if set_name in _STANDARD_VALUE_SETS:
            _revalue(objects, *_STANDARD_VALUE_SETS[set_name], values)
    with_activities = tuple(one.name for one in objects.values() if one.activities and one.custom)
    return {name: _resolved(one, objects, with_activities) for name, one in objects.items()}


def _prefixes(names: Iterator[str]) -> dict[str, str]:
    found, counts = {}, {"a": 0, "e": 0}
    for name in sorted(names):
        letter = "e" if name.endswith("__e") else "a"
        found[name] = letter + base62(counts[letter], 2)
        counts[letter] += 1
    return found


def _extended(base: ObjectType, draft: _Draft) -> ObjectType:
    extra = _with_record_type(draft, set(base.fields))
    sharing = draft.file.sharing if draft.file and draft.file.sharing else base.sharing
    fields = {**base.fields, **{each.name: each for each in extra}}
    return replace(base, fields=fields, rules=(*base.rules, *draft.rules), sharing=sharing)


def _with_record_type(draft: _Draft, known: set[str]) -> list[Field]:
    if not draft.record_types or "RecordTypeId" in known:
        return draft.fields
    lookup = Field("RecordTypeId", "Record Type ID", "reference", length=18, reference_to=("RecordType",), relationship="RecordType")
    return [lookup, *draft.fields]


def _custom(name: str, draft: _Draft, prefix: str) -> ObjectType:
    if draft.file is None:
        raise ValueError(f"objects/{name}: fields without {name}.object-meta.xml")
    if name.endswith("__e"):
        return _event(name, draft, prefix, draft.file)
    detail = any(each.cascade_delete and not each.nillable for each in draft.fields)
    fields = system_fields(owner=not detail, currency=True)
    fields.append(
        draft.file.name_field or Field("Name", f"{draft.file.label} Name", "string", length=80, defaulted_on_create=True, name_field=True)
    )
    fields += _with_record_type(draft, set())
    return ObjectType(
        name=name,
        label=draft.file.label,
        label_plural=draft.file.label_plural,
        key_prefix=prefix,
        fields={each.name: each for each in fields},
        custom=True,
        activities=draft.file.activities,
        sharing="ControlledByParent" if detail else draft.file.sharing,
        rules=tuple(draft.rules),
    )


def _event(name: str, draft: _Draft, prefix: str, file: dx.ObjectFile) -> ObjectType:
    system = [
        Field("ReplayId", "Replay ID", "string", length=1000, createable=False, updateable=False),
        Field("EventUuid", "Event UUID", "string", length=36, createable=False, updateable=False),
        Field("CreatedDate", "Created Date", "datetime", createable=False, updateable=False, nillable=False),
        Field(
            "CreatedById",
            "Created By ID",
            "reference",
            length=18,
            createable=False,
            updateable=False,
            nillable=False,
            reference_to=("User",),
            relationship="CreatedBy",
        ),
    ]
    fields = [*system, *(replace(each, updateable=False, permissionable=False) for each in draft.fields)]
    return ObjectType(
        name=name,
        label=file.label,
        label_plural=file.label_plural,
        key_prefix=prefix,
        fields={each.name: each for each in fields},
        kind="event",
        custom=True,
        publish_after_commit=file.publish_after_commit,
        updateable=False,
        deletable=False,
    )


def _revalue(objects: dict[str, ObjectType], name: str, field_name: str, values: tuple[Choice, ...]) -> None:
    one = objects[name]
    default = next((each.value for each in values if each.default), None)
    changed = replace(one.fields[field_name], choices=values, default=default)
    objects[name] = replace(one, fields={**one.fields, field_name: changed})


def _resolved(one: ObjectType, objects: dict[str, ObjectType], with_activities: tuple[str, ...]) -> ObjectType:
    """Name the real targets of lookups: `*` stands for every custom object with activities."""
    fields = {}
    for name, each in one.fields.items():
        targets = each.reference_to
        if "*" in targets:
            targets = tuple(sorted({*with_activities, *(target for target in targets if target in objects)}))
        elif len(targets) > 1:
            targets = tuple(target for target in targets if target in objects)
        fields[name] = each if targets == each.reference_to else replace(each, reference_to=targets)
    return replace(one, fields=fields)
