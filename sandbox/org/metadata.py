"""The org's schema: the built-in standard objects and whatever DX source directories add to them.

Must not know what the objects mean. Both shapes of source are read: one file a component, and the old `.object` file that
holds them all. Source: Salesforce DX Developer Guide, "Source Format"; Metadata API Developer Guide.
Invariant: the same directories give the same schema, and a file that is not carried out is listed in `Schema.ignored`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sandbox.org.assemble import Draft, Source, assemble
from sandbox.org.criteria import own_fields_only
from sandbox.org.dx import access, automation, ignored, objects, views
from sandbox.org.dx.fields import fields_of
from sandbox.org.dx.values import value_set
from sandbox.org.dx.xml import Node, read
from sandbox.org.schema import Schema
from sandbox.org.setup import AssignmentRule

DEFAULT_FEATURES = frozenset({"MultiCurrency"})
"""What an org has unless told otherwise; further ones are listed in assemble.FEATURES."""


def load_schema(dx_dirs: Sequence[Path], *, features: Iterable[str] = DEFAULT_FEATURES) -> Schema:
    """Build the schema from the standard objects and DX source directories (`force-app`, or any folder below it).

    Raises ValueError, naming the file, for metadata the sandbox cannot act on, and for a feature it does not know.
    """
    for directory in dx_dirs:
        if not directory.is_dir():
            raise ValueError(f"{directory}: no such directory of DX source")
    source = Source(features=frozenset(features))
    files = [path for directory in dx_dirs for path in sorted(directory.rglob("*")) if path.is_file()]
    for wanted in ("globalValueSet", "standardValueSet"):
        for path in files:
            if _kind(path) == wanted:
                _VALUE_SETS[wanted](source, read(path))
    for path in files:
        _take(source, path)
    made = assemble(source)
    return Schema(
        objects=made,
        permission_sets=source.permission_sets,
        change_entities={channel: tuple(dict.fromkeys(entities)) for channel, entities in source.channels.items()},
        enriched_fields={member: names for member, names in source.enriched.items() if names},
        record_types=tuple(each for name in sorted(source.drafts) for each in source.drafts[name].record_types),
        queues=tuple(source.queues),
        list_views=tuple(source.list_views),
        compact_layouts=tuple(
            replace(each, primary=each.name == _primary(source, each.object)) for each in source.compact_layouts if each.object in made
        ),
        groups=source.groups,
        roles=tuple(source.roles),
        assignment_rules=tuple(source.assignment_rules),
        metadata_records=tuple(source.metadata_records),
        features=source.features,
        ignored=tuple(source.ignored),
    )


def _primary(source: Source, name: str) -> str | None:
    file = source.drafts[name].file if name in source.drafts else None
    return file.compact_layout if file else None


def _kind(path: Path) -> str:
    """Tell a file's kind of metadata: the word before `-meta.xml`, or the ending of an old-style file; `A.B.md` is a record."""
    name = path.name.removesuffix("-meta.xml")
    kind = name.rpartition(".")[2]
    return "" if kind == "md" and name.count(".") < 2 else kind


def _take(source: Source, path: Path) -> None:
    kind = _kind(path)
    if kind in _VALUE_SETS:
        return
    if kind in _FILES:
        _FILES[kind](source, read(path))
    else:
        source.ignored += ignored.file(path, kind)


def _object_of(node: Node, up: int) -> str:
    return node.path.parents[up].name


def _object(source: Source, node: Node) -> None:
    """Take an object, and from an old `.object` file all its parts."""
    old = not node.path.name.endswith("-meta.xml")
    name = node.stem
    draft = source.draft(name)
    draft.file = objects.object_file(node, name)
    source.ignored += ignored.parts(node)
    if not old:
        return
    for each in node.each("fields"):
        _add_field(source, each, name)
    for each in node.each("validationRules"):
        _add_rule(draft, each)
    draft.record_types += [objects.record_type(each, name) for each in node.each("recordTypes")]
    source.list_views += [views.list_view(each, name) for each in node.each("listViews")]
    source.compact_layouts += [views.compact_layout(each, name) for each in node.each("compactLayouts")]


def _add_field(source: Source, node: Node, sobject: str) -> None:
    name = node.text("fullName") or node.stem
    if "__" not in name:
        source.ignored += ignored.standard_field(node, sobject, name)
        return
    made = fields_of(node, sobject, source.value_sets)
    source.draft(sobject).fields += made
    if any(each.lookup_filter is not None and not own_fields_only(each.lookup_filter) for each in made):
        source.ignored += ignored.lookup_filter(node, sobject, name)


def _add_rule(draft: Draft, node: Node) -> None:
    found = objects.rule(node)
    if found is not None:
        draft.rules.append(found)


def _channel_member(source: Source, node: Node) -> None:
    channel, entity = node.text("eventChannel"), node.text("selectedEntity")
    source.channels.setdefault(channel, []).append(entity)
    source.enriched[channel, entity] = tuple(each.text("name") for each in node.each("enrichedFields"))
    if node.texts("filterExpression"):
        source.ignored += ignored.channel_member(node)


def _permissions(source: Source, node: Node) -> None:
    found = access.permission_set(node)
    source.permission_sets[found.name] = found


def _group(source: Source, node: Node) -> None:
    found = access.permission_set_group(node)
    source.groups[found.name] = found


def _rules(source: Source, node: Node) -> None:
    found: tuple[AssignmentRule, ...] = automation.assignment_rules(node)
    source.assignment_rules += found
    if any(entry.formula for each in found if each.active for entry in each.entries):
        source.ignored += ignored.rule_formula(node)


def _sharing(source: Source, node: Node) -> None:
    source.ignored += ignored.sharing_rules(node)


def _global_values(source: Source, node: Node) -> None:
    source.value_sets[node.stem] = value_set(node)


def _standard_values(source: Source, node: Node) -> None:
    source.standard_values[node.stem] = value_set(node)


Taker = Callable[[Source, Node], None]
_VALUE_SETS: dict[str, Taker] = {"globalValueSet": _global_values, "standardValueSet": _standard_values}
_FILES: dict[str, Taker] = {
    "object": _object,
    "field": lambda source, node: _add_field(source, node, _object_of(node, 1)),
    "validationRule": lambda source, node: _add_rule(source.draft(_object_of(node, 1)), node),
    "recordType": lambda source, node: source.draft(_object_of(node, 1)).record_types.append(
        objects.record_type(node, _object_of(node, 1))
    ),
    "listView": lambda source, node: source.list_views.append(views.list_view(node, _object_of(node, 1))),
    "compactLayout": lambda source, node: source.compact_layouts.append(views.compact_layout(node, _object_of(node, 1))),
    "permissionset": _permissions,
    "profile": _permissions,
    "permissionsetgroup": _group,
    "role": lambda source, node: source.roles.append(access.role(node)),
    "queue": lambda source, node: source.queues.append(access.queue(node)),
    "assignmentRules": _rules,
    "sharingRules": _sharing,
    "md": lambda source, node: source.metadata_records.append(automation.metadata_record(node)),
    "platformEventChannelMember": _channel_member,
}
