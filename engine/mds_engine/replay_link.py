"""A recording behind an `EngineLink`: watched like an engine that is live, and played as one likes."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from mds_engine.control import Command, CommandResult, Event, Snapshot
from mds_engine.engine_thread import EngineThread
from mds_engine.recording.orders import Goal, Orders

if TYPE_CHECKING:
    from mds_engine.engine import Engine
    from mds_engine.recording.decoders import Opening
    from mds_engine.recording.mark import Mark
    from mds_engine.recording.reading import Recording
    from mds_engine.recording.replay import Replay
    from mds_engine.recording.survey import Survey
    from mds_engine.sources.contract import SourcePlugin

SPEEDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 0.0)
"""What `faster` and `slower` go through; 0 is as fast as possible."""
NOT_DONE = "not done: this is a recording; what happened in it cannot be changed"
"""The answer to every command."""
_END_WITHIN_S = 2.0


class Playback(NamedTuple):
    """How a replay stands."""

    name: str
    """Of the file or folder."""
    start: float
    end: float
    at: float
    """Epoch seconds UTC, all three."""
    rows: int
    """Frames, and what else is written between them, played so far."""
    speed: float
    """How many times as fast as it came, as ordered; 0 is as fast as possible."""
    pace: float
    """How many times as fast as it came over the last second or so; 0.0 while that is not known."""
    playing: bool
    ended: bool
    seeking: float | None
    """About where it is going, epoch seconds UTC; None while it is where it should be."""
    stretches: tuple[tuple[float, float], ...]
    """Where the recording is not silent."""
    marks: tuple["Mark", ...]
    """What a look through the whole file has found so far, oldest first."""
    surveyed: float
    """How much of the file that look has seen, up to 1.0."""

    @property
    def aim(self) -> float:
        """Where it will be in a moment: what "a second back" is reckoned from."""
        return self.at if self.seeking is None else self.seeking


class _Aim(NamedTuple):
    """Where it is going."""

    goal: Goal
    at: float
    """About when in the recording that is."""


class ReplayLink:
    """An `EngineLink` to a recording, with what plays it. Every method may be called from any thread.

    Going back means a new engine, which runs from the beginning to where it
    shall be as fast as it can: so it is what it would be had it been played to
    there. Commands are refused, all of them.
    """

    mode = "replay"

    def __init__(
        self,
        record: "Callable[[], Recording]",
        plugins: "Callable[[], Mapping[str, SourcePlugin]]",
        *,
        speed: float = 1.0,
        interval_s: float = 0.1,
    ) -> None:
        """`record` opens the recording and `plugins` gives the vendors: both are called in other threads."""
        self.era = 0
        self._record = record
        self._plugins = plugins
        self._interval_s = interval_s
        self._orders = Orders(speed=speed)
        self._lock = threading.Lock()
        self._opening: Opening | None = None
        self._replay: Replay | None = None
        self._survey: Survey | None = None
        self._surveying: threading.Thread | None = None
        self._name = ""
        self._last: Snapshot | None = None
        self._aim: _Aim | None = None
        self._winding: threading.Thread | None = None
        self._started = False
        self._closed = False
        self._runs = self._new()

    # --- As any link ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to read and to play; returns at once."""
        with self._lock:
            if not self._started and not self._closed:
                self._started = True
                self._runs.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """End everything and wait for it, at most `timeout_s`."""
        with self._lock:
            self._closed = True
            winding, surveying = self._winding, self._surveying
        for thread in (winding, surveying):
            if thread is not None:
                thread.join(timeout_s)
        if self._started:
            self._runs.end(timeout_s)

    def restart(self) -> str:
        """Begin anew and go to where it was, where the engine has died; returns at once."""
        with self._lock:
            if not self._started or self._closed:
                return "the replay was not started"
        replay = self._replay
        goal, at = (
            (Goal(rows=0), 0.0) if replay is None else (Goal(rows=replay.conductor.rows), replay.conductor.at)
        )
        self._wind_back(self._aim or _Aim(goal, at))
        return "the recording is played anew up to here"

    def whereabouts(self) -> str:
        """Where in its code the engine is now, for when it does not answer."""
        return self._runs.whereabouts()

    def snapshot(self) -> Snapshot | None:
        """The latest picture; while it goes somewhere, what it passes."""
        self._arrive()
        snapshot = self._runs.snapshot
        if snapshot is not None:
            self._last = snapshot
        return self._last

    def events(self, after: int) -> tuple[Event, ...]:
        """Events with a number above `after`, oldest first; none while it goes somewhere.

        When it is there, `era` is another, and the events up to that time are counted anew.
        """
        with self._lock:
            return () if self._aim is not None else self._runs.events(after)

    def send(self, command: Command) -> "Future[CommandResult]":  # noqa: ARG002 - all of them
        """Refuse it."""
        answer: Future[CommandResult] = Future()
        answer.set_result(CommandResult(accepted=False, message=NOT_DONE))
        return answer

    def failure(self) -> str | None:
        """Why nothing is played, in one sentence; None while all is well."""
        winding = self._winding
        return None if winding is not None and winding.is_alive() else self._runs.failure

    # --- What plays it --------------------------------------------------------------------------------

    def playback(self) -> Playback | None:
        """How it stands; None before the recording has been opened."""
        self._arrive()
        opening, replay, survey, aim = self._opening, self._replay, self._survey, self._aim
        if opening is None or replay is None:
            return None
        extent, conductor = opening.extent, replay.conductor
        at = conductor.at
        ended = conductor.ended.is_set()
        return Playback(
            name=self._name,
            start=extent.first_ns / 1e9,
            end=extent.last_ns / 1e9,
            at=at,
            rows=conductor.rows,
            speed=self._orders.speed,
            pace=conductor.pace,
            playing=self._orders.playing and not ended,
            ended=ended,
            seeking=None if aim is None else aim.at,
            stretches=extent.stretches,
            marks=() if survey is None else survey.marks,
            surveyed=0.0 if survey is None else survey.share,
        )

    def play(self) -> None:
        """Go on; from the beginning where it has ended."""
        state = self.playback()
        if state is not None and state.ended:
            self.seek(state.start)
        self._orders.playing = True

    def pause(self) -> None:
        """Stand still."""
        self._orders.playing = False

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as it came; 0 is as fast as possible."""
        self._orders.speed = speed

    def faster(self) -> None:
        """The next speed of the ladder."""
        now = self._orders.speed
        self.set_speed(now and next((speed for speed in SPEEDS if speed > now), 0.0))

    def slower(self) -> None:
        """The speed before in the ladder."""
        now = self._orders.speed or float("inf")
        self.set_speed(max((speed for speed in SPEEDS if 0 < speed < now), default=SPEEDS[0]))

    def step(self, rows: int) -> None:
        """Stand still that many frames further on; with a number below 0, further back.

        While it goes to a time, it only stands still when it is there.
        """
        self.pause()
        state, aim = self.playback(), self._aim
        if state is None or (aim is not None and aim.goal.rows is None):
            return
        now = state.rows if aim is None else aim.goal.rows or 0
        at = state.at if aim is None else aim.at
        self._go(_Aim(Goal(rows=max(0, now + rows)), at), back=now + rows < state.rows)

    def seek(self, at: float) -> None:
        """Go to a time, epoch seconds UTC, as fast as possible; then go on as before.

        Beyond either end it goes to that end; into a silence that is passed over, to its end.
        """
        state = self.playback()
        if state is not None:
            at = max(at, state.start)
            self._go(_Aim(Goal(at=at), at), back=at < state.at)

    # --- Inside ---------------------------------------------------------------------------------------

    def _go(self, aim: _Aim, *, back: bool) -> None:
        if back:
            self._wind_back(aim)
            return
        with self._lock:
            self._aim = aim
        self._orders.go_to(aim.goal)

    def _arrive(self) -> None:
        """Once it is where it should be, its events are those up to there."""
        with self._lock:
            if self._aim is not None and self._orders.goal is None and not self._is_winding():
                self._aim = None
                self.era += 1

    def _is_winding(self) -> bool:
        return self._winding is not None and self._winding.is_alive()

    def _wind_back(self, aim: _Aim) -> None:
        with self._lock:
            if self._closed:
                return
            self._aim = aim
            self._orders.go_to(aim.goal)
            if not self._is_winding():
                self._winding = threading.Thread(
                    target=self._begin_anew, name="mds-replay winding back", daemon=True
                )
                self._winding.start()

    def _begin_anew(self) -> None:
        runs = self._runs
        runs.end(_END_WITHIN_S) or runs.interrupt(_END_WITHIN_S)
        with self._lock:
            if not self._closed:
                # What the old one reached on its way out was not the goal.
                if self._aim is not None:
                    self._orders.go_to(self._aim.goal)
                self._runs = self._new()
                self._runs.start()

    def _new(self) -> EngineThread:
        return EngineThread(self._build, interval_s=self._interval_s, beside=self._conduct)

    def _build(self) -> "Engine":
        # In the engine's thread: the screen is there before anything of this is imported.
        from mds_engine.recording.decoders import look_into
        from mds_engine.recording.replay import Replay
        from mds_engine.replaying import engine_of

        recording, plugins = self._record(), self._plugins()
        first = self._opening is None
        opening = self._opening or look_into(recording, plugins)
        self._name = recording.path.name
        replay = Replay(recording, plugins, self._orders, opening=opening)
        self._opening, self._replay = opening, replay
        if first:
            self._begin_survey(plugins, opening)
        return engine_of(replay)

    async def _conduct(self, _engine: "Engine") -> None:
        replay = self._replay
        assert replay is not None
        await replay.conductor.run()

    def _begin_survey(self, plugins: "Mapping[str, SourcePlugin]", opening: "Opening") -> None:
        from mds_engine.recording.survey import Surveyor

        def found(survey: "Survey") -> None:
            self._survey = survey

        surveyor = Surveyor(self._record(), plugins, opening.extent, found, wanted=lambda: not self._closed)
        self._surveying = threading.Thread(target=surveyor.run, name="mds-replay survey", daemon=True)
        self._surveying.start()
