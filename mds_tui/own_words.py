"""Words of the `:` line that are the console's own: the engine hears nothing of them."""

from typing import NamedTuple


class OwnWord(NamedTuple):
    """One word, as help tells it."""

    name: str
    arguments: str
    about: str


OWN_WORDS = (
    OwnWord(
        "export",
        "file",
        "Write the rows of the focused pane, filtered and sorted as they are, to FILE.csv or FILE.json; "
        "without a name, to both in the state folder.",
    ),
)


def is_own_word(line: str) -> bool:
    """Whether a line begins with one of them."""
    return line.partition(" ")[0] in {word.name for word in OWN_WORDS}
