"""What logins gave, kept over a restart: in the keyring, or in a file that only its owner can read.

The file is there in both cases: it says which logins there are, so that the
keyring is not asked, and nobody is prompted to unlock it, where none is.
"""

import os
import stat
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec

from mds_engine.errors import MdsError
from mds_engine.secret import Secret
from mds_engine.store.keyring_box import KeyringUnavailableError


class CredentialsError(MdsError):
    """What was kept cannot be used, or nothing can be kept; one sentence."""


class Box(Protocol):
    """Somewhere safe. Both methods raise KeyringUnavailableError."""

    def put(self, name: str, text: str) -> None:
        """Keep a text under a name."""
        ...

    def get(self, name: str) -> str | None:
        """The text of that name, None if there is none."""
        ...


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What one login gave."""

    values: dict[str, Secret]
    """By the name of the setting that they stand in for."""
    at: float
    """When the login was, epoch seconds UTC."""
    until: float
    """When the vendor ends it, epoch seconds UTC."""
    instead_of: str = ""
    """The `fingerprint` of what the configuration had for them then; empty where it had nothing."""


def fingerprint(secrets: Mapping[str, Secret]) -> str:
    """Tells some secrets from others without giving them away; empty if all are."""
    if not any(secrets.values()):
        return ""
    text = "\0".join(f"{name}={secret.reveal()}" for name, secret in sorted(secrets.items()))
    return sha256(text.encode()).hexdigest()[:16]


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    at: float
    until: float
    instead_of: str = ""
    values: dict[str, str] | None = None
    """None while they are in the keyring."""

    def __repr__(self) -> str:
        return f"_Entry(at={self.at}, until={self.until})"


class _File(msgspec.Struct, frozen=True, kw_only=True):
    logins: dict[str, _Entry] = {}
    """By source and account."""


_FILE = msgspec.json.Decoder(_File)
_VALUES = msgspec.json.Decoder(dict[str, str])


class CredentialStore:
    """The logins of one engine. Every method blocks, and may be called from any thread."""

    def __init__(self, file: Path, engine: str, box: Box) -> None:
        self._file = file
        self._engine = engine
        self._box = box

    def keep(self, source: str, account: str, credentials: Credentials) -> str:
        """Write a login down in place of an earlier one of the same source and account.

        `account` is a fingerprint of what the vendor knows the account by.
        Returns where it is, as `in the keyring`. Raises CredentialsError.
        """
        name = f"{source}/{account}"
        values = {key: secret.reveal() for key, secret in credentials.values.items()}
        where = "in the keyring"
        in_file: dict[str, str] | None = None
        try:
            self._box.put(f"{self._engine}/{name}", msgspec.json.encode(values).decode())
        except KeyringUnavailableError:
            in_file, where = values, f"in {self._file}"
        entry = _Entry(
            at=credentials.at, until=credentials.until, instead_of=credentials.instead_of, values=in_file
        )
        try:
            others = self._read().logins
        except CredentialsError:
            others = {}  # what cannot be used gives way
        lasting = {key: one for key, one in others.items() if one.until > credentials.at}
        self._write(_File(logins={**lasting, name: entry}))
        return where

    def find(self, source: str, account: str) -> Credentials | None:
        """The last login of a source and account, also when it has ended; None if none is known.

        Raises CredentialsError where there is one that cannot be had.
        """
        name = f"{source}/{account}"
        entry = self._read().logins.get(name)
        if entry is None:
            return None
        values = entry.values if entry.values is not None else self._from_box(source, name)
        return Credentials(
            values={key: Secret(text) for key, text in values.items()},
            at=entry.at,
            until=entry.until,
            instead_of=entry.instead_of,
        )

    def stamp(self) -> int:
        """A number that changes when a login is kept, by whatever process; 0 while there is none."""
        try:
            return self._file.stat().st_mtime_ns
        except OSError:
            return 0

    def _from_box(self, source: str, name: str) -> dict[str, str]:
        try:
            text = self._box.get(f"{self._engine}/{name}")
        except KeyringUnavailableError as error:
            raise CredentialsError(f"the login of {source} is in the keyring, but {error}") from None
        if text is None:
            raise CredentialsError(f"the login of {source} is no longer in the keyring; log in again")
        try:
            return _VALUES.decode(text)
        except msgspec.DecodeError:
            raise CredentialsError(
                f"what the keyring has for {source} is no login of ours; log in again"
            ) from None

    def _read(self) -> _File:
        try:
            with self._file.open("rb") as stream:
                self._check(os.fstat(stream.fileno()).st_mode)
                return _FILE.decode(stream.read())
        except FileNotFoundError:
            return _File()
        except OSError as error:
            raise CredentialsError(f"{self._file} cannot be read: {error.strerror}") from None
        except msgspec.MsgspecError:
            # Its words may hold a part of the file.
            raise CredentialsError(f"{self._file} cannot be understood; log in again to replace it") from None

    def _check(self, mode: int) -> None:
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise CredentialsError(
                f"{self._file} is not used: others can get at it (mode {stat.S_IMODE(mode):04o}); "
                f"run `chmod 600 {self._file}`, or log in again to replace it"
            )

    def _write(self, content: _File) -> None:
        folder = self._file.parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Made with mode 0600, before anything is in it.
            handle, name = tempfile.mkstemp(prefix=f".{self._file.name}.", dir=folder)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(msgspec.json.encode(content))
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(name).replace(self._file)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise CredentialsError(f"{self._file} cannot be written: {error.strerror}") from None
