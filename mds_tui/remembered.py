"""What is kept from one day to the next, and where; how the theme that was chosen is."""

import json
import os
import tempfile
from pathlib import Path


def looks_file() -> Path:
    """Where it is kept."""
    import platformdirs

    return platformdirs.user_state_path("mds-tui") / "looks.json"


def history_file() -> Path:
    """Where typed commands are kept."""
    return looks_file().with_name("history")


def tour_file() -> Path:
    """What is there once the tour was shown."""
    return looks_file().with_name("tour-shown")


def keymap_file() -> Path:
    """Where the operator's own keys are looked for, there or not."""
    import platformdirs

    return platformdirs.user_config_path("mds-tui") / "keymap.toml"


def remembered_theme(file: Path, configured: str) -> str | None:
    """What was chosen, None if nothing was, or if the configuration has said otherwise since.

    A file that cannot be read is as none: the next choice replaces it.
    """
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(kept, dict) or kept.get("configured") != configured:
        return None
    theme = kept.get("theme")
    return theme if isinstance(theme, str) else None


def keep_theme(file: Path, theme: str, configured: str) -> tuple[str, bool]:
    """Keep a choice if that can be. Returns what to say of it, and whether it is kept."""
    try:
        remember_theme(file, theme, configured)
    except OSError as error:
        return (
            f"{theme} until you leave: {file} cannot be written: {error.strerror}; see to its folder",
            False,
        )
    return f"{theme}, kept in {file}", True


def remember_theme(file: Path, theme: str, configured: str) -> None:
    """Keep a choice, whole or not at all. Raises OSError where it cannot be written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".new")
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"theme": theme, "configured": configured}, stream)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
