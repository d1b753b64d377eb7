"""By which credentials a source goes: those of the configuration, or a login that was kept."""

import pytest
from mds_engine.control import events
from mds_engine.errors import InvalidPayload
from mds_engine.secret import Secret
from mds_engine.store.credentials import fingerprint

from tests.engine.broker_desk import BrokersSource, Desk, KeyedSettings, really
from tests.engine.india import wall


def after_a_restart(tmp_path, *, configured: str, then: str, begin: str, app: str = "app"):
    """Log in on Friday morning with `configured` in the file; start again at `begin` with `then` in it.

    Returns the token that is gone by, and what is known of it."""
    file = tmp_path / "desk.credentials.json"

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30", file=file, token=Secret(configured))
        await desk.logins.connect(desk.runtime)
        assert "kept in" in await desk.logins.log_in(desk.runtime, Secret("friday"))
        broker = desk.broker

        again = Desk(virtual, begin, file=file, broker=broker, token=Secret(then), app=Secret(app))
        await again.logins.connect(again.runtime)
        return again.token, again.logins.view(again.runtime)

    return really(scene)


@pytest.mark.parametrize(
    ("configured", "then", "used"),
    [
        ("", "", "for friday"),
        ("thursday's", "thursday's", "for friday"),  # the file is older than the login
        ("", "written since", "written since"),  # the file is newer than the login
        ("thursday's", "written since", "written since"),
        ("thursday's", "", "for friday"),
        ("thursday's", "for friday", "for friday"),  # somebody wrote the new one into the file
    ],
)
def test_the_newer_of_the_configuration_and_the_kept_login_is_used(tmp_path, configured, then, used) -> None:
    token, view = after_a_restart(tmp_path, configured=configured, then=then, begin="2026-11-20T12:00")
    assert token == used
    known = wall("2026-11-21T06:00") if used == "for friday" else None
    assert view.valid_until == known


def test_a_kept_login_that_has_ended_is_not_used_and_what_it_replaced_is_known_to_be_older(tmp_path) -> None:
    token, view = after_a_restart(
        tmp_path, configured="thursday's", then="thursday's", begin="2026-11-23T07:00"
    )
    assert token == "thursday's"
    assert view.valid_until == wall("2026-11-21T06:00"), "and that is over"


def test_a_login_of_another_account_is_left_alone(tmp_path) -> None:
    token, _ = after_a_restart(tmp_path, configured="", then="", begin="2026-11-20T12:00", app="another")
    assert token == ""


def test_a_login_of_another_process_is_taken_up_while_the_engine_runs(tmp_path) -> None:
    file = tmp_path / "desk.credentials.json"

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30", file=file)
        await desk.logins.connect(desk.runtime)
        await desk.pass_until("2026-11-20T08:31")
        before = set(desk.runtime.blocks)

        verb = Desk(virtual, "2026-11-20T08:30", file=file, broker=desk.broker)
        await verb.logins.log_in(verb.runtime, Secret("verb"))
        desk.broker.clock = desk.clock
        await desk.pass_until("2026-11-20T08:33")
        done = [event for event in desk.events if isinstance(event, events.LoggedIn)]
        return before, desk.token, set(desk.runtime.blocks), [event.kept for event in done]

    assert really(scene) == ({"login"}, "for verb", set(), ["by another process"])


def test_an_older_login_is_not_taken_up_because_another_source_has_a_new_one(tmp_path) -> None:
    file = tmp_path / "desk.credentials.json"

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30", file=file)
        await desk.logins.log_in(desk.runtime, Secret("friday"))

        again = Desk(virtual, "2026-11-20T09:00", file=file, broker=desk.broker, token=Secret("since"))
        again.broker.give("since")
        await again.logins.connect(again.runtime)
        given = again.store.find("desk", fingerprint({"app": Secret("app")}))
        again.store.keep("another source", "acc0unt", given)
        await again.pass_until("2026-11-20T09:05")
        return again.token

    assert really(scene) == "since"


def test_a_file_that_others_can_read_is_told_and_not_used(tmp_path) -> None:
    file = tmp_path / "desk.credentials.json"

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30", file=file)
        await desk.logins.log_in(desk.runtime, Secret("friday"))
        file.chmod(0o644)
        again = Desk(virtual, "2026-11-20T09:00", file=file, broker=desk.broker)
        await again.logins.connect(again.runtime)
        return again.token, again.logins.trouble

    token, trouble = really(scene)
    assert token == ""
    assert "chmod 600" in trouble


def test_a_configuration_that_comes_in_place_does_not_take_the_login_away(virtually) -> None:
    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30")
        await desk.logins.log_in(desk.runtime, Secret("friday"))
        desk.runtime.settings = KeyedSettings(kind="broker", timeout_s=3.0)
        await desk.pass_until("2026-11-20T08:32")
        return desk.token, desk.runtime.settings.timeout_s

    assert virtually(scene) == ("for friday", 3.0)


def test_an_adapter_that_cannot_take_a_login_is_told_and_ends_nothing(virtually, monkeypatch) -> None:
    def broken(_self, settings):
        raise RuntimeError(f"cannot use {settings.token.reveal()}")

    async def scene(virtual):
        desk = Desk(virtual, "2026-11-20T08:30")
        monkeypatch.setattr(BrokersSource, "use_credentials", broken)
        with pytest.raises(InvalidPayload) as defect:
            await desk.logins.log_in(desk.runtime, Secret("friday"))
        await desk.logins.connect(desk.runtime)
        await desk.pass_until("2026-11-20T08:35")
        return str(defect.value)

    assert virtually(scene) == "the adapter cannot take a login: RuntimeError"
