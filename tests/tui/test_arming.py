"""A read-only console that acts for a while: the switch by itself, then through the real keys."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from mds_engine.control.commands import FailOver
from mds_engine.secret import Secret

from mds_tui.arming import Arming
from mds_tui.screens.arming import ArmDialog
from mds_tui.screens.dialog import Dialog

SIZE = (120, 40)
TOKEN = "s3same"


class ArmingMachine(RuleBasedStateMachine):
    """Against a model: the time at which it ends, and whether that was told."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.ends: float | None = None

    @initialize(read_only=st.booleans(), token=st.sampled_from(["", TOKEN]))
    def begin(self, read_only: bool, token: str) -> None:
        self.read_only, self.token = read_only, token
        self.arming = Arming(read_only=read_only, token=Secret(token))

    @rule(
        for_s=st.sampled_from([1.0, 300.0, 900.0]), typed=st.sampled_from(["", TOKEN, "S3same", "s3sam", "ü"])
    )
    def arm(self, for_s: float, typed: str) -> None:
        right = not self.token or typed == self.token
        assert self.arming.arm(for_s, self.now, typed) is right
        if right and self.read_only:
            self.ends = self.now + for_s

    @rule()
    def disarm(self) -> None:
        self.arming.disarm()
        self.ends = None

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 299.0, 901.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def look(self) -> None:
        over = self.ends is not None and self.now >= self.ends
        assert self.arming.ran_out(self.now) is over, "told once, and only of an end that came by itself"
        if over:
            self.ends = None

    @invariant()
    def acts_only_while_it_may(self) -> None:
        if not hasattr(self, "arming"):
            return
        armed = self.ends is not None and self.now < self.ends
        assert self.arming.may_act(self.now) is (armed or not self.read_only)
        left_s = self.arming.left_s(self.now)
        assert (left_s is not None) is armed
        assert left_s is None or 0 < left_s == self.ends - self.now


TestArming = ArmingMachine.TestCase


def _told(app) -> str:
    return " / ".join(f"{one.title}: {one.message}" for one in app._notifications)


async def _arm(app, pilot, *keys: str) -> None:
    await pilot.pause()
    await pilot.press("W")
    await pilot.pause()
    assert isinstance(app.screen, ArmDialog)
    assert app.focused.id == "cancel"
    app.screen.query_one("#choice-for").focus()
    await pilot.pause()
    await pilot.press(*keys)
    app.screen.query_one("#do").focus()
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


async def test_arming_lets_keys_act_for_a_while_and_ends_by_itself(console, link, times, read_screen) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        assert app.desk.check_action("act", ("fail-over",)) is None
        await _arm(app, pilot)
        assert "for 15 min" in _told(app)
        app.beat()
        await pilot.pause()
        assert "ARMED 15:00" in read_screen(app)
        await pilot.press("2", "F")
        await pilot.pause()
        app.screen.query_one("#do").focus()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert link.sent == [FailOver(route="NSE/quote", by="asha")]
        times.monotonic += 899.0
        app.beat()
        assert app.may_act
        times.monotonic += 1.5
        assert not app.may_act, "also before the console has said so"
        app.beat()
        await pilot.pause()
        assert "disarmed: the time is over: read-only again" in _told(app)
        assert "ARMED" not in read_screen(app)
        assert "read-only" in read_screen(app)
        assert app.desk.check_action("act", ("fail-over",)) is None
        await pilot.press("F")
        assert app.screen is app.desk


async def test_another_time_may_be_chosen_and_w_again_disarms_at_once(console, times) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await _arm(app, pilot, "right")
        times.monotonic += 299.0
        assert app.may_act
        await pilot.press("W")
        await pilot.pause()
        assert app.screen is app.desk
        assert not app.may_act
        assert "disarmed: read-only again" in _told(app)


async def test_cancel_and_escape_arm_nothing(console) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        for key in ("enter", "escape"):
            await pilot.pause()
            await pilot.press("W")
            await pilot.pause()
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is app.desk
            assert not app.may_act


async def test_the_dialog_says_what_becomes_possible(console, read_screen) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.press("W")
        await pilot.pause()
        words = read_screen(app)
        assert "For 15 minutes, what changes something works on desk-in" in words
        assert "logged as asha" in words


async def test_a_token_is_asked_for_where_one_is_set(console, read_screen) -> None:
    app = console(read_only=True, arming_token=Secret(TOKEN))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await _arm(app, pilot)
        assert isinstance(app.screen, ArmDialog), "no token is a wrong one"
        assert app.focused.id == "token"
        assert "That token is wrong." in read_screen(app)
        await pilot.press(*TOKEN)
        assert TOKEN not in read_screen(app)
        app.screen.query_one("#do").focus()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is app.desk
        assert app.may_act


async def test_wrong_tokens_close_the_dialog(console) -> None:
    app = console(read_only=True, arming_token=Secret(TOKEN))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await _arm(app, pilot)
        for _ in range(2):
            await pilot.press(*"guess")
            app.screen.query_one("#do").focus()
            await pilot.pause()
            await pilot.press("enter")
            await pilot.pause()
        assert app.screen is app.desk
        assert not app.may_act
        assert "wrong token: not armed" in _told(app)


async def test_a_dialog_that_was_opened_in_time_does_nothing_after_it(console, link, times) -> None:
    app = console(read_only=True)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await _arm(app, pilot)
        await pilot.press("2", "F")
        await pilot.pause()
        assert isinstance(app.screen, Dialog)
        times.monotonic += 901.0
        app.screen.query_one("#do").focus()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert link.sent == []
        assert "the console is read-only; W arms it" in _told(app)


async def test_where_nothing_is_read_only_there_is_nothing_to_arm(console) -> None:
    app = console()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        assert app.desk.check_action("tool", ("arm",)) is False
        await pilot.press("W")
        assert app.screen is app.desk
        await pilot.press("colon", *"arm", "enter")
        await pilot.pause()
        assert "it may act already" in _told(app)
