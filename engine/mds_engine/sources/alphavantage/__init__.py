"""Alpha Vantage: quotes and bars over HTTP, failures in the bodies of 200s."""

from mds_engine.sources.alphavantage.decoders import DECODERS
from mds_engine.sources.alphavantage.settings import AlphaVantageSettings
from mds_engine.sources.contract import Source, SourceContext, SourcePlugin


def _create(settings: AlphaVantageSettings, context: SourceContext) -> Source:
    from mds_engine.sources.alphavantage.rest import create

    return create(settings, context)


plugin = SourcePlugin(
    kind="alphavantage",
    title="Alpha Vantage",
    settings=AlphaVantageSettings,
    create=_create,
    needs_key=True,
    quota_zone="America/New_York",
    decoders=DECODERS,
)
