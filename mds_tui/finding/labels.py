"""Labels of one or two letters, none the beginning of another. Pure."""

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""The easiest to reach first."""
MOST = len(LETTERS) ** 2


def labels(count: int) -> list[str]:
    """As many labels as asked for, the shortest and easiest first; never more than MOST."""
    count = min(count, MOST)
    size = len(LETTERS)
    # Each letter that begins a label of two is none of its own.
    begins = next(number for number in range(size + 1) if size - number + number * size >= count)
    short = list(LETTERS[: size - begins])
    long = [first + second for first in LETTERS[size - begins :] for second in LETTERS]
    return [*short, *long][:count]
