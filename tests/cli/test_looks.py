"""The options that change how the console looks, and what they are weighed against."""

import pytest
from mds_engine.config.schema import ConsoleSettings

from mds_tui.cli.console import Looks
from mds_tui.remembered import looks_file, remember_theme


@pytest.mark.parametrize("words", [("--theme", "sepia"), ("demo", "--theme", "sepia")])
def test_an_unknown_theme_is_answered_with_those_there_are(run, words) -> None:
    answer = run(*words)
    assert answer.exit_code == 2
    assert "there is no theme 'sepia': there are colour-blind, dark, high-contrast" in answer.output


def test_a_theme_of_ones_own_is_known_and_a_broken_one_explained(run, tmp_path) -> None:
    from mds_tui.palettes import own_folder

    own_folder().mkdir(parents=True)
    (own_folder() / "mine.toml").write_text('base = "dark"\n')
    (own_folder() / "other.toml").write_text('base = "dark"\n[colors]\ntext = "red"\n')
    assert "needs a terminal" in run("demo", "--theme", "mine").output
    answer = run("demo", "--theme", "other")
    assert "there is no theme 'other': there are colour-blind, " in answer.output
    assert "other.toml: colors.text is 'red'" in " ".join(answer.output.split())


def test_the_option_beats_no_color_beats_what_was_kept_beats_the_file(run, monkeypatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    configured = ConsoleSettings(theme="high-contrast")
    assert Looks().settings(configured).theme == "high-contrast"
    remember_theme(looks_file(), "light", "high-contrast")
    assert Looks().settings(configured).theme == "light"
    assert Looks().settings(ConsoleSettings(theme="dark")).theme == "dark"
    monkeypatch.setenv("NO_COLOR", "1")
    assert Looks().settings(configured).theme == "monochrome"
    assert Looks(theme="colour-blind").settings(configured).theme == "colour-blind"


def test_history_keys_and_tour_have_their_files_and_who_only_looks_gets_no_tour(run) -> None:
    settings = Looks().settings(ConsoleSettings())
    assert settings.history_file == looks_file().with_name("history")
    assert settings.keymap_file is not None
    assert settings.keymap_file.name == "keymap.toml"
    assert settings.tour_file is not None
    assert Looks(read_only=True).settings(ConsoleSettings()).tour_file is None
    assert Looks().settings(ConsoleSettings(read_only=True)).tour_file is None
