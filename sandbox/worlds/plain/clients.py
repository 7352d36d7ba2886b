"""Who this school teaches: the clients of the stories, and as many made-up ones beside them as asked for.

Must not touch an org. Invariant: the same number, seed and day give the same clients, and none of them can exist: surnames
are made up, e-mail is example.com, IBANs have check digits 00 or 01, telephone numbers lie in ranges reserved for drama
(Ofcom: 07700 900000 to 900999; ComReg: 020 91x xxxx).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from sandbox.worlds.making import Row, chance_of, first_month
from sandbox.worlds.plain.stories import Story

HISTORY_MONTHS = 12
LARGE = 5000
"""A world of more clients than this is large."""
LARGE_HISTORY_MONTHS = 4
"""What a client of a large world has behind them unless told otherwise."""
CURRENCY = {"GB": "GBP", "IE": "EUR"}
TIME_ZONE = {"GB": "Europe/London", "IE": "Europe/Dublin"}
NUMBER = {"GB": "+447700900{:03d}", "IE": "+35320910{:04d}"}
CITY = {"GB": "Exampleton", "IE": "Ballysample"}
GIVEN = ("Ada", "Bram", "Ciara", "Dermot", "Edie", "Fergal", "Greta", "Hamish", "Imogen", "Jonah", "Kitty", "Lorcan")
FAMILY = ("Testwick", "O'Sample", "Mockley", "Fictonby", "Demoworthy", "Placeholm", "McExample", "Specimenson")
TRADE = ("Bakery", "Printworks", "Nursery", "Dental Practice", "Primary School")
COURSES = (("Piano lessons", (4800, 6400)), ("Spanish evenings", (3200, 4400)), ("Choir", (1500, 1800)), ("Violin lessons", (5600, 7200)))
DAYS = (1, 1, 2, 2, 5, 8, 10, 15, 20, 25)
"""Days of the month on which bills fall due."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client is billed every month. `first` is the first day of its first month; amount in minor units."""

    label: str
    course: str
    amount_minor: int
    method: str
    day: int
    first: date


@dataclass(frozen=True, slots=True)
class Client:
    """One client, before any record is made. failing: chance of a month to go wrong; lag_days: how late a transfer comes."""

    number: int
    kind: str
    first_name: str
    last_name: str
    company: str
    country: str
    since: date
    reach_by: str
    sms: bool
    call: bool
    failing: float
    lag_days: int
    claims: tuple[Claim, ...]
    story: Story | None = None

    @property
    def link(self) -> str:
        """The lookup that points at this client from this world's objects."""
        return "Contact__c" if self.kind == "person" else "Account__c"

    @property
    def name(self) -> str:
        """Name as it stands on records."""
        return f"{self.first_name} {self.last_name}" if self.kind == "person" else self.company

    def facts(self) -> Row:
        """Fields that Contact and Account have in common."""
        prefix = "Mailing" if self.kind == "person" else "Billing"
        number = NUMBER[self.country]
        return {
            f"{prefix}Street": f"{self.number} Exhibit Lane",
            f"{prefix}City": CITY[self.country],
            f"{prefix}Country": self.country,
            "Phone": number.format(self.number % (1000 if self.country == "GB" else 10000)),
            "Client_Since__c": self.since.isoformat(),
            "Client_Language__c": "en",
            "Client_Time_Zone__c": TIME_ZONE[self.country],
            "Reach_By__c": self.reach_by,
            "SMS_Consent__c": self.sms,
            "Call_Consent__c": self.call,
            "Story__c": self.story.name if self.story else None,
        }


def from_story(number: int, story: Story, today: date) -> Client:
    """Make the client a story is about; nothing about them is left to chance."""
    who = story.payer
    claims = tuple(
        Claim(
            label=one.label,
            course=one.product,
            amount_minor=int(one.amount.replace(".", "")),
            method=one.processor,
            day=one.day,
            first=date.fromisoformat(f"{one.first}-01") if one.first else first_month(who.customer_since, today, HISTORY_MONTHS),
        )
        for one in story.claims
    )
    return Client(
        number=number,
        kind=who.kind,
        first_name=who.first_name or "",
        last_name=who.last_name or "",
        company=who.company or "",
        country=who.country,
        since=who.customer_since,
        reach_by={"sms": "SMS", "call": "Phone", "letter": "Letter"}.get(who.preferred_channel, "Email"),
        sms=who.allow_sms,
        call=who.allow_call,
        failing=0.0,
        lag_days=story.history.lag_days,
        claims=claims,
        story=story,
    )


def invented(numbers: range, seed: int, today: date, months: int) -> Iterator[Client]:
    """Make up clients, each from a random source of their own, so that one more changes none of the others."""
    for number in numbers:
        yield _invent(number, chance_of("plain", seed, number), today, months)


def _invent(number: int, chance: Random, today: date, months: int) -> Client:
    kind = chance.choices(("person", "company"), (85, 15))[0]
    since = today - timedelta(days=chance.randint(400, 3500) if chance.random() < 0.9 else chance.randint(40, 400))
    course, amounts = chance.choice(COURSES)
    method = chance.choices(("Direct Debit", "Card", "Bank Transfer"), (45, 25, 30))[0]
    claim = Claim(
        "", course, chance.choice(amounts) * (4 if kind == "company" else 1), method, chance.choice(DAYS), first_month(since, today, months)
    )
    return Client(
        number=number,
        kind=kind,
        first_name=chance.choice(GIVEN),
        last_name=chance.choice(FAMILY),
        company=f"{chance.choice(FAMILY)} {chance.choice(TRADE)}",
        country=chance.choices(("GB", "IE"), (75, 25))[0],
        since=since,
        reach_by=chance.choices(("Email", "SMS", "Phone", "Letter"), (80, 10, 5, 5))[0],
        sms=chance.random() < 0.4,
        failing=chance.choices((0.01, 0.04, 0.2), (65, 25, 10))[0],
        lag_days=chance.choice((0, 0, 1, 2, 3, 7, 12)),
        call=chance.random() < 0.3,
        claims=(claim,),
    )
