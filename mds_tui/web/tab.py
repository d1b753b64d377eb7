"""`python -m mds_tui.web.tab`: the console of one tab, started by `mds-tui web` and by nothing else."""

import os
import socket
import sys

import msgspec
from mds_engine.attached import AttachedLink

from mds_tui.cli.exits import report_defect
from mds_tui.palettes import own_folder
from mds_tui.settings import ConsoleSettings
from mds_tui.web.tab_settings import VARIABLE, TabSettings


def main() -> int:
    """Run it until it is left, or until whoever started it is gone."""
    from mds_tui.app import run_console

    told = msgspec.json.decode(os.environ[VARIABLE], type=TabSettings)
    settings = ConsoleSettings(
        theme=told.theme,
        configured_theme=told.theme,
        own_themes=own_folder(),
        ascii=told.ascii,
        read_only=told.read_only,
        in_browser=True,
        toasts=told.toasts,
        fps=told.fps,
        operator=told.operator,
    )
    try:
        return run_console(AttachedLink(socket.socket(fileno=told.channel)), settings)
    except BrokenPipeError:
        return 0  # nobody is left to see it


if __name__ == "__main__":
    sys.excepthook = report_defect
    sys.exit(main())
