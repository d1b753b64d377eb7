"""Yahoo Finance: quotes and bars through yfinance, ticks from the streamer."""

from mds_engine.sources.contract import Source, SourceContext, SourcePlugin
from mds_engine.sources.yahoo.decoders import DECODERS
from mds_engine.sources.yahoo.settings import YahooSettings


def _create(settings: YahooSettings, context: SourceContext) -> Source:
    from mds_engine.sources.yahoo.rest import create

    return create(settings, context)


plugin = SourcePlugin(
    kind="yahoo",
    title="Yahoo Finance",
    settings=YahooSettings,
    create=_create,
    decoders=DECODERS,
)
