"""The verbs of a command group, each imported when it is first asked for."""

import importlib
from collections.abc import Iterator, Mapping, MutableMapping

import click


class ImportedVerbs(MutableMapping[str, click.Command]):
    """Commands by name: each is what its module calls so. The names alone cost no import."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._verbs: dict[str, str | click.Command] = dict(modules)

    def __getitem__(self, name: str) -> click.Command:
        verb = self._verbs[name]
        if isinstance(verb, str):
            verb = self._verbs[name] = getattr(importlib.import_module(verb), name)
            assert isinstance(verb, click.Command)
        return verb

    def __setitem__(self, name: str, verb: click.Command) -> None:
        self._verbs[name] = verb

    def __delitem__(self, name: str) -> None:
        del self._verbs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._verbs)

    def __len__(self) -> int:
        return len(self._verbs)
