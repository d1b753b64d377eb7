"""`mds-tui web`: real processes, HTTP and WebSockets on loopback; Chromium where there is one."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from mds_engine.secret import Secret
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from mds_tui.settings import ConsoleSettings
from mds_tui.tools import is_offered, tool_named
from mds_tui.web.guard import Guard, is_loopback, is_our_page
from mds_tui.web.tab_process import kept_environment

PATIENCE_S = 60.0
CHOSEN = "a token that was chosen"
KEY = "not-for-tabs-1234"

pytestmark = pytest.mark.xdist_group("web")


class Served:
    """`mds-tui web`, running."""

    def __init__(self, home, *words, **environment):
        self.log = home / "mds-tui" / "log"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mds_tui.cli", "web", "--demo", "--port", "0", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={
                **os.environ,
                **{f"XDG_{kind}_HOME": str(home) for kind in ("CONFIG", "STATE", "CACHE")},
                "KITE_API_KEY": KEY,
                **environment,
            },
        )
        self.url = self.process.stdout.readline().strip()
        self.host = urlsplit(self.url).netloc
        self.token = self.url.partition("token=")[2]

    @contextmanager
    def enter(self, token=None):
        """A client with the cookie that the token gives."""
        with httpx.Client(base_url=f"http://{self.host}", trust_env=False) as client:
            client.get("/", params={"token": token or self.token})
            yield client

    def tab(self, *, origin=None, cookie=None):
        """A tab: the WebSocket that its page opens."""
        if cookie is None:
            with self.enter() as client:
                cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        return connect(
            f"ws://{self.host}/ws?width=120&height=40",
            origin=origin or f"http://{self.host}",
            additional_headers={"Cookie": cookie},
            proxy=None,
        )

    def children(self):
        """Process ids and command lines."""
        found = {}
        for task in Path("/proc", str(self.process.pid), "task").iterdir():
            for child in (task / "children").read_text().split():
                found[int(child)] = Path("/proc", child, "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def end(self, how=signal.SIGINT):
        """End it, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        said = self.process.communicate(timeout=PATIENCE_S)[1]
        return self.process.returncode, said


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One for all that only look."""
    running = Served(tmp_path_factory.mktemp("web"))
    yield running
    assert running.end()[0] == 0


@pytest.fixture
def serve(tmp_path):
    """Starts others, and ends them."""
    running = []

    def start(*words, **environment):
        running.append(Served(tmp_path, *words, **environment))
        return running[-1]

    yield start
    for one in running:
        one.end()


def seen(tab, words):
    """What a tab has drawn when `words` are there."""
    drawn, give_up_at = "", time.monotonic() + PATIENCE_S
    while words not in (text := re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", " ", drawn)):
        assert time.monotonic() < give_up_at, text[-3000:]
        message = tab.recv(timeout=PATIENCE_S)
        if isinstance(message, bytes):
            drawn += message.decode(errors="replace")
    return text


def press(tab, keys):
    """Keys, as the terminal in the browser sends them."""
    tab.send(json.dumps(["stdin", keys]))


def until(condition):
    """Wait until it is true, and return it."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.05)):
        if found := condition():
            return found
        pause.wait(0.05)
    raise AssertionError("it never became so")


def is_there(process):
    """Whether it runs: a zombie has ended."""
    try:
        return ") Z " not in Path("/proc", str(process), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- Who may come in ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=wrong", "/ws", "/static/js/textual.js", "/page.js"]
)
def test_without_the_token_there_is_one_sentence(served, path):
    answer = httpx.get(f"http://{served.host}{path}", trust_env=False)
    assert answer.status_code == 403
    assert answer.text == "No token: open the address that `mds-tui web` printed, with its token.\n"


def test_the_token_becomes_a_cookie_and_leaves_the_address(served):
    answer = httpx.get(served.url, trust_env=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert served.token not in cookie


def test_the_page_needs_nothing_of_the_internet(served):
    with served.enter() as client:
        page = client.get("/")
        assert page.status_code == 200
        for path in ["/", *re.findall(r'(?:src|href)="(/[^"]*)"', page.text)]:
            answer = client.get(path)
            assert answer.status_code == 200, path
            if not path.startswith("/static"):
                assert "://" not in answer.text
            for url in re.findall(r'url\("?([^")]+)"?\)', answer.text if path.endswith("css") else ""):
                assert client.get(url).status_code == 200, url
        assert "connect-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_another_page_cannot_open_the_console(served, origin):
    with pytest.raises(InvalidStatus, match="403"):
        served.tab(origin=origin)


def test_without_the_cookie_there_is_no_websocket(served):
    with pytest.raises(InvalidStatus, match="403"):
        served.tab(cookie="mds_tui_1=x")


def test_origins():
    assert is_our_page({"Host": "desk:8123", "Origin": "https://DESK:8123"})
    for headers in (
        {"Host": "desk:8123"},
        {"Origin": "http://desk"},
        {"Host": "a", "Origin": "http://a.b"},
        {},
    ):
        assert not is_our_page(headers)


def test_tokens():
    guard = Guard(Secret(CHOSEN))
    assert guard.chosen
    assert guard.knows_token(CHOSEN)
    for wrong in (None, "", CHOSEN[:-1], CHOSEN + "x", "ü", guard.cookie.reveal()):
        assert not guard.knows_token(wrong)
    assert Guard().token != Guard().token
    assert not Guard(Secret()).chosen


def test_hosts():
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "desk.example"))


# --- The tabs -------------------------------------------------------------------------------------------


def test_tabs_are_read_only_screens_of_one_engine(served):
    with served.tab() as first, served.tab() as second, served.tab() as third:
        for tab in (first, second, third):
            assert "read-only" in seen(tab, "zerodha")
        children = served.children()
        tabs = [process for process, line in children.items() if "mds_tui.web.tab" in line]
        assert len(tabs) == 3
        assert sum("simulate" in line for line in children.values()) == 1
        connections = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
        for process in tabs:
            opened = [str(file.readlink()) for file in Path("/proc", str(process), "fd").iterdir()]
            assert not connections & {name[8:-1] for name in opened if name.startswith("socket:")}
        press(first, ":check-health zerodha\r")
        seen(first, "this tab is read-only")
        press(second, ":export /tmp/x.csv\r")
        seen(second, "not in a browser")
    until(lambda: not any(is_there(process) for process in tabs))


def test_nothing_secret_is_with_a_tab(served):
    with served.tab() as tab:
        seen(tab, "zerodha")
        process, line = next(one for one in served.children().items() if "mds_tui.web.tab" in one[1])
        told = Path("/proc", str(process), "environ").read_text() + line
        for secret in (KEY, served.token):
            assert secret not in told


def test_what_no_terminal_sends_ends_the_tab(served):
    with served.tab() as tab:
        tab.send('["resize", {"width": "wide"}]')
        with pytest.raises(ConnectionClosed):
            seen(tab, "words that never come")


def test_an_environment_without_keys():
    kept = kept_environment({"PATH": "/bin", "LC_ALL": "C", "KITE_API_SECRET": KEY, "MDS_WEB_TOKEN": CHOSEN})
    assert kept == {"PATH": "/bin", "LC_ALL": "C"}


def test_what_touches_this_machine_is_not_offered_in_a_browser():
    here, there = ConsoleSettings(read_only=True), ConsoleSettings(read_only=True, in_browser=True)
    for name in ("arm", "config", "export", "login"):
        assert is_offered(tool_named(name), here)
        assert not is_offered(tool_named(name), there)
    assert is_offered(tool_named("theme"), there)


# --- Acting, and the end --------------------------------------------------------------------------------


def test_a_tab_that_may_act_acts_under_its_address(serve):
    served = serve("--allow-acting")
    with served.tab() as tab:
        assert "read-only" not in seen(tab, "alphavantage")
        press(tab, ":check-health zerodha\r")
        records = until(
            lambda: [
                json.loads(line)
                for file in served.log.rglob("*.log")
                for line in file.read_text().splitlines()
                if '"CommandApplied"' in line
            ]
        )
    assert "web 127.0.0.1" in json.dumps(records)


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_however_it_ends_no_process_is_left(serve, how, code):
    served = serve(MDS_WEB_TOKEN=CHOSEN.replace(" ", "-"))
    assert served.token == "TOKEN"
    served.token = CHOSEN.replace(" ", "-")
    with served.tab() as one, served.tab() as other:
        seen(one, "zerodha")
        seen(other, "zerodha")
        children = served.children()
        assert len(children) == 3
        ended, said = served.end(how)
        assert ended == code
        assert CHOSEN.replace(" ", "-") not in said
        until(lambda: not any(is_there(process) for process in children))


def test_a_port_that_is_taken(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "mds_tui.cli", "web", "--demo", "--port", str(port)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert result.returncode == 4
    assert result.stderr == f"mds-tui: port {port} of 127.0.0.1 is taken; give another with --port\n"


def test_what_cannot_be_served(run, tmp_path, monkeypatch):
    assert "mds-tui web --demo` needs none" in run("web").stderr
    file = tmp_path / "config.toml"
    file.write_text('[console]\nread_only = true\n[sources.here]\nkind = "yahoo"\n')
    assert "--allow-acting cannot be given" in run("--config", str(file), "web", "--allow-acting").stderr
    monkeypatch.setenv("MDS_WEB_TOKEN", "short")
    assert "MDS_WEB_TOKEN is too short: give 16" in run("web", "--demo").stderr


@pytest.mark.skipif(
    shutil.which("chromium") is None, reason="Chromium is not installed (apt install chromium)"
)
def test_in_chromium(served, tmp_path):
    """A browser that reaches no other host draws the console, and its keys arrive: q ends it."""
    command = [
        *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"),
        *(f"--user-data-dir={tmp_path}", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
        "about:blank",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as chromium:
        try:
            port = next(
                found[1] for line in chromium.stderr if (found := re.search(r"ws://[^/]+:(\d+)/", line))
            )
            targets = httpx.get(f"http://127.0.0.1:{port}/json", trust_env=False).json()
            address = next(one["webSocketDebuggerUrl"] for one in targets if one["type"] == "page")
            with connect(address, proxy=None, max_size=None) as tools:
                drive(tools, served)
        finally:
            os.killpg(chromium.pid, signal.SIGKILL)


def drive(tools, served):
    """Open the page by Chromium's own protocol, press q, and look at what it asked for meanwhile."""
    asked = []

    def call(method, **parameters):
        tools.send(json.dumps({"id": 1, "method": method, "params": parameters}))
        while (answer := json.loads(tools.recv(timeout=PATIENCE_S))).get("id") != 1:
            if answer["method"] == "Network.requestWillBeSent":
                asked.append(answer["params"]["request"]["url"])
        return answer["result"]

    def state():
        found = call("Runtime.evaluate", expression="document.body.className + ' ' + location.href")
        return found["result"].get("value", "")

    call("Network.enable")
    call("Page.enable")
    call("Emulation.setFocusEmulationEnabled", enabled=True)
    call("Page.navigate", url=served.url)
    assert served.token not in until(lambda: "-first-byte" in state() and state())
    assert "-closed" not in state()
    call("Input.dispatchKeyEvent", type="keyDown", key="q", code="KeyQ", text="q", windowsVirtualKeyCode=81)
    until(lambda: "-closed" in state())
    assert {urlsplit(url).netloc for url in asked} == {served.host}
