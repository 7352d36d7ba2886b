"""The org: one front for everything the engine does, safe to call from several threads.

Must not know HTTP, worlds or the connector. Invariant: each call is one transaction of its own unless it stands inside
`transaction()`, and calls never interleave.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.org import ids
from sandbox.org.access import Access, Rights
from sandbox.org.batch import Batches
from sandbox.org.bulk import Loader
from sandbox.org.clock import Clock
from sandbox.org.dml import Writer
from sandbox.org.expressions import Expressions
from sandbox.org.founding import ADMINISTRATOR, MINIMAL, found_org, new_user
from sandbox.org.granting import assign
from sandbox.org.parts import Parts, Viewer
from sandbox.org.publish import Publisher
from sandbox.org.reading import Reader
from sandbox.org.schema import Schema
from sandbox.org.soql.stream import RowStream
from sandbox.org.storage import Database
from sandbox.org.task import Admit, Outcome, Task
from sandbox.org.transaction import Transactions
from sandbox.org.types import Change, Commit, Events, Json, QueryResult, Record, Session, User
from sandbox.org.upkeep import Upkeep

API_VERSION = "66.0"
ORG_ID = ids.long_id("00D5e0000000001")


class Org(Upkeep):
    """A Salesforce org in one object.

    on_change: called inside the transaction after each record changed; it may write with `system` and refuse by raising
    OrgError. on_commit: called once after each outermost transaction that changed something (Change Data Capture).
    Raises ValueError for a schema whose formulas cannot be worked out, or a store made with another schema.
    """

    def __init__(  # noqa: PLR0913 - an org's settings, all but two with defaults
        self,
        schema: Schema,
        clock: Clock,
        *,
        store: Path | None = None,
        org_id: str = ORG_ID,
        events: Events | None = None,
        time_zone: str = "Europe/Amsterdam",
        currency: str = "EUR",
        name: str = "Sandbox",
    ) -> None:
        self.schema = schema
        self.clock = clock
        self.org_id = org_id
        self.time_zone = time_zone
        self.currency = currency
        self._database = Database(schema, store)
        self._lock = self._database.lock
        self._access = Access(schema, self._database)
        self._transactions = Transactions(self._database, clock, org_id)
        self._parts = Parts(schema, self._database, self._access, clock, self._transactions, org_id, time_zone, currency)
        expressions = Expressions(schema, self._database, time_zone)
        self._writer = Writer(self._parts, expressions)
        self._batches = Batches(self._parts, self._writer, expressions)
        self._reader = Reader(self._parts)
        self._publisher = Publisher(self._parts, events)
        self.on_close: list[Callable[[], None]] = []
        self.admin = found_org(self._parts, self._loader, name)
        self.system = Session(self.admin.id)
        expressions.compile_all(self._access.rights(self.admin.id), clock.now())

    def _loader(self, user_id: str) -> Loader:
        return Loader(self._parts, self._writer, Session(user_id))

    @property
    def users(self) -> dict[str, User]:
        """The users by id."""
        return self._access.users

    @property
    def on_change(self) -> list[Callable[[Change], None]]:
        """What listens to each change, inside its transaction."""
        return self._writer.on_change

    @property
    def on_commit(self) -> list[Callable[[Commit], None]]:
        """What listens to finished transactions."""
        return self._transactions.on_commit

    @property
    def events(self) -> Events | None:
        """The event log, once there is one."""
        return self._publisher.events

    @events.setter
    def events(self, log: Events) -> None:
        self._publisher.events = log

    @property
    def default_case_owner(self) -> str | None:
        """Who gets cases saved with automatic assignment (user or queue id); None = assignment changes nothing."""
        return self._writer.default_case_owner

    @default_case_owner.setter
    def default_case_owner(self, owner_id: str | None) -> None:
        self._writer.default_case_owner = owner_id

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group writes: all or nothing, one Commit. Catch OrgError inside it to let single records fail."""
        with self._lock, self._transactions.scope():
            yield

    def query(self, soql: str, *, user_id: str, all_rows: bool = False, api_version: str = API_VERSION) -> QueryResult:
        """Answer a SOQL statement as a user sees it; `all_rows` counts the recycle bin in. Raises OrgError."""
        with self._lock:
            return self._reader.query(soql, Viewer(user_id, api_version), all_rows=all_rows)

    def stream(self, soql: str, *, user_id: str, all_rows: bool = False, api_version: str = API_VERSION) -> RowStream:
        """Give the rows of a SOQL statement one by one, as of now, in bounded memory: `.columns` and an iterator of lists.

        Parents' fields have dotted column names. Close it, or read it to the end. Raises OrgError, also for what Bulk
        queries do not allow: aggregates, GROUP BY, OFFSET, TYPEOF, nested queries.
        """
        with self._lock:
            return self._reader.stream(soql, Viewer(user_id, api_version), all_rows=all_rows)

    def create(self, sobject: str, fields: Mapping[str, object], *, session: Session) -> str:
        """Insert a record; return its id of 18 characters. Raises OrgError."""
        with self._lock:
            return self._writer.create(sobject, fields, session)

    def update(self, sobject: str, record_id: str, fields: Mapping[str, object], *, session: Session) -> None:
        """Change fields of a record. Raises OrgError."""
        with self._lock:
            self._writer.update(sobject, record_id, fields, session)

    def upsert(  # noqa: PLR0913 - the parameters of the call itself
        self,
        sobject: str,
        ext_field: str,
        value: str,
        fields: Mapping[str, object],
        *,
        session: Session,
        update_only: bool = False,
    ) -> tuple[str, bool]:
        """Update by external id or create; return the id and whether it was created.

        Raises OrgError; its subclass dml.MultipleMatchesError (status 300, `.matches`) when several records have the value.
        """
        with self._lock:
            return self._writer.upsert(sobject, ext_field, value, fields, session, update_only=update_only)

    def delete(self, sobject: str, record_id: str, *, session: Session) -> None:
        """Put a record into the recycle bin. Raises OrgError."""
        with self._lock:
            self._writer.delete(sobject, record_id, session)

    def undelete(self, sobject: str, record_id: str, *, session: Session) -> None:
        """Take a record out of the recycle bin. Raises OrgError."""
        with self._lock:
            self._writer.undelete(sobject, record_id, session)

    def rights(self, user_id: str) -> Rights:
        """Tell what a user may do. Raises KeyError for an unknown user."""
        with self._lock:
            return self._access.rights(user_id)

    def write_chunk(self, task: Task, rows: Sequence[Sequence[str]], admit: Admit | None = None) -> list[Outcome]:
        """Write a chunk of rows in one transaction; each succeeds or fails by itself, and nothing is raised."""
        with self._lock:
            return self._batches.write(task, rows, admit)

    def retrieve(
        self, sobject: str, record_id: str, fields: Sequence[str] | None = None, *, session: Session, api_version: str = API_VERSION
    ) -> Record:
        """Read one record: the fields named, or all the user may read. Raises OrgError."""
        with self._lock:
            return self._reader.record(sobject, record_id, fields, Viewer(session.user_id, api_version))

    def retrieve_by(  # noqa: PLR0913 - the parameters of the call itself
        self,
        sobject: str,
        ext_field: str,
        value: str,
        fields: Sequence[str] | None = None,
        *,
        session: Session,
        api_version: str = API_VERSION,
    ) -> Record:
        """Read one record by an external id. Raises OrgError, or dml.MultipleMatchesError."""
        with self._lock:
            return self._reader.record_by(sobject, ext_field, value, fields, Viewer(session.user_id, api_version))

    def retrieve_many(
        self, sobject: str, record_ids: Sequence[str], fields: Sequence[str], *, session: Session, api_version: str = API_VERSION
    ) -> list[Record | None]:
        """Read records by id, in order; None for one that is not there. Raises OrgError for an unknown field."""
        with self._lock:
            return self._reader.records(sobject, record_ids, fields, Viewer(session.user_id, api_version))

    def data(self, sobject: str, record_id: str, field: str, *, session: Session) -> bytes:
        """Read the bytes in a field of a record, which other reads show as an address. Raises OrgError."""
        with self._lock:
            return self._reader.data(sobject, record_id, field, Viewer(session.user_id, API_VERSION))

    def describe(self, sobject: str, user_id: str, *, api_version: str = API_VERSION) -> Record:
        """Describe an object as a user may see it. Raises OrgError NOT_FOUND."""
        with self._lock:
            return self._reader.describe(sobject, Viewer(user_id, api_version))

    def describe_global(self, user_id: str, *, api_version: str = API_VERSION) -> Record:
        """List the objects a user may read."""
        with self._lock:
            return self._reader.describe_global(Viewer(user_id, api_version))

    def publish(self, event: str, fields: Mapping[str, object], *, session: Session) -> tuple[str, int | None]:
        """Publish a platform event; return its uuid and replay id (None while it waits for the commit). Raises OrgError."""
        with self._lock:
            return self._publisher.publish(event, fields, session)

    def add_user(  # noqa: PLR0913 - the parameters of the call itself
        self,
        username: str,
        *,
        last_name: str,
        first_name: str = "",
        is_admin: bool = False,
        view_all: bool = False,
        permission_sets: Sequence[str] = (),
        **fields: Json,
    ) -> User:
        """Add a user who may sign in; `fields` are further fields of the User record. Raises OrgError or KeyError."""
        with self._lock, self._transactions.scope():
            usual = {"TimeZoneSidKey": self.time_zone, "ProfileId": ADMINISTRATOR if is_admin else MINIMAL}
            names = {"FirstName": first_name, "LastName": last_name, "Username": username}
            user_id = new_user(self._loader(self.admin.id), {**usual, **names, **fields})
            shown = f"{first_name} {last_name}".strip()
            self._access.put(User(user_id, username, shown, is_admin, view_all))
            assign(self._loader(self.admin.id), self._database, user_id, permission_sets)
            return self._access.change(user_id, permission_sets=permission_sets)

    def set_access(
        self,
        user_id: str,
        *,
        is_admin: bool | None = None,
        view_all: bool | None = None,
        permission_sets: Sequence[str] | None = None,
    ) -> User:
        """Change what a user may do; what is not given stays. Raises KeyError."""
        with self._lock:
            user = self._access.change(user_id, is_admin=is_admin, view_all=view_all, permission_sets=permission_sets)
            if permission_sets is not None:
                assign(self._loader(self.admin.id), self._database, user_id, permission_sets)
            return user

    def user_by_name(self, username: str) -> User | None:
        """Find a user by the name used to sign in, in any case."""
        return next((each for each in self.users.values() if each.username.lower() == username.lower()), None)

    def close(self) -> None:
        """Tell who wants to know, then close the store."""
        for listener in self.on_close:
            listener()
        self._database.close()
