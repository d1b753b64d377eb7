"""Themes: readable, told apart, read from files that may be wrong, tried on and kept through the keys."""

import itertools
import json
from pathlib import Path

import pytest
from rich.style import Style
from textual.geometry import Region

from mds_tui.contrast import COLOUR_BLINDNESS, contrast, distance, weakest
from mds_tui.format.cells import Ink, Span
from mds_tui.palettes import PLAIN, SURFACES, ThemesAtHand, load_themes, shipped_theme, unknown_theme
from mds_tui.remembered import remember_theme, remembered_theme
from mds_tui.screens.looks import ThemeChooser
from mds_tui.theme import paint_of

SHIPPED = load_themes().loaded
STATES = ("good", "info", "warn", "bad", "forced")


def test_the_measures_are_those_of_the_books() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert distance("#ff0000", "#00ff00") == pytest.approx(170.6, abs=0.5)
    assert distance("#ffffff", "#ffffff", "deuteranopia") == pytest.approx(0.0, abs=0.01)


def test_five_themes_are_shipped() -> None:
    assert set(SHIPPED) >= {"dark", "light", "high-contrast", "colour-blind", PLAIN}


@pytest.mark.parametrize("palette", SHIPPED.values(), ids=SHIPPED)
def test_every_ink_is_readable_on_every_surface(palette) -> None:
    for ink, surface in itertools.product(Ink, SURFACES):
        least = {Ink.DIM: 3.0, Ink.FAINT: 1.5}.get(ink, 4.5)
        assert contrast(palette.colours[ink.value], palette.colours[surface]) >= least, (ink, surface)
    assert weakest(palette).ratio >= weakest(palette).needed
    # The focused button is written in the page's colour.
    for ground in ("accent", "warn"):
        assert contrast(palette.colours["background"], palette.colours[ground]) >= 4.5


def test_high_contrast_is_higher() -> None:
    colours = SHIPPED["high-contrast"].colours
    for ink, surface in itertools.product(Ink, SURFACES):
        least = {Ink.DIM: 6.0, Ink.FAINT: 3.0}.get(ink, 5.5)
        assert contrast(colours[ink.value], colours[surface]) >= least, (ink, surface)


@pytest.mark.parametrize("eye", [None, *COLOUR_BLINDNESS])
def test_the_colour_blind_theme_tells_the_states_apart(eye: str | None) -> None:
    colours = SHIPPED["colour-blind"].colours
    for one, other in itertools.combinations(STATES, 2):
        least = 25.0 if {one, other} <= {"good", "warn", "bad"} else 10.0
        assert distance(colours[one], colours[other], eye) >= least, (one, other)


def test_the_dark_theme_would_not_do_for_colour_blind_eyes() -> None:
    colours = SHIPPED["dark"].colours
    assert distance(colours["good"], colours["warn"], "protanopia") < 25.0


def test_monochrome_has_no_colour_and_marks_what_is_bad() -> None:
    for colour in SHIPPED[PLAIN].colours.values():
        assert colour[1:3] == colour[3:5] == colour[5:7]
    paint = paint_of(SHIPPED[PLAIN], ascii_only=False)
    looks = {_look(paint.styles["background", ink]) for ink in (Ink.GOOD, Ink.WARN, Ink.BAD, Ink.FORCED)}
    assert len(looks) == 4


def _look(style: Style) -> tuple[object, ...]:
    return (style.color, style.bold, style.underline, style.reverse)


def test_blanks_around_an_underlined_word_are_not_underlined() -> None:
    paint = paint_of(SHIPPED[PLAIN], ascii_only=False)
    strip = paint.strip((Span("  is out", Ink.BAD), Span("  ")), 12, ground="background")
    found = [(segment.text, segment.style.underline) for segment in strip]
    assert found == [("  ", None), ("is out", True), ("    ", None)]


def _own(folder: Path, text: str) -> str:
    (folder / "mine.toml").write_text(text)
    themes = load_themes(folder)
    assert "mine" not in themes.loaded
    assert set(themes.loaded) == set(SHIPPED)
    (sentence,) = themes.failed
    return sentence.removeprefix(f"theme {folder / 'mine.toml'}: ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", "it is no TOML: Invalid value (at end of document); put that line right"),
        ("[colors]\n", "colors lacks background, bar, panel, "),
        ('base = "dark"\n[colors]\ntext = "red"', "colors.text is 'red': write a colour as \"#c3cad3\""),
        ('base = "dark"\n[colors]\ntext = 7', 'colors.text is 7: write a colour as "#c3cad3"'),
        ('base = "dark"\n[colors]\ntxet = "#ffffff"', "colors.txet means nothing here: use background, bar"),
        ('base = "dark"\n[styles]\nbad = "blink"', "styles.bad is 'blink': use bold, italic, underline"),
        ('base = "dark"\n[styles]\nbold = "bad"', "styles.bold means nothing here: use text, strong"),
        ('base = "sepia"', "base is 'sepia', which is no shipped theme: write one of colour-blind, dark"),
        ('base = "dark"\ncolors = 1', "colors is 1: write it as a table, [colors]"),
        ('base = "dark"\nname = "my own"', "name is 'my own': use letters, digits, - and _"),
        ('base = "dark"\nname = 7', "name is 7: write a word in quotation marks"),
        ('base = "dark"\ndark = "no"', "dark is 'no': write true or false"),
        (
            'base = "dark"\nfont = "big"',
            "font means nothing here: use name, title, dark, base,",
        ),
    ],
)
def test_a_wrong_file_costs_one_sentence_with_key_and_remedy(tmp_path, text: str, sentence: str) -> None:
    assert _own(tmp_path, text).startswith(sentence)


def test_a_file_that_is_no_text_and_one_that_cannot_be_read(tmp_path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "b.toml").mkdir()
    first, second = load_themes(tmp_path).failed
    assert first.endswith("a.toml: it is no text: save it as UTF-8")
    assert second.endswith("b.toml: it cannot be read: Is a directory")


def test_two_files_of_one_name(tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('base = "dark"\nname = "mine"\n')
    themes = load_themes(tmp_path)
    assert "mine" in themes.loaded
    (sentence,) = themes.failed
    assert "b.toml: name 'mine' is that of another file here" in sentence


def test_a_theme_of_ones_own_begins_with_another_and_may_take_its_place(tmp_path) -> None:
    (tmp_path / "mine.toml").write_text(
        'base = "light"\n[colors]\ntext = "#112233"\n[styles]\nbad = "bold underline"\n'
    )
    (tmp_path / "dark.toml").write_text('base = "dark"\ntitle = "mine"\n')
    themes = load_themes(tmp_path)
    mine = themes.loaded["mine"]
    assert (mine.dark, mine.colours["text"]) == (False, "#112233")
    assert mine.colours["strong"] == SHIPPED["light"].colours["strong"]
    assert mine.styles == {"strong": "bold", "bad": "bold underline"}
    assert themes.loaded["dark"].title == "mine"
    assert "mine" in unknown_theme("nobody", themes)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_theme_alone_is_the_same(tmp_path, name: str) -> None:
    assert shipped_theme(name, None) == shipped_theme(name, tmp_path / "none") == SHIPPED[name]


def test_where_a_theme_may_be_elsewhere_all_are_read(tmp_path) -> None:
    for name in ("nobody", "../themes/dark", ""):
        assert shipped_theme(name, None) is None
    (tmp_path / "mine.toml").write_text('name = "dark"\ntitle = "my own"\nbase = "light"\n')
    assert shipped_theme("dark", tmp_path) is None
    assert ThemesAtHand("dark", tmp_path).first.title == "my own"
    missing = ThemesAtHand("nobody", None)
    assert missing.first == SHIPPED["dark"]
    assert missing.problems() == [f"there is no theme 'nobody': there are {', '.join(sorted(SHIPPED))}"]


# What is kept.


def test_a_choice_holds_until_the_configuration_says_otherwise(tmp_path) -> None:
    file = tmp_path / "state" / "looks.json"
    assert remembered_theme(file, "dark") is None
    remember_theme(file, "light", "dark")
    assert remembered_theme(file, "dark") == "light"
    assert remembered_theme(file, "high-contrast") is None
    assert [path.name for path in file.parent.iterdir()] == ["looks.json"]


@pytest.mark.parametrize("text", ["", "[]", '{"theme": 7, "configured": "dark"}', "{", "\x00"])
def test_a_broken_file_is_as_none(tmp_path, text: str) -> None:
    file = tmp_path / "looks.json"
    file.write_text(text)
    assert remembered_theme(file, "dark") is None


# Through the keys.


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
async def test_themes_are_tried_on_and_escape_brings_the_first_back(console, read_screen, size) -> None:
    app = console(theme="light")
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        ground = app.desk.styles.background
        await pilot.press("t")
        names = list(SHIPPED)
        seen = [app.theme]
        for _ in names[1:]:
            await pilot.press("j")
            seen.append(app.theme)
            assert (
                app.paint.styles["background", Ink.TEXT].bgcolor.triplet.hex
                == (SHIPPED[app.theme].colours["background"])
            )
            assert app.desk.styles.background.hex.lower() == SHIPPED[app.theme].colours["background"]
            words = read_screen(app)
            assert f"▎ {app.theme}" in words
            assert "⏎ keep it · esc as it was · ? help" in words
            assert "every ink is readable" in words
        assert sorted(seen) == sorted(names)
        frame = app.screen.query_one("#themes").region
        assert Region(0, 0, *size).contains_region(frame)
        await pilot.press("escape")
        assert (app.theme, app.desk.styles.background) == ("light", ground)
        assert app.screen is app.desk


async def test_the_first_style_sheet_is_made_with_the_wanted_theme(console) -> None:
    app = console(theme="light")
    assert app.current_theme.name == "light"
    assert not app.current_theme.dark
    assert app.has_class("-light-mode")
    assert not app.has_class("-dark-mode")
    assert app.get_css_variables()["mds-text"] == SHIPPED["light"].colours["text"]
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert set(SHIPPED) <= set(app.available_themes)


async def test_a_click_tries_a_theme_on(console) -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("t")
        place = list(SHIPPED).index("light")
        await pilot.click("#themes", offset=(6, 1 + place))
        await pilot.pause()
        assert app.theme == "light"
        await pilot.press("escape")
        assert app.theme == "dark"


async def test_enter_keeps_a_theme_and_says_where(console, tmp_path) -> None:
    file = tmp_path / "state" / "looks.json"
    app = console(looks_file=file, configured_theme="dark")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("t", "down", "enter")
        assert json.loads(file.read_text()) == {"theme": app.theme, "configured": "dark"}
        assert app.theme != "dark"
        (note,) = app._notifications
        assert note.message == f"{app.theme}, kept in {file}"


async def test_a_theme_that_cannot_be_kept_is_taken_and_said(console, tmp_path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    file = tmp_path / "state" / "looks.json"
    app = console(looks_file=file)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        await pilot.press("t", "G", "enter")
        assert app.theme == list(SHIPPED)[-1]
        (note,) = app._notifications
        assert note.message.startswith(f"{app.theme} until you leave: {file} cannot be written: ")
        assert app.is_running


async def test_a_broken_theme_of_ones_own_is_told_and_stops_nothing(console, tmp_path, read_screen) -> None:
    (tmp_path / "mine.toml").write_text('base = "dark"\n[colors]\ntext = "red"\n')
    (tmp_path / "good.toml").write_text('base = "light"\n[colors]\ntext = "#c0c0c0"\n')
    app = console(own_themes=tmp_path, theme="mine")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.pause()
        (note,) = app._notifications
        assert note.message.startswith("there is no theme 'mine': there are ")
        assert "mine.toml: colors.text is 'red': write a colour as" in note.message
        assert app.theme == "dark"
        await pilot.press("t")
        while app.theme != "good":
            await pilot.press("j")
        assert "hard to read: text on " in read_screen(app)


async def test_the_palette_offers_the_chooser(console) -> None:
    app = console()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p", *"theme")
        await app.workers.wait_for_complete()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ThemeChooser)


async def test_a_theme_is_taken_by_name(console, tmp_path) -> None:
    app = console(looks_file=tmp_path / "looks.json")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("colon", *"theme light", "enter")
        assert app.theme == "light"
        assert remembered_theme(tmp_path / "looks.json", "dark") == "light"
        await pilot.press("colon", *"theme purple", "enter")
        assert app.theme == "light"
        assert "there is no theme purple; known are " in [*app._notifications][-1].message


async def test_without_colours_nothing_on_the_screen_is_coloured(console, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = console(theme=PLAIN)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("2", "F")
        lines = app.screen._compositor.render_strips()
        colours = {
            colour.triplet
            for line in lines
            for segment in line.apply_filter(app._filters[-1], app.background_colors[0])
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None and colour.triplet is not None
        }
        assert colours
        assert all(red == green == blue for red, green, blue in colours)
