"""The first records of an org: its Organization, administrator, record types, queues and permission sets.

Must not load anything a world owns. Invariant: founding an org a second time (a file store) changes nothing but what permission
sets grant, which follows the source.
"""

from collections.abc import Callable, Mapping

from sandbox.org import ids
from sandbox.org.bulk import Loader
from sandbox.org.granting import settle
from sandbox.org.parts import Parts
from sandbox.org.schema import Schema
from sandbox.org.standard import CURRENCIES
from sandbox.org.types import User

_PROFILES = ("System Administrator", "Standard User", "Minimum Access - Salesforce")
ADMINISTRATOR, MINIMAL = ids.numbered("00e", 1), ids.numbered("00e", 3)
"""Profiles of those who may do everything, and of those who may do what their permission sets say."""
ADMIN_USERNAME = "admin@sandbox.example.com"


def new_user(loader: Loader, fields: Mapping[str, object]) -> str:
    """Insert a User record with the fields every user has; return its id."""
    username = str(fields["Username"])
    given = {
        "Email": username,
        "Alias": username[:8],
        "CommunityNickname": username.split("@", 1)[0][:40],
        "DefaultCurrencyIsoCode": "EUR",
        **fields,
    }
    return loader.load("User", [given])[0]


def found_org(parts: Parts, loader: Callable[[str], Loader], name: str) -> User:
    """Make the first records, or read back the users of a store that has them; return the administrator."""
    access, schema, time_zone = parts.access, parts.schema, parts.time_zone
    access.load()
    if access.users:
        admin = next(each for each in access.users.values() if each.is_admin)
        settle(loader(admin.id), schema, parts.database)
        return admin
    admin_id = ids.numbered(schema.objects["User"].key_prefix, 1)
    admin = User(admin_id, ADMIN_USERNAME, "Sandbox Administrator", is_admin=True, view_all=True)
    access.users[admin.id] = admin
    load = loader(admin.id)
    _load_profiles(load, schema)
    new_user(
        load,
        {
            "FirstName": "Sandbox",
            "LastName": "Administrator",
            "Username": ADMIN_USERNAME,
            "TimeZoneSidKey": time_zone,
            "ProfileId": ADMINISTRATOR,
        },
    )
    access.put(admin)
    load.load(
        "Organization",
        [
            {
                "Id": parts.org_id,
                "Name": name,
                "InstanceName": "SBX1",
                "IsSandbox": True,
                "OrganizationType": "Enterprise Edition",
                "TimeZoneSidKey": time_zone,
                "LanguageLocaleKey": "en_US",
            }
        ],
    )
    _load_metadata_records(load, schema)
    settle(load, schema, parts.database)
    return admin


def _load_metadata_records(load: Loader, schema: Schema) -> None:
    load.load(
        "RecordType",
        [
            {
                "Name": each.label,
                "DeveloperName": each.developer_name,
                "SobjectType": each.sobject,
                "IsActive": each.active,
                "Description": each.description,
                "IsPersonType": each.is_person or (each.sobject == "Account" and each.developer_name == "PersonAccount"),
            }
            for each in schema.record_types
        ],
    )
    queues = load.load("Group", [{"Name": each.name, "DeveloperName": each.developer_name, "Type": "Queue"} for each in schema.queues])
    pairs = [(queue_id, sobject) for queue_id, each in zip(queues, schema.queues, strict=True) for sobject in each.objects]
    load.load("QueueSobject", [{"QueueId": queue_id, "SobjectType": sobject} for queue_id, sobject in pairs])
    _load_roles(load, schema)
    _load_custom_metadata(load, schema)
    if "CurrencyType" in schema.objects:
        codes = [
            {"IsoCode": code, "ConversionRate": 1, "DecimalPlaces": 0 if code == "JPY" else 2, "IsActive": True} for code in CURRENCIES
        ]
        load.load("CurrencyType", [{**each, "IsCorporate": place == 0} for place, each in enumerate(codes)])


def _load_profiles(load: Loader, schema: Schema) -> None:
    """Make the profiles: three of the platform's own, and those of the source."""
    own = [each.name for each in schema.permission_sets.values() if each.is_profile]
    load.load("Profile", [{"Name": name} for name in dict.fromkeys((*_PROFILES, *own))])


def _load_roles(load: Loader, schema: Schema) -> None:
    ids_of: dict[str, str] = {}
    waiting = list(schema.roles)
    while waiting:
        ready = [each for each in waiting if each.parent is None or each.parent in ids_of]
        if not ready:
            raise ValueError(f"role {waiting[0].name}: its parent {waiting[0].parent} is not there")
        for each in ready:
            row = {"Name": each.label, "DeveloperName": each.name, "ParentRoleId": ids_of.get(each.parent or "")}
            ids_of[each.name] = load.load("UserRole", [row])[0]
        waiting = [each for each in waiting if each.name not in ids_of]


def _load_custom_metadata(load: Loader, schema: Schema) -> None:
    for each in schema.metadata_records:
        names = {
            "DeveloperName": each.developer_name,
            "MasterLabel": each.label,
            "Label": each.label,
            "QualifiedApiName": each.developer_name,
        }
        load.load(each.sobject, [{**names, **each.values}])
