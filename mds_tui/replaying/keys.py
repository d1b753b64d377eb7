"""The keys that a desk has on a recording only."""

from textual.binding import Binding, BindingType

REPLAY_BINDINGS: list[BindingType] = [
    Binding("space", "play", "play/pause", id="replay.play"),
    Binding("full_stop", "step(1)", "step", id="replay.step"),
    Binding("comma", "step(-1)", "step back", id="replay.step-back"),
    Binding("less_than_sign", "speed(-1)", "slower", id="replay.slower"),
    Binding("greater_than_sign", "speed(1)", "faster", id="replay.faster"),
    Binding("left_square_bracket", "mark(-1)", "event before", id="replay.event-before"),
    Binding("right_square_bracket", "mark(1)", "next event", id="replay.next-event"),
    Binding("left_curly_bracket", "jump(-1)", "a second back", show=False, id="replay.second-back"),
    Binding("right_curly_bracket", "jump(1)", "a second on", show=False, id="replay.second-on"),
]
REPLAY_IMPORTANCE = (
    "app.explain",
    "app.quit",
    "app.restart_engine",
    *(binding.action for binding in REPLAY_BINDINGS if isinstance(binding, Binding)),
    "prompt(':')",
    "prompt('/')",
    "go",
    "open",
    "zoom",
)
"""For the footer: what is left out last comes first; what would act comes last."""
