"""Nobody in any world can exist: no account can be debited, no message can arrive, no telephone can ring."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

import pytest

from sandbox.org.org import Org
from sandbox.worlds.opening import Wish, known_worlds, open_org

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
RESERVED = re.compile(r"(^|[@/.])(example\.(com|net|org)|[\w.-]+\.(example|test|invalid|localhost))$")
"""RFC 2606 and RFC 6761: names that will never be anybody's."""
RINGS_NOWHERE = (
    re.compile(r"\+447700900\d{3}"),  # Ofcom: mobile numbers for drama
    re.compile(r"\+4917139200\d{2,3}"),  # Bundesnetzagentur: numbers for drama, (0)171 39200xx
    re.compile(r"\+3532091\d{5}"),  # ComReg: 020 91x xxxx, for drama
    re.compile(r"\+316\d{7}"),  # the Dutch plan: a mobile number has nine digits after +31, these have eight
)


@cache
def world(name: str) -> Org:
    """A world with a crowd in it."""
    return open_org(Wish(name, 400, 1, NOW, shape={"children": 200} if name == "skewed" else {}))


def texts(name: str) -> Iterator[tuple[str, str, str]]:
    """Every text in the org: object and field, field type, value."""
    org = world(name)
    for one in org.schema.records():
        for field in one.fields.values():
            if field.stored and field.is_text:
                for (value,) in org._database.rows(f'SELECT DISTINCT "{field.name}" FROM "{one.name}" WHERE "{field.name}" IS NOT NULL'):
                    yield f"{one.name}.{field.name}", field.type, str(value)


def is_iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616, mod 97)."""
    turned = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


IBAN = re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b")


def test_the_check_knows_a_real_iban() -> None:
    """The example account of the standard itself passes, so that a failure means something."""
    assert is_iban("GB82WEST12345698765432")
    assert not is_iban("GB00TEST00000000000001")


@pytest.mark.parametrize("name", known_worlds())
def test_no_account_number_is_one(name: str) -> None:
    """Nothing that looks like an IBAN anywhere in the org has check digits that are right."""
    found = [(place, text) for place, _, value in texts(name) for text in IBAN.findall(value)]
    assert len([place for place, _ in found if "IBAN" in place]) > 100
    assert [(place, text) for place, text in found if is_iban(text)] == []


@pytest.mark.parametrize("name", known_worlds())
def test_no_mail_arrives_and_no_link_leads_anywhere(name: str) -> None:
    """Every address and every link is of a reserved domain, and a field for links holds nothing else."""
    domains = {value.rsplit("@", 1)[1] for _, _, value in texts(name) if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value)}
    links = [value for _, kind, value in texts(name) if kind == "url"]
    assert len(links) > 100
    assert [value for value in links if not re.fullmatch(r"https://[a-z.]+/\S+", value)] == []
    domains |= {host for _, _, value in texts(name) for host in re.findall(r"https?://([^/\s:]+)", value)}
    assert "example.com" in domains
    assert sorted(domain for domain in domains if not RESERVED.search(f"@{domain}")) == []


@pytest.mark.parametrize("name", known_worlds())
def test_no_telephone_rings(name: str) -> None:
    """Every number is of a range for drama, or too short for its country."""
    numbers = {value for _, kind, value in texts(name) if kind == "phone"}
    assert len(numbers) > 50
    assert sorted(number for number in numbers if not any(plan.fullmatch(number) for plan in RINGS_NOWHERE)) == []
