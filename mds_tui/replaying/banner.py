"""A bar that cannot be overlooked: its ground is the ink of what is not as usual."""

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mds_tui.format.cells import Ink, text_of
from mds_tui.widgets.bar import Bar


class Banner(Bar):
    """One line, ground and ink exchanged."""

    def render_line(self, y: int) -> Strip:
        """The line."""
        style = self.paint.styles[self.ground, Ink.FORCED]
        turned = Style(color=style.bgcolor, bgcolor=style.color, bold=True, reverse=style.color is None)
        words = self.paint.words(text_of(self.content)) if y == 0 else ""
        strip = Strip([Segment(words, turned)])
        return strip.adjust_cell_length(self.size.width, turned)
