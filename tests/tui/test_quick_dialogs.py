"""What makes dialogs quick: a key pressed again, a digit from anywhere, a word on answers out of sight."""

from mds_engine.control.commands import FailOver, Pin, SetRateLimit

from mds_tui.forms.form import Option
from mds_tui.widgets.choice import Choice

SIZE = (120, 40)


def _text(choice: Choice) -> str:
    return "".join(segment.text for segment in choice.render_line(0)).rstrip()


async def test_its_key_again_forces_and_once_more_fails_over(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("2", "g", "F")
        first = app.screen.answer()
        await pilot.press("F")
        other = app.screen.answer()
        assert {type(first), type(other)} == {FailOver, Pin}
        await pilot.press("F")
        assert type(app.screen.answer()) is type(first)
        await pilot.press("up", "F")
        assert app.screen.reason == "F", "a reason may have one"
    assert link.sent == []


async def test_a_digit_is_the_limit_wherever_the_focus_is_but_in_the_reason(console, link) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("1", "g", "M", "7", "1")
        assert app.focused.id == "figure-limit"
        asked = app.screen.answer()
        assert isinstance(asked, SetRateLimit)
        assert asked.limit == 71
        await pilot.press("down", "9")
        assert app.screen.reason == "9"
        assert app.screen.answer().limit == 71


async def test_a_choice_says_that_there_are_answers_out_of_sight(console) -> None:
    app = console()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("1", "g", "D")
        await pilot.pause()
        choice = app.screen.query_one("#choice-drill", Choice)
        assert _text(choice).endswith("…")
        assert "…[" not in _text(choice)
        last = choice.options[-1]
        choice.show(choice.options, last.value)
        assert f"[{last.label}]" in _text(choice)
        assert not _text(choice).endswith("…")
        assert _text(choice).split()[1].startswith("…")
        all_in_sight = (Option("a", "one"), Option("b", "two"))
        choice.show(all_in_sight, "a")
        assert "…" not in _text(choice)
