"""Whatever faults stand on a stream: only dropped frames are lost, and only copied ones come twice."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from mds_engine.simulator.faults import Fault, FaultBoard, FaultKind
from mds_engine.simulator.frame_faults import FrameFaults
from mds_engine.simulator.push_log import Push, PushLog, Told

FAULTS = st.builds(
    Fault,
    kind=st.sampled_from((FaultKind.DROPPED_FRAMES, FaultKind.DUPLICATE_FRAMES, FaultKind.REORDERED_FRAMES)),
    probability=st.sampled_from((0.3, 1.0)),
    first=st.sampled_from((None, 1, 3)),
    delay_s=st.sampled_from((0.0, 2.0)),
    instrument=st.sampled_from(("", "X:ONE", "X:TWO")),
)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(("X:ONE", "X:TWO")),
            FAULTS,
            st.just("release"),
            st.just("clear"),
        ),
        max_size=60,
    )
)
def test_every_frame_is_sent_as_often_as_the_faults_say(steps: list[Fault | str]) -> None:
    board = FaultBoard(1, lambda: 0.0)
    stream = FrameFaults(board, "v", 0, "/", 1)
    sent: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    for number, step in enumerate(steps):
        if isinstance(step, Fault):
            board.inject("v", step)
        elif step == "clear":
            board.clear("v")
        elif step == "release":
            sent.update(due.frame for due in stream.release())
        else:
            frame = f"{step} {number}"
            before = {active.id: active.hits for active in board}
            if not stream.drops({step}):
                sent.update(due.frame for due in stream.pass_on(frame, {step}))
                expected[frame] += 1
            for active in board:
                hit = active.hits - before[active.id]
                assert hit == 0 or active.fault.instrument in ("", step)
                assert active.fault.first is None or active.hits <= active.fault.first
                if active.fault.kind is FaultKind.DUPLICATE_FRAMES:
                    expected[frame] += hit
        # At most one frame waits for the following one.
        assert (expected - sent).total() <= 1
    sent.update(due.frame for due in stream.release())
    assert sent == expected


def test_the_log_keeps_the_newest_and_counts_all() -> None:
    log = PushLog(kept=2)
    for number in range(5):
        log.note(Push(float(number), 1 + number % 2, Told("X:ONE", "trade", number=number), number != 1))
    assert [push.told.number for push in log.entries()] == [3, 4]
    assert (log.total, log.withheld) == (5, 1)
    assert [push.told.number for push in log.entries(stream=2)] == [3]
    assert [push.told.number for push in log.entries(start=4.0)] == [4]
    assert [push.told.number for push in log.entries(end=4.0)] == [3]
    assert log.entries(instrument="X:TWO") == log.entries(kind="quote") == []
