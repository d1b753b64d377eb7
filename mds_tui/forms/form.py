"""What a form is: questions with a few answers each, and the command that they make."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from mds_engine.control import Command, Snapshot

Values = Mapping[str, str]


class Option(NamedTuple):
    """One possible answer."""

    value: str
    label: str


class Field(NamedTuple):
    """One question."""

    name: str
    options: tuple[Option, ...]


class Form(Protocol):
    """One dialog."""

    title: str
    verb: str
    """On the button that does it."""
    names: tuple[str, ...]
    """Every field that it may ask, in order."""
    initial: Values

    def fields(self, values: Values, snapshot: Snapshot) -> tuple[Field, ...]:
        """What to ask, given the answers so far."""
        ...

    def command(self, values: Values, *, by: str, why: str) -> Command:
        """What the answers mean."""
        ...


HOLDS = (
    Option("900", "15 min"),
    Option("300", "5 min"),
    Option("3600", "1 h"),
    Option("", "until ended"),
)
"""Times to live of an override; the first is the default."""


def answers(form: Form, values: Values, snapshot: Snapshot) -> dict[str, str]:
    """Values with every field set to one of its options; what is not asked any more is dropped."""
    settled = dict(values)
    for _ in form.names:
        fields = form.fields(settled, snapshot)
        following = {
            field.name: settled[field.name]
            if any(option.value == settled.get(field.name) for option in field.options)
            else field.options[0].value
            for field in fields
            if field.options
        }
        if following == settled:
            break
        settled = following
    return settled
