"""The stories of this world as typed data, read from stories.yaml: the format of all worlds with this one's ways to pay.

Must not play them. Invariant: an unknown word anywhere in the file is an error.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from sandbox.worlds import book

FILE = Path(__file__).with_name("stories.yaml")


class StoryPayer(book.StoryPayer):
    """The client as the org knows them."""

    country: Literal["GB", "IE"]


class StoryClaim(book.StoryClaim):
    """What the client pays every month."""

    processor: Literal["Direct Debit", "Card", "Bank Transfer"]


class Story(book.Story):
    """One client's story."""

    payer: StoryPayer
    claims: Annotated[tuple[StoryClaim, ...], Field(min_length=1)]


class Book(book.Book):
    """All stories, and the stretch of time they need."""

    stories: tuple[Story, ...]


@cache
def read_book() -> Book:
    """Read stories.yaml. Raises pydantic.ValidationError naming every word that does not belong."""
    return book.read(FILE, Book)
