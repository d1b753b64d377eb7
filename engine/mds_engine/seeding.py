"""A first quote on the board for what is newly watched: ticks may lack a previous close."""

from mds_engine.asking import Asking
from mds_engine.clock import Clock
from mds_engine.errors import MdsError
from mds_engine.log import get_logger
from mds_engine.model import Instrument
from mds_engine.streams.board import Board
from mds_engine.upkeep import Own

_log = get_logger(__name__)


class Seeding:
    """Asks for it as any caller does, beside all else."""

    def __init__(self, asking: Asking, board: Board, clock: Clock, own: Own) -> None:
        self._asking = asking
        self._board = board
        self._clock = clock
        self._own = own

    def seed(self, instruments: tuple[Instrument, ...]) -> None:
        """Begin to ask for these; returns at once."""
        if instruments:
            self._own(self._seed(instruments), "seed the board")

    async def _seed(self, instruments: tuple[Instrument, ...]) -> None:
        try:
            found = await self._asking.quotes(instruments, None, None)
        except MdsError as error:
            _log.info("board_not_seeded", why=str(error))
            return
        now = self._clock.now()
        for quote in found.values():
            self._board.seed(quote, now)
