"""Yahoo Finance: quotes and bars through yfinance, ticks from the streamer."""

from mds_engine.sources.contract import SourcePlugin
from mds_engine.sources.yahoo.decoders import DECODERS
from mds_engine.sources.yahoo.rest import create
from mds_engine.sources.yahoo.settings import YahooSettings

plugin = SourcePlugin(
    kind="yahoo",
    title="Yahoo Finance",
    settings=YahooSettings,
    create=create,
    decoders=DECODERS,
)
