"""What stands beside a `:` line while it is typed: how it goes on, what may come next, what is wrong."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mds_tui.finding.typed import Word, as_typed, words_of
from mds_tui.finding.values import NONE, Candidate, Known, Values, values_of
from mds_tui.finding.verbs import Argument, Verb, verbs
from mds_tui.format.cells import EMPTY, Cell, Ink, Span

_INSIDE_FROM = 2
"""Letters from which on a candidate is also found by its middle."""
_ALIKE = 60.0
"""Of 100, from which on a word is taken for a slip of another."""


class Assistance(NamedTuple):
    """For one state of the line."""

    usage: Cell = EMPTY
    """The command with its arguments, the one in hand lit."""
    about: str = ""
    """One sentence on the command."""
    candidates: tuple[Candidate, ...] = ()
    """What the word in hand could become, the likeliest first."""
    start: int = 0
    """Where in the line the word in hand begins."""
    problem: str = ""
    """The first thing that is wrong; a line that is only not finished has nothing wrong."""


def assist(line: str, known: Known, *, refusal: str = "") -> Assistance:
    """For a line without its `:`. `refusal` says why nothing dangerous can be done now; empty if it can."""
    words = words_of(line)
    hand = words[-1]
    if len(words) == 1:
        return _names(hand)
    verb = verbs().get(words[0].text)
    if verb is None:
        return Assistance(start=hand.start, problem=_no_command(words[0].text))
    read = _read(verb, [word.text for word in words[1:-1]])
    slot = _slot(verb, read, hand)
    offered, wrong = _offers(verb, read, slot, hand, known)
    problem = read.problem or _first_wrong(verb, read, known) or wrong
    if verb.dangerous and refusal:
        problem = refusal
    return Assistance(_usage(verb, read.given, slot), verb.about, offered, hand.start, problem)


def completed(line: str, start: int, candidate: Candidate) -> str:
    """The line with the word in hand replaced."""
    text = candidate.text
    return line[:start] + (text if text.startswith("--") else as_typed(text))


def suggestion(line: str, found: Assistance) -> str | None:
    """The line as it would go on with the first candidate that begins as the word in hand does."""
    begun = line[found.start :]
    if not begun:
        return None
    for candidate in found.candidates:
        whole = completed(line, found.start, candidate)
        if whole.startswith(line) and whole != line:
            return whole
    return None


class _Read(NamedTuple):
    """The complete words, as the registry would take them."""

    given: Mapping[str, Sequence[str]]
    left: tuple[Argument, ...]
    """Places that are not filled."""
    option: Argument | None
    """The option whose value comes next."""
    problem: str


def _names(hand: Word) -> Assistance:
    exact = verbs().get(hand.text)
    offered = _matching(hand.text, (Candidate(verb.name, verb.about) for verb in verbs().values()))
    problem = "" if offered else _no_command(hand.text)
    if exact is None:
        return Assistance(candidates=offered, start=hand.start, problem=problem)
    return Assistance(_usage(exact, {}, None), exact.about, offered, hand.start)


def _no_command(name: str) -> str:
    return f"there is no command {name!r}{_meant(name, verbs())}"


def _read(verb: Verb, words: Sequence[str]) -> _Read:
    options = {argument.name: argument for argument in verb.options}
    given: dict[str, list[str]] = {}
    left = list(verb.places)
    option: Argument | None = None
    problem = ""
    for word in words:
        if option is not None:
            given.setdefault(option.name, []).append(word)
            option = None
        elif verb.engines and word.startswith("--"):
            option = options.get(_field(word))
            if option is None and _field(word) != "by":
                near = _meant(word, [_dashed(name) for name in options])
                problem = problem or f"{verb.name} has no option {word}{near}"
        elif left:
            given.setdefault(left[0].name, []).append(word)
            if not left[0].many:
                left.pop(0)
        elif verb.engines:
            problem = problem or f"{word!r} is one word too many"
    return _Read(given, tuple(left), option, problem)


def _slot(verb: Verb, read: _Read, hand: Word) -> Argument | None:
    """The argument that the word in hand is for; None where it is an option's name."""
    if read.option is not None:
        return read.option
    if verb.engines and hand.text.startswith("-") and not hand.quoted:
        return None
    return read.left[0] if read.left else None


def _offers(
    verb: Verb, read: _Read, slot: Argument | None, hand: Word, known: Known
) -> tuple[tuple[Candidate, ...], str]:
    options = [
        Candidate(_dashed(argument.name), _describe(argument))
        for argument in verb.options
        if argument.name not in read.given and argument not in verb.places
    ]
    if slot is None:
        offered = _matching(hand.text, options)
        taken = hand.text and not offered and verb.engines
        problem = f"{hand.text!r} is one word too many" if taken else ""
        if taken and hand.text.startswith("-"):
            names = [option.text for option in options]
            problem = f"{verb.name} has no more option {hand.text!r}{_meant(hand.text, names)}"
        return offered, problem
    values = values_of(slot, verb, read.given, known)
    enough = read.option is None and (not slot.required or slot.name in read.given)
    more = options if enough and not hand.text else []
    offered = (*_matching(hand.text, values.candidates), *more)
    if not hand.text or (offered and values.closed):
        return offered, ""
    return offered, _wrong(slot, hand.text, values)


def _matching(begun: str, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Those that begin so, then those that have it inside."""
    sought = begun.casefold()
    first: list[Candidate] = []
    inside: list[Candidate] = []
    for one in candidates:
        text = one.text.casefold()
        if text.startswith(sought):
            first.append(one)
        elif len(begun) >= _INSIDE_FROM and sought in text:
            inside.append(one)
    return (*first, *inside)


def _first_wrong(verb: Verb, read: _Read, known: Known) -> str:
    arguments = {argument.name: argument for argument in (*verb.places, *verb.options)}
    before: dict[str, Sequence[str]] = {}
    for name, words in read.given.items():
        values = values_of(arguments[name], verb, before, known)
        for word in words:
            if verb.engines and (problem := _wrong(arguments[name], word, values)):
                return problem
        before[name] = words
    return ""


def _wrong(argument: Argument, word: str, values: Values) -> str:
    if argument.may_be_none and word.lower() == "none":
        return ""
    if argument.number:
        return _no_number(argument, word)
    names = [one.text for one in values.candidates if one.text != NONE.text]
    if not values.closed or word in names:
        return ""
    if argument.choices:
        alike = {name.casefold() for name in names} | ({"0", "1"} if "true" in names else set())
        asked = f"{_spoken(argument)} is {' or '.join(names)}, not {word!r}"
        return "" if word.casefold() in alike else asked
    return f"there is no {values.noun} {word!r}{_meant(word, names)}"


def _no_number(argument: Argument, word: str) -> str:
    try:
        int(word) if argument.whole else float(word)
    except ValueError:
        return f"{_spoken(argument)} is a {'whole ' if argument.whole else ''}number, not {word!r}"
    return ""


def _usage(verb: Verb, given: Mapping[str, Sequence[str]], slot: Argument | None) -> Cell:
    spans = [Span(verb.name, Ink.STRONG)]
    for argument in verb.places:
        name = argument.name.upper().replace("_S", " SECONDS").replace("_", " ")
        name = f"{name}…" if argument.many else name
        text = name if argument.required else f"[{name}]"
        spans += [Span(" "), Span(text, _ink(argument, given, slot))]
    for argument in verb.options:
        if argument not in verb.places:
            spans += [Span(" "), Span(f"[{_dashed(argument.name)}]", _ink(argument, given, slot))]
    return tuple(spans)


def _ink(argument: Argument, given: Mapping[str, Sequence[str]], slot: Argument | None) -> Ink:
    if argument == slot:
        return Ink.ACCENT
    return Ink.TEXT if argument.required and argument.name not in given else Ink.DIM


def _describe(argument: Argument) -> str:
    kinds = {"why": "the reason, for the log", "ttl_s": "seconds until it ends by itself"}
    about = kinds.get(argument.name, "")
    usual = f"{argument.default} unless you say otherwise" if argument.default else ""
    return "; ".join(part for part in (about, usual) if part)


def _spoken(argument: Argument) -> str:
    return argument.name.removesuffix("_s").replace("_", " ")


def _field(option: str) -> str:
    return option[2:].replace("-", "_")


def _dashed(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _meant(word: str, names: Iterable[str]) -> str:
    """`; did you mean …?`, where one is near enough."""
    # Only a mistake needs it.
    from rapidfuzz import process

    found = process.extractOne(word, list(names), score_cutoff=_ALIKE)
    return f"; did you mean {found[0]!r}?" if found else ""
