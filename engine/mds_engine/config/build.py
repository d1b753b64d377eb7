"""Tables to structs, field by field, so that all that is wrong is found in one go."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

import msgspec

from mds_engine.config.positions import Path
from mds_engine.config.problems import did_you_mean
from mds_engine.config.secret import Secret

_StructT = TypeVar("_StructT", bound=msgspec.Struct)

Report = Callable[[Path, str], None]
"""Takes the place of a key and what is wrong with it."""

_WORDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}


def build(
    wanted: type[_StructT], table: Any, path: Path, report: Report, from_text: frozenset[Path]
) -> _StructT | None:
    """The struct of a table; None if anything was wrong, which was then reported.

    `from_text` are the places whose values came from the environment, where
    everything is text: there "5" is a number.
    """
    if not isinstance(table, Mapping):
        report(path, f"expected a table, got {_kind(table)}")
        return None
    fields = {field.name: field for field in msgspec.structs.fields(wanted)}
    values: dict[str, Any] = {}
    sound = True
    for key, value in table.items():
        if key not in fields:
            report((*path, key), f'there is no setting "{key}"{did_you_mean(key, fields)}')
            sound = False
            continue
        converted = _value(fields[key].type, value, (*path, key), report, from_text)
        if converted is _WRONG:
            sound = False
        else:
            values[key] = converted
    for name in (name for name, field in fields.items() if field.required and name not in table):
        report(path, f'"{name}" is missing')
        sound = False
    if not sound:
        return None
    try:
        return wanted(**values)
    except ValueError as error:
        _report_each(wanted, values, path, report, error)
        return None


def _report_each(
    wanted: type[msgspec.Struct], values: dict[str, Any], path: Path, report: Report, error: ValueError
) -> None:
    """A struct names the first value that it refuses: those that are wrong by themselves are all told."""
    told = False
    needed = {field.name for field in msgspec.structs.fields(wanted) if field.required}
    for name, value in values.items():
        try:
            wanted(**{key: values[key] for key in needed}, **({} if name in needed else {name: value}))
        except ValueError as alone:
            report((*path, name), str(alone))
            told = True
    if not told:
        named = next((name for name in re.findall(r"\w+", str(error)) if name in values), None)
        report((*path, named) if named else path, str(error))


_WRONG: Any = object()

_SPELLINGS = {"yes": True, "on": True, "no": False, "off": False}
"""How people write true and false in an environment, besides those words and 1 and 0."""


def _value(wanted: Any, value: Any, path: Path, report: Report, from_text: frozenset[Path]) -> Any:
    struct = _struct_in(wanted)
    if struct is not None:
        built = build(struct, value, path, report, from_text)
        return _WRONG if built is None else built
    # An item of a list may be the text that came from outside, as well as the whole.
    strict = not any(place[: len(path)] == path for place in from_text)
    if not strict and bool in (wanted, *get_args(wanted)) and isinstance(value, str):
        value = _SPELLINGS.get(value.strip().lower(), value)
    try:
        converted = msgspec.convert(value, wanted, strict=strict, dec_hook=_decode)
    except msgspec.ValidationError as error:
        secret = wanted is Secret or Secret in get_args(wanted)
        report(path, plain(str(error), value, wanted, secret=secret))
        return _WRONG
    if isinstance(converted, float) and not math.isfinite(converted):
        report(path, f"expected a finite number, got {converted}")
        return _WRONG
    return converted


def _struct_in(wanted: Any) -> type[msgspec.Struct] | None:
    for candidate in (wanted, *get_args(wanted)):
        if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
            return candidate
    return None


def _decode(wanted: type, value: Any) -> Any:
    if wanted is Secret and isinstance(value, str):
        return Secret(value)
    if wanted is Secret:
        raise ValueError("expected text")
    raise NotImplementedError(f"no setting is of type {wanted.__name__}")


def plain(message: str, value: Any, wanted: Any, *, secret: bool) -> str:
    """msgspec's words for people who never heard of it."""
    message, _, place = message.partition(" - at ")
    message = re.sub(
        r"`(\w+(?: \| \w+)*)`",
        lambda match: " or ".join(_WORDS.get(word, word) for word in match[1].split(" | ") if word != "null"),
        message,
    )
    message = message.replace("Invalid enum value", "there is no choice")
    choices = [str(choice) for part in (wanted, *get_args(wanted)) for choice in _literals(part)]
    if choices:
        message += f"; known are {', '.join(choices)}"
    elif not secret and isinstance(value, (str, int, float)):
        message += f" ({value!r})" if "got" in message else f", got {value!r}"
    index = re.search(r"\[(\d+)\]", place)
    if index:
        message += f" at item {int(index[1]) + 1}"
    return message[:1].lower() + message[1:]


def _literals(part: Any) -> tuple[Any, ...]:
    arguments = get_args(part)
    return arguments if arguments and all(isinstance(argument, str) for argument in arguments) else ()


def _kind(value: Any) -> str:
    names = {bool: "true or false", str: "text", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "something else")
