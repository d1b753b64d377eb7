"""From a pane to files, beside the event loop: a folder may be on a slow network."""

import asyncio
from typing import TYPE_CHECKING, Any

from mds_tui.export import Export, ExportError, default_folder, write
from mds_tui.widgets.live_grid import LiveGrid

if TYPE_CHECKING:
    from mds_tui.app import ConsoleApp


def export_focused(console: "ConsoleApp", words: str) -> None:
    """Write the rows of the focused pane to the file that `words` name, or to files named after the pane."""
    export_pane(console, console.desk.focused_pane, words)


def export_pane(console: "ConsoleApp", pane: LiveGrid[Any], named: str) -> None:
    """Write what `pane` shows now to the file `named`, or to files named after it; tell where it went."""
    if console.settings.in_browser:
        console.notify("not in a browser: files are written on the engine's machine", title="not exported")
        return
    snapshot = pane.sight.snapshot
    export = Export(
        pane=pane.id or "",
        engine=snapshot.engine.name,
        at=snapshot.at,
        filter=pane.filter_words(),
        sort=pane.order_words(),
        total=pane.total,
        rows=[pane.fields(row) for row in pane.rows],
    )

    async def work() -> None:
        try:
            where = await asyncio.to_thread(write, export, default_folder(), named)
        except ExportError as error:
            console.notify(str(error), title="not exported", severity="error", markup=False)
        else:
            console.notify(where, title="exported", markup=False)

    console.run_worker(work(), name="export", group="export", exit_on_error=False)
