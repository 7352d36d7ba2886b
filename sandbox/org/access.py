"""Who may do what: users, their permission sets, and the rows hidden from them.

Must not run queries for others. An admin may do everything; anybody else gets the sum of the permission sets. Objects
and fields that permissions do not govern (User, Group, required and system fields) can be read by all; tasks and events are
governed by the user permissions EditTask and EditEvent, not by object permissions.
Invariant: a row hidden from a user is hidden whatever the user's permissions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sandbox.org.schema import Field, ObjectType, Schema
from sandbox.org.setup import ObjectAccess, PermissionSet
from sandbox.org.storage import Database
from sandbox.org.types import User

_ALL = ObjectAccess(read=True, create=True, edit=True, delete=True, view_all=True, modify_all=True)
_READ = ObjectAccess(read=True)
_OPEN = frozenset({"Attachment", "CaseComment", "ContentDocument", "ContentDocumentLink", "ContentVersion", "Note"})
"""Objects everybody may write to: what holds them decides who sees them."""
_ACTIVITIES = {"Task": "EditTask", "Event": "EditEvent"}


def _unfolded(user: User, schema: Schema) -> Iterator[PermissionSet]:
    """Give a user's permission sets, those of groups included."""
    for name in user.permission_sets:
        group = schema.groups.get(name)
        for each in group.members if group else (name,):
            if each in schema.permission_sets:
                yield schema.permission_sets[each]


def _below(user_id: str) -> str:
    """Give the SQL of the users whose roles stand below a user's role."""
    mine = f'SELECT "UserRoleId" FROM "User" WHERE "Id" = \'{user_id}\''
    return (
        f'WITH RECURSIVE below(id) AS (SELECT "Id" FROM "UserRole" WHERE "ParentRoleId" = ({mine}) '
        'UNION SELECT r."Id" FROM "UserRole" r JOIN below ON r."ParentRoleId" = below.id) '
        'SELECT u."Id" FROM "User" u WHERE u."UserRoleId" IN (SELECT id FROM below)'
    )


class Rights:
    """What one user may do, worked out once."""

    def __init__(self, user: User, schema: Schema, *, has_hidden: bool) -> None:
        self.user = user
        self._schema = schema
        self.has_hidden = has_hidden
        self._sets = list(_unfolded(user, schema))
        granted = frozenset(each for one in self._sets for each in one.user_permissions)
        self.modify_all = user.is_admin or "ModifyAllData" in granted
        self.view_all = user.is_admin or user.view_all or self.modify_all or "ViewAllData" in granted
        self._granted = granted
        self._readable = frozenset(each for one in self._sets for each in one.readable)
        self._editable = frozenset(each for one in self._sets for each in one.editable)
        self._whole = frozenset(name for one in self._sets for name, each in one.objects.items() if each.all_fields)
        self.record_types = frozenset(each for one in self._sets for each in one.record_types)
        self.default_record_types = tuple(each for one in self._sets for each in sorted(one.default_record_types))

    def on(self, one: ObjectType) -> ObjectAccess:
        """Tell what the user may do with an object."""
        if self.user.is_admin:
            return _ALL
        if not one.permissionable:
            return ObjectAccess(read=True, create=True, edit=True, delete=True) if one.name in _OPEN else _READ
        if one.name in _ACTIVITIES:
            may = _ACTIVITIES[one.name] in self._granted
            return ObjectAccess(read=True, create=may, edit=may, delete=may)
        name = one.name.lower()
        given = [each.objects[name] for each in self._sets if name in each.objects]
        return ObjectAccess(
            read=any(each.read for each in given),
            create=any(each.create for each in given),
            edit=any(each.edit for each in given),
            delete=any(each.delete for each in given),
            view_all=any(each.view_all or each.modify_all for each in given),
            modify_all=any(each.modify_all for each in given),
            all_fields=any(each.all_fields for each in given),
        )

    def granted(self, permission: str) -> bool:
        """Tell whether a permission set gives a user permission (`BulkApiHardDelete`)."""
        return permission in self._granted

    def reads(self, one: ObjectType, field: Field) -> bool:
        """Tell whether the user sees a field."""
        if self.user.is_admin or not field.permissionable or not one.permissionable:
            return True
        return f"{one.name}.{field.compound or field.name}".lower() in self._readable or one.name.lower() in self._whole

    def edits(self, one: ObjectType, field: Field) -> bool:
        """Tell whether the user may fill a field."""
        if self.user.is_admin or not field.permissionable:
            return True
        return f"{one.name}.{field.compound or field.name}".lower() in self._editable

    def sees_all(self, one: ObjectType) -> bool:
        """Tell whether sharing hides no row of an object."""
        if one.sharing != "Private" or self.view_all:
            return True
        return self.on(one).view_all

    def row_filter(self, one: ObjectType, alias: str) -> str:
        """Give the SQL condition a row must meet to be seen, or an empty text when all are."""
        parts = []
        if self.has_hidden:
            parts.append(f"{alias}.\"Id\" NOT IN (SELECT record_id FROM _hidden WHERE user_id = '{self.user.id}')")
        if "OwnerId" in one.fields and not self.sees_all(one):
            queues = f'SELECT "GroupId" FROM "GroupMember" WHERE "UserOrGroupId" = \'{self.user.id}\' AND "IsDeleted" = 0'
            mine = [f"{alias}.\"OwnerId\" = '{self.user.id}'", f'{alias}."OwnerId" IN ({queues})']
            if self._schema.roles:
                mine.append(f'{alias}."OwnerId" IN ({_below(self.user.id)})')
            parts.append(f"({' OR '.join(mine)})")
        if one.sharing == "ControlledByParent":
            parts += self._by_parent(one, alias)
        return " AND ".join(parts)

    def _by_parent(self, one: ObjectType, alias: str) -> list[str]:
        """Details are seen with their masters."""
        found = []
        for field in one.fields.values():
            master = self._schema.get(field.reference_to[0]) if field.cascade_delete and not field.nillable else None
            condition = self.row_filter(master, f"{alias}m") if master is not None else ""
            if master is not None and condition:
                found.append(f'{alias}."{field.name}" IN (SELECT {alias}m."Id" FROM "{master.name}" {alias}m WHERE {condition})')
        return found


class Access:
    """The users of an org and what each may do."""

    def __init__(self, schema: Schema, database: Database) -> None:
        self._schema = schema
        self._database = database
        self.users: dict[str, User] = {}
        self._rights: dict[str, Rights] = {}

    def load(self) -> None:
        """Read back the users a file store remembers."""
        sql = (
            'SELECT a.user_id, u."Username", u."Name", a.is_admin, a.view_all, a.permission_sets '
            'FROM _access a JOIN "User" u ON u."Id" = a.user_id ORDER BY a.rowid'
        )
        for user_id, username, name, is_admin, view_all, sets in self._database.rows(sql):
            names = tuple(each for each in str(sets).split(";") if each)
            user = User(str(user_id), str(username), str(name), bool(is_admin), bool(view_all), names)
            self.users[user.id] = user

    def put(self, user: User) -> None:
        """Add a user or change what one may do."""
        self.users[user.id] = user
        self._rights.pop(user.id, None)
        self._database.connection.execute(
            "INSERT OR REPLACE INTO _access VALUES (?, ?, ?, ?)",
            (user.id, int(user.is_admin), int(user.view_all), ";".join(user.permission_sets)),
        )

    def change(
        self,
        user_id: str,
        *,
        is_admin: bool | None = None,
        view_all: bool | None = None,
        permission_sets: Sequence[str] | None = None,
    ) -> User:
        """Change what a user may do; what is not given stays. Raises KeyError for an unknown user or permission set."""
        user = self.users[user_id]
        if permission_sets is not None:
            unknown = [name for name in permission_sets if name not in self._schema.permission_sets and name not in self._schema.groups]
            if unknown:
                raise KeyError(f"no such permission set: {', '.join(unknown)}")
            user = replace(user, permission_sets=tuple(permission_sets))
        if is_admin is not None:
            user = replace(user, is_admin=is_admin)
        if view_all is not None:
            user = replace(user, view_all=view_all)
        self.put(user)
        return user

    def rights(self, user_id: str) -> Rights:
        """Tell what a user may do. Raises KeyError for an unknown user."""
        found = self._rights.get(user_id)
        if found is None:
            hidden = self._database.rows("SELECT 1 FROM _hidden WHERE user_id = ? LIMIT 1", (user_id,))
            found = self._rights[user_id] = Rights(self.users[user_id], self._schema, has_hidden=bool(hidden))
        return found

    def hide(self, record_ids: Sequence[str], user_id: str) -> None:
        """Let a user no longer see some rows."""
        pairs = [(user_id, each) for each in record_ids]
        self._database.connection.executemany("INSERT OR IGNORE INTO _hidden VALUES (?, ?)", pairs)
        self._rights.pop(user_id, None)

    def unhide(self, prefix: str, record_ids: Sequence[str] | None, user_id: str) -> None:
        """Let a user see rows again: some of them, or all whose id starts with a prefix."""
        run = self._database.connection
        if record_ids is None:
            run.execute("DELETE FROM _hidden WHERE user_id = ? AND record_id LIKE ?", (user_id, f"{prefix}%"))
        else:
            run.executemany("DELETE FROM _hidden WHERE user_id = ? AND record_id = ?", [(user_id, each) for each in record_ids])
        self._rights.pop(user_id, None)

    def sees(self, user_id: str, one: ObjectType, record_id: str) -> bool:
        """Tell whether a user sees a row that exists."""
        condition = self.rights(user_id).row_filter(one, "t")
        if not condition:
            return True
        return bool(self._database.rows(f'SELECT 1 FROM "{one.name}" t WHERE t."Id" = ? AND {condition}', (record_id,)))
