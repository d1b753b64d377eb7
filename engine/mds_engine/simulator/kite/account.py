"""The account that logs in at the simulated Kite: keys, checksums, and tokens that live and die."""

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KiteAccount:
    """What a user of Kite Connect has in hand. The defaults open the simulator and nothing else."""

    api_key: str = "simulated"
    api_secret: str = "simulated"  # noqa: S105
    access_token: str = "simulated"  # noqa: S105
    """Valid from the start, as if today's login were done."""
    request_token: str = "simulated"  # noqa: S105
    """May be exchanged once for an access token; `/connect/login` hands out more."""
    user_id: str = "SIM001"


class Sessions:
    """Which tokens the simulated Kite honours now."""

    def __init__(self, account: KiteAccount, seed: int) -> None:
        self.account = account
        self._seed = seed
        self._minted = 0
        self._requests = {account.request_token}
        self._access = {account.access_token: 0.0}
        """Each with when it was given, epoch seconds."""

    def is_valid(self, api_key: str, access_token: str) -> bool:
        """True if this pair may call the API."""
        return api_key == self.account.api_key and access_token in self._access

    def begun_at(self, access_token: str) -> float:
        """When a session began, epoch seconds; 0.0 for the one from the start, and for none."""
        return self._access.get(access_token, 0.0)

    def begin_login(self) -> str:
        """A new request token, as the login page appends it to the redirect URL."""
        token = self._mint("request")
        self._requests.add(token)
        return token

    def exchange(self, request_token: str, checksum: str, now: float) -> str | None:
        """An access token for a request token, once; None if token or checksum are wrong. `now` is epoch
        seconds."""
        text = self.account.api_key + request_token + self.account.api_secret
        expected = hashlib.sha256(text.encode()).hexdigest()
        if request_token not in self._requests or not hmac.compare_digest(expected, checksum):
            return None
        self._requests.discard(request_token)
        token = self._mint("access")
        self._access[token] = now
        return token

    def end(self, access_token: str) -> None:
        """Log out."""
        self._access.pop(access_token, None)

    def _mint(self, purpose: str) -> str:
        self._minted += 1
        return hashlib.sha256(f"{self._seed}|{purpose}|{self._minted}".encode()).hexdigest()[:32]
