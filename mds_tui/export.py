"""The rows of a pane as files: CSV for a spreadsheet, JSON for a program. No widget."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mds_tui.format.numbers import iso

Record = Mapping[str, object]
"""One row: names with their units; None is what is not known."""

FORMATS = (".csv", ".json")


class Export(NamedTuple):
    """What a pane shows, and how it came to show that."""

    pane: str
    engine: str
    at: float
    """When the picture was taken, in epoch seconds UTC."""
    filter: str
    """As it was typed; empty where nothing is filtered."""
    sort: str
    """The column, with ` down` where the largest is first; empty is the pane's own order."""
    total: int
    """Rows without the filter."""
    rows: Sequence[Record]


class ExportError(Exception):
    """A file cannot be written: one sentence that says why and what to do."""


def default_folder() -> Path:
    """In the user's state folder."""
    import platformdirs

    return platformdirs.user_state_path("mds-tui") / "exports"


def csv_text(export: Export) -> str:
    """One line a row below the names; a list is JSON in its field, an unknown value an empty field."""
    names = list(dict.fromkeys(name for row in export.rows for name in row))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    table.writerows([_field(row.get(name)) for name in names] for row in export.rows)
    return text.getvalue()


def json_text(export: Export) -> str:
    """One object: what it is, and its rows."""
    whole = {**export._asdict(), "at": iso(export.at), "rows": [dict(row) for row in export.rows]}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def write(export: Export, folder: Path, named: str) -> str:
    """Write to the file `named`, or without a name CSV and JSON into `folder`; returns where it went.

    Raises ExportError.
    """
    if not export.rows:
        raise ExportError(f"{export.pane} shows no rows: there is nothing to write")
    many = f"{len(export.rows)} row{'' if len(export.rows) == 1 else 's'} of {export.pane}"
    if named:
        file = Path(named).expanduser().absolute()
        if file.suffix not in FORMATS:
            raise ExportError(f"{named}: a file to export to ends in {' or '.join(FORMATS)}")
        _put(file, export, new=True)
        return f"{many} written to {short(file)}"
    stamp = datetime.fromtimestamp(export.at, UTC).strftime("%Y%m%dT%H%M%SZ")
    for suffix in FORMATS:
        _put(folder / f"{export.pane}-{stamp}{suffix}", export, new=False)
    first = short(folder / f"{export.pane}-{stamp}{FORMATS[0]}")
    return f"{many} written to {first}, and {FORMATS[1]} beside it"


def _put(file: Path, export: Export, *, new: bool) -> None:
    text = csv_text(export) if file.suffix == ".csv" else json_text(export)
    try:
        if not new:
            file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x" if new else "w", encoding="utf-8", newline="") as target:
            target.write(text)
    except FileExistsError:
        raise ExportError(f"{file} exists already: name another file") from None
    except OSError as error:
        raise ExportError(
            f"cannot write {file}: {error.strerror}; name another place with :export FILE"
        ) from None


def short(file: Path) -> str:
    """With `~` for the operator's own folder."""
    home = Path.home()
    return f"~/{file.relative_to(home)}" if file.is_relative_to(home) else str(file)


def _field(value: object) -> object:
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
