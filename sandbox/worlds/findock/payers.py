"""Who lives in this world: the payers of the stories, and as many made-up ones beside them as asked for.

Must not touch an org. Invariant: the same number, seed and day give the same payers, and none of them can exist:
surnames are made up, e-mail is example.com, telephone numbers lie in ranges reserved for drama, IBANs have check digits 00 or 01.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from random import Random

from sandbox.worlds.findock.rails import BACS, CARD, LANGUAGE, RAILS, SEPA, TIME_ZONE, Rail
from sandbox.worlds.findock.stories import Story
from sandbox.worlds.making import chance_of, first_month

HISTORY_MONTHS = 24
LARGE = 5000
"""A world of more payers than this is large."""
LARGE_HISTORY_MONTHS = 4
"""What a payer of a large world has behind them unless told otherwise: with this month and the next, about five installments."""
NUMBER = {"NL": "+3161122", "DE": "+4917139200", "GB": "+447700900"}
GIVEN = {
    "NL": ("Anouk", "Bas", "Cato", "Dirk", "Eline", "Floris", "Guus", "Hanna", "Ilse", "Jelle", "Koen", "Loes"),
    "DE": ("Anke", "Bernd", "Clara", "Dieter", "Elke", "Florian", "Gisela", "Heiko", "Inga", "Kai", "Lena", "Moritz"),
    "GB": ("Alice", "Barney", "Chloe", "Dylan", "Edith", "Freddie", "Grace", "Hugo", "Isla", "Jasper", "Keira", "Lewis"),
}
FAMILY = {
    "NL": ("Testerink", "Proefstra", "Voorbeeldsma", "Fictieveld", "Demodijk", "Nepsteeg", "Toetsma", "Schijnhout"),
    "DE": ("Musterbach", "Beispielmeier", "Testhuber", "Probefeld", "Platzhalterer", "Scheinwald", "Demoberg", "Vorlagner"),
    "GB": ("Samplewood", "Testerton", "Examplby", "Mockridge", "Dummfield", "Placeham", "Fictley", "Demoworth"),
}
TRADE = {"NL": ("Bakkerij", "Garage", "Kwekerij"), "DE": ("Druckerei", "Gärtnerei", "Werkstatt"), "GB": ("Bakery", "Garage", "Nursery")}
FORM = {"NL": "BV", "DE": "GmbH", "GB": "Ltd"}
DAYS = (1, 2, 2, 2, 4, 6, 9, 11, 13, 16, 18, 20, 23, 25, 27)
"""Days of the month on which this creditor collects."""
CITY = {"NL": "Proefdam", "DE": "Musterstadt", "GB": "Exampleton"}


@dataclass(frozen=True, slots=True)
class Claim:
    """What a payer owes every month. `first` is the first day of its first month; amount in minor units."""

    label: str
    product: str
    kind: str
    amount_minor: int
    rail: Rail
    day: int
    first: date


@dataclass(frozen=True, slots=True)
class Spec:
    """One payer, before any record is made. `failing` is the chance of a month to fail at first.

    parts: money of a month comes in so many payments and in one less, by turns; 1: always in one.
    fixed_failures: month (YYYY-MM) → reason code; self_paid: months paid by pay link. With `story` nothing else is left to chance.
    """

    number: int
    kind: str
    first_name: str
    last_name: str
    company: str
    country: str
    customer_since: date
    segment: str
    preferred_channel: str
    allow_sms: bool
    allow_call: bool
    opted_out: bool
    habit_weekday: int
    habit_time: time
    failing: float
    claims: tuple[Claim, ...]
    story: Story | None = None
    fixed_failures: Mapping[str, str] = field(default_factory=dict)
    self_paid: frozenset[str] = frozenset()
    self_payer: bool = False
    parts: int = 1

    @property
    def sobject(self) -> str:
        """The object the payer is a record of."""
        return "Contact" if self.kind == "person" else "Account"

    @property
    def name(self) -> str:
        """Name as it stands on records."""
        return f"{self.first_name} {self.last_name}" if self.kind == "person" else self.company

    @property
    def time_zone(self) -> str:
        """IANA name of where the payer lives."""
        return TIME_ZONE[self.country]

    def facts(self) -> dict[str, object]:
        """Fields that Contact and Account have in common, the org's own ones included."""
        prefix = "Mailing" if self.kind == "person" else "Billing"
        return {
            f"{prefix}Street": f"{CITY[self.country]} Street {self.number}",
            f"{prefix}City": CITY[self.country],
            f"{prefix}Country": self.country,
            "Phone": f"{NUMBER[self.country]}{self.number % 1000:03d}",
            "Time_Zone__c": self.time_zone,
            "Language__c": LANGUAGE[self.country],
            "Preferred_Channel__c": self.preferred_channel,
            "Allow_SMS__c": self.allow_sms,
            "Allow_Call__c": self.allow_call,
            "Customer_Since__c": self.customer_since.isoformat(),
            "Segment__c": self.segment,
            "Story__c": self.story.name if self.story else None,
        }


def usual_months(payers: int) -> int:
    """Give how many months of history the payers of a world of this size have."""
    return HISTORY_MONTHS if payers <= LARGE else LARGE_HISTORY_MONTHS


def from_story(number: int, story: Story, today: date) -> Spec:
    """Make the payer a story is about; nothing about them is left to chance."""
    who, paid = story.payer, story.history.self_paid
    claims = tuple(
        Claim(
            label=one.label,
            product=one.product,
            kind=one.kind,
            amount_minor=int(one.amount.replace(".", "")),
            rail=RAILS[one.processor],
            day=one.day,
            first=date.fromisoformat(f"{one.first}-01") if one.first else first_month(who.customer_since, today, HISTORY_MONTHS),
        )
        for one in story.claims
    )
    return Spec(
        number=number,
        kind=who.kind,
        first_name=who.first_name or "",
        last_name=who.last_name or "",
        company=who.company or "",
        country=who.country,
        customer_since=who.customer_since,
        segment=who.segment or ("member" if who.kind == "person" else "business"),
        preferred_channel=who.preferred_channel,
        allow_sms=who.allow_sms,
        allow_call=who.allow_call,
        opted_out=False,
        habit_weekday=paid.weekday if paid else 0,
        habit_time=paid.time if paid else time(12, 0),
        failing=0.0,
        claims=claims,
        story=story,
        fixed_failures=story.history.failed,
        self_paid=frozenset(paid.months if paid else ()),
    )


def invented(numbers: range, seed: int, today: date, months: int = HISTORY_MONTHS, parts: int = 1) -> Iterator[Spec]:
    """Make up payers, each from a random source of their own, so that one more changes none of the others."""
    for number in numbers:
        yield _invent(number, chance_of(seed, number), today, months, parts)


def _invent(number: int, chance: Random, today: date, history: int, parts: int) -> Spec:
    country = chance.choices(("NL", "DE", "GB"), (50, 25, 25))[0]
    kind = chance.choices(("person", "company"), (80, 20))[0]
    months = chance.randint(26, 150) if chance.random() < 0.9 else chance.randint(2, 20)
    since = today - timedelta(days=months * 30 + chance.randint(0, 29))
    product, claim_kind, amounts = _product(kind, chance)
    direct = BACS if country == "GB" else SEPA
    rail = chance.choices((direct, CARD), (65, 35))[0]
    claim = Claim("", product, claim_kind, chance.choice(amounts), rail, chance.choice(DAYS), first_month(since, today, history))
    return Spec(
        number=number,
        kind=kind,
        first_name=chance.choice(GIVEN[country]),
        last_name=chance.choice(FAMILY[country]),
        company=f"{chance.choice(FAMILY[country])} {chance.choice(TRADE[country])} {FORM[country]}",
        country=country,
        customer_since=since,
        segment="business" if kind == "company" else "donor" if claim_kind == "gift" else "member",
        preferred_channel=chance.choices(("email", "sms", "letter", "portal"), (80, 10, 5, 5))[0],
        allow_sms=chance.random() < 0.4,
        allow_call=chance.random() < 0.3,
        opted_out=chance.random() < 0.05,
        habit_weekday=chance.randint(0, 6),
        habit_time=time(chance.choice((8, 10, 12, 17, 18, 19, 20, 21)), chance.choice((0, 15, 30, 45))),
        failing=chance.choices((0.015, 0.04, 0.22), (60, 28, 12))[0],
        claims=(claim,),
        self_payer=chance.random() < 0.08,
        parts=parts,
    )


def _product(kind: str, chance: Random) -> tuple[str, str, tuple[int, ...]]:
    if kind == "company":
        return "Service contract", "debt", (9900, 18000, 24000, 45000, 120000)
    return chance.choices(
        (
            ("Green electricity", "debt", (3800, 4200, 5500, 6250, 7100, 8500)),
            ("Membership", "membership", (900, 1200, 1500, 2000)),
            ("Monthly gift", "gift", (500, 1000, 1500, 2500)),
        ),
        (60, 25, 15),
    )[0]
