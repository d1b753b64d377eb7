"""Logins that are kept: in the keyring where there is one that works, else in a file of their owner's."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest
from mds_engine.secret import Secret
from mds_engine.store.credentials import Credentials, CredentialsError, CredentialStore, fingerprint
from mds_engine.store.keyring_box import KeyringBox

TOKEN = "t0kenOfTheDay"
NOON, NEXT_MORNING = 1_000_000.0, 1_060_000.0


class Working(keyring.backend.KeyringBackend):
    priority = 5.0

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))


class Locked(Working):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.KeyringLocked("locked")

    get_password = set_password


class Broken(Working):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"no session bus, and here is your {password}")


class Forgetful(Working):
    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class PlainFile(Working):
    priority = 0.5


class Hanging(Working):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.released = threading.Event()

    def set_password(self, service: str, username: str, password: str) -> None:
        self.asked += 1
        self.released.wait()


@pytest.fixture
def use() -> Iterator[Callable[[keyring.backend.KeyringBackend], None]]:
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "desk.credentials.json"


@pytest.fixture
def store(file: Path) -> CredentialStore:
    return CredentialStore(file, "desk", KeyringBox(within_s=0.05))


def login(token: str = TOKEN, at: float = NOON, until: float = NEXT_MORNING) -> Credentials:
    return Credentials(values={"access_token": Secret(token)}, at=at, until=until, instead_of="0ld")


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_working_keyring_keeps_the_token_and_the_file_only_that_there_is_one(use, store, file) -> None:
    backend = Working()
    use(backend)
    assert store.stamp() == 0
    assert store.keep("zerodha", "acc0unt", login()) == "in the keyring"
    assert store.stamp() > 0
    assert store.find("zerodha", "acc0unt") == login()
    assert TOKEN not in file.read_text()
    assert list(backend.kept) == [("mds-tui", "desk/zerodha/acc0unt")]
    assert mode_of(file) == 0o600


@pytest.mark.parametrize(
    "backend",
    [
        keyring.backends.fail.Keyring,
        keyring.backends.null.Keyring,
        Locked,
        Broken,
        Forgetful,
        PlainFile,
        Hanging,
    ],
)
def test_without_a_keyring_that_works_a_file_keeps_it_for_its_owner_alone(use, store, file, backend) -> None:
    made = backend()
    use(made)
    try:
        assert store.keep("zerodha", "acc0unt", login()) == f"in {file}"
        assert store.find("zerodha", "acc0unt") == login()
        assert mode_of(file) == 0o600
    finally:
        if isinstance(made, Hanging):
            made.released.set()


def test_a_keyring_that_hangs_is_waited_for_once(use, store) -> None:
    backend = Hanging()
    use(backend)
    store.keep("zerodha", "acc0unt", login())
    store.keep("zerodha", "acc0unt", login("another"))
    assert backend.asked == 1
    backend.released.set()


def test_nobody_asks_the_keyring_where_nothing_was_kept(use, store) -> None:
    use(Locked())
    assert store.find("zerodha", "acc0unt") is None


def test_a_login_is_worth_nothing_to_another_source_or_account(use, store) -> None:
    use(Working())
    store.keep("zerodha", "acc0unt", login())
    assert store.find("zerodha", "other") is None
    assert store.find("second", "acc0unt") is None


def test_a_keyring_that_lost_it_or_is_locked_now_is_told(use, store) -> None:
    use(Working())
    store.keep("zerodha", "acc0unt", login())
    use(Working())
    with pytest.raises(CredentialsError, match="no longer in the keyring; log in again"):
        store.find("zerodha", "acc0unt")
    use(Locked())
    with pytest.raises(
        CredentialsError, match="the login of zerodha is in the keyring, but the keyring fails"
    ):
        store.find("zerodha", "acc0unt")


@pytest.mark.skipif(os.name != "posix", reason="other permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_get_at_is_refused_and_replaced_by_the_next_login(
    use, store, file, mode
) -> None:
    use(keyring.backends.fail.Keyring())
    store.keep("zerodha", "acc0unt", login())
    store.keep("second", "acc0unt", login("second's"))
    file.chmod(mode)
    with pytest.raises(CredentialsError, match=f"chmod 600 {file}") as refusal:
        store.find("zerodha", "acc0unt")
    assert TOKEN not in str(refusal.value)
    store.keep("zerodha", "acc0unt", login("new"))
    assert mode_of(file) == 0o600
    assert store.find("zerodha", "acc0unt") == login("new")
    assert store.find("second", "acc0unt") is None, "what others could read is gone"


def test_a_file_that_cannot_be_understood_is_told_without_its_content(use, store, file) -> None:
    use(keyring.backends.fail.Keyring())
    store.keep("zerodha", "acc0unt", login())
    file.write_bytes(file.read_bytes()[:-2].replace(b'"at"', b'"at":"' + TOKEN.encode() + b'","x"'))
    with pytest.raises(CredentialsError, match="cannot be understood") as refusal:
        store.find("zerodha", "acc0unt")
    assert TOKEN not in str(refusal.value)
    store.keep("zerodha", "acc0unt", login("new"))
    assert store.find("zerodha", "acc0unt") == login("new")


def test_a_new_login_leaves_those_of_other_sources_that_last_and_drops_what_has_ended(
    use, store, file
) -> None:
    use(keyring.backends.fail.Keyring())
    store.keep("ended", "acc0unt", login("dead", at=NOON - 100_000, until=NOON - 1))
    store.keep("second", "acc0unt", login("second's"))
    store.keep("zerodha", "acc0unt", login())
    assert store.find("second", "acc0unt") == login("second's")
    assert "dead" not in file.read_text()


def test_a_write_that_breaks_off_leaves_what_was_there(use, store, file, monkeypatch) -> None:
    use(keyring.backends.fail.Keyring())
    store.keep("zerodha", "acc0unt", login())

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CredentialsError, match="cannot be written: No space left on device"):
        store.keep("zerodha", "acc0unt", login("new"))
    assert store.find("zerodha", "acc0unt") == login()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_fingerprint_tells_secrets_apart_and_gives_none_away() -> None:
    one = fingerprint({"access_token": Secret(TOKEN)})
    assert one == fingerprint({"access_token": Secret(TOKEN)})
    assert one != fingerprint({"access_token": Secret("another")})
    assert TOKEN not in one
    assert fingerprint({"access_token": Secret()}) == ""


def test_credentials_show_nothing_of_themselves() -> None:
    assert TOKEN not in f"{login()!r} {login()}"
