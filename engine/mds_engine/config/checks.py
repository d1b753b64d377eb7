"""What only shows when the parts of a configuration are seen together."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from mds_engine.config.build import Report
from mds_engine.config.positions import Path
from mds_engine.config.problems import did_you_mean
from mds_engine.config.schema import ConsoleSettings, ExchangeSettings, RouteSettings
from mds_engine.config.source_settings import SourceSettings
from mds_engine.errors import InvalidRequest
from mds_engine.model import Capability, Instrument

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


def check_source(name: str, settings: SourceSettings, report: Report) -> None:
    """A source's name, base URLs and costs."""
    path = ("sources", name)
    if not _NAME.match(name):
        report(path, f'"{name}" cannot be a source\'s name; use letters, digits, ".", "_" and "-"')
    _check_urls(settings.endpoints, ("http", "https"), (*path, "endpoints"), report)
    _check_urls(settings.stream_endpoints, ("ws", "wss"), (*path, "stream_endpoints"), report)
    for field in ("cost_per_call", "cost_per_month"):
        text = getattr(settings, field)
        try:
            amount = Decimal(text)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or amount < 0:
            report((*path, field), f'"{text}" is not an amount; write decimal text, as "0.005"')
    if not _CURRENCY.match(settings.currency):
        report(
            (*path, "currency"), f'"{settings.currency}" is not a currency; write three capitals, as "INR"'
        )


def _check_urls(urls: Iterable[str], schemes: tuple[str, ...], path: Path, report: Report) -> None:
    for index, url in enumerate(urls):
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname:
            report((*path, str(index)), f'"{url}" is not a base URL; write {schemes[-1]}://host[:port]')


def check_route_names(exchanges: Mapping[str, object], report: Report) -> None:
    """Exchanges as they were written, before their case is folded."""
    for name in exchanges:
        if "/" in name:
            exchange, _, capability = name.partition("/")
            report(("routes", name), f"write [routes.{exchange}.{capability}]")


def check_routes(
    exchanges: Mapping[str, ExchangeSettings],
    names: Iterable[str],
    written: Mapping[str, str],
    report: Report,
) -> None:
    """Every source that a route names is there, once. `written` has the exchanges as the file spells them."""
    known = list(names)
    for exchange, settings in exchanges.items():
        path = ("routes", written[exchange])
        _check_order(settings, known, path, report)
        for capability in Capability:
            own: RouteSettings | None = getattr(settings, capability.value)
            if own is not None:
                _check_order(own, known, (*path, capability.value), report)


def _check_order(
    route: ExchangeSettings | RouteSettings, known: list[str], path: Path, report: Report
) -> None:
    if route.sources is None:
        return
    path = (*path, "sources")
    if not route.sources:
        report(path, "names no source; leave it out to use all by priority")
    for index, name in enumerate(route.sources):
        if name not in known:
            report((*path, str(index)), f'there is no source "{name}"{did_you_mean(name, known)}')
        elif name in route.sources[:index]:
            report((*path, str(index)), f'names "{name}" twice')


def check_console(console: ConsoleSettings, report: Report) -> None:
    """Instruments to watch can be read."""
    for index, text in enumerate(console.watch):
        try:
            Instrument.parse(text)
        except InvalidRequest as error:
            report(("console", "watch", str(index)), str(error))
