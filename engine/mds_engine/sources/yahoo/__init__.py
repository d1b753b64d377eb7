"""Yahoo Finance: quotes and bars through yfinance, ticks from the streamer."""

from mds_engine.sources.contract import FrameDecoder, Source, SourceContext, SourcePlugin
from mds_engine.sources.yahoo.decoders import DECODERS
from mds_engine.sources.yahoo.settings import YahooSettings


def _create(settings: YahooSettings, context: SourceContext) -> Source:
    from mds_engine.sources.yahoo.rest import create

    return create(settings, context)


def _frames(source: str) -> FrameDecoder:
    from mds_engine.sources.yahoo.frames import YahooFrames

    return YahooFrames(source)


plugin = SourcePlugin(
    kind="yahoo",
    title="Yahoo Finance",
    settings=YahooSettings,
    create=_create,
    decoders=DECODERS,
    frame_decoder=_frames,
)
