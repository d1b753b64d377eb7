"""The lines of the configuration screen: sections, settings, what a setting means, a diff. Pure."""

from collections.abc import Sequence

from mds_tui.configuring.draft import LineProblem
from mds_tui.configuring.outline import Section, Setting, in_words
from mds_tui.format.cells import EMPTY, Cell, Ink, Span, fit, wrap
from mds_tui.format.glyphs import Glyphs

NAME = 18


def section_lines(
    sections: Sequence[Section], cursor: int, changed: frozenset[str], wrong: frozenset[str], glyphs: Glyphs
) -> tuple[tuple[Cell, ...], int]:
    """A heading for each group and a row for each section; and the line of the one under the cursor.
    `changed` and `wrong` are dotted paths."""
    lines: list[Cell] = []
    at = 0
    group = ""
    for place, section in enumerate(sections):
        if section.group != group:
            group = section.group
            lines += [EMPTY] if lines else []
            lines.append((Span(group, Ink.DIM),))
        here, dotted = place == cursor, ".".join(section.path)
        mark = glyphs.out if dotted in wrong else glyphs.dot if dotted in changed else " "
        ink = Ink.BAD if dotted in wrong else Ink.STRONG if here else Ink.TEXT
        if here:
            at = len(lines)
        lines.append(
            (
                Span((glyphs.cursor if here else " ").ljust(2), Ink.ACCENT),
                Span(section.title, ink),
                Span(f" {mark}", Ink.BAD if dotted in wrong else Ink.ACCENT),
            )
        )
    return tuple(lines), at


def setting_lines(
    settings: Sequence[Setting],
    cursor: int | None,
    changed: frozenset[str],
    problems: Sequence[LineProblem],
    width: int,
    glyphs: Glyphs,
) -> tuple[Cell, ...]:
    """A row for each setting: its name, what holds, and whether that is the usual."""
    wrong = {problem.key.partition("[")[0] for problem in problems}
    lines: list[Cell] = []
    for place, setting in enumerate(settings):
        here, dotted = place == cursor, ".".join(setting.path)
        ink = Ink.BAD if dotted in wrong else Ink.STRONG if setting.is_set else Ink.DIM
        words = setting.words or ("unset" if not setting.is_set else '""')
        if setting.kind in ("switch", "choice") and here:
            words = f"{glyphs.below} {words}"
        mark = glyphs.out if dotted in wrong else glyphs.dot if dotted in changed else " "
        note = "" if setting.is_set else " usual"
        room = max(8, width - NAME - 5 - len(note))
        lines.append(
            (
                Span((glyphs.cursor if here else " ").ljust(2), Ink.ACCENT),
                *fit((Span(setting.name, Ink.STRONG if here else Ink.TEXT),), NAME, more=glyphs.more),
                Span(f" {mark} ", Ink.BAD if dotted in wrong else Ink.ACCENT),
                *fit((Span(words, ink),), min(room, max(len(words), 1)), more=glyphs.more),
                Span(note, Ink.FAINT),
            )
        )
    return tuple(lines)


def about_lines(setting: Setting | None, problems: Sequence[LineProblem], width: int) -> tuple[Cell, ...]:
    """What a setting means, what is usual, and what is wrong with it."""
    if setting is None:
        return problem_lines(problems, width)
    dotted = ".".join(setting.path)
    own = [problem for problem in problems if problem.key.partition("[")[0] == dotted]
    usual = in_words(setting.usual)
    more = f" Usually {usual}." if usual and setting.kind != "secret" and setting.is_set else ""
    choices = f" One of {', '.join(setting.choices)}." if setting.choices else ""
    wrong = [line for problem in own for line in wrap((Span(problem.what, Ink.BAD),), width)]
    rest = [problem for problem in problems if problem not in own]
    about = wrap((Span(f"{setting.about}{choices}{more}", Ink.DIM),), width)
    return (*wrong, *about, *problem_lines(rest, width))


def problem_lines(problems: Sequence[LineProblem], width: int) -> tuple[Cell, ...]:
    """Each thing that is wrong, with its line."""
    return tuple(
        line for problem in problems for line in wrap((Span(problem.words, Ink.BAD),), width, indent=2)
    )


def diff_lines(diff: Sequence[str]) -> tuple[Cell, ...]:
    """A unified diff: what comes, what goes, and around it what stays."""
    inks = {"+": Ink.GOOD, "-": Ink.BAD, "@": Ink.ACCENT}
    return tuple((Span(line, inks.get(line[:1], Ink.DIM)),) for line in diff)
