"""The container that puts the panes where the pure layout says."""

from collections.abc import Mapping

from textual.geometry import NULL_SPACING, Offset, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from mds_tui.desk_layout import Box


class _DeskLayout(Layout):
    """Absolute places from the desk."""

    name = "desk"

    def arrange(
        self,
        parent: Widget,
        children: list[Widget],
        size: Size,
        greedy: bool = True,  # noqa: ARG002 - Textual's signature
    ) -> ArrangeResult:
        """A placement for each pane that has a box."""
        assert isinstance(parent, Desk)
        places = parent.boxes(size)
        return [
            WidgetPlacement(Region(*box), Offset(0, 0), NULL_SPACING, child, order)
            for order, child in enumerate(children)
            if (box := places.get(child.id or "")) is not None
        ]


class Desk(Widget):
    """Holds the panes; `boxes` is replaced by whoever knows the shape of the screen."""

    DEFAULT_CSS = """
    Desk { width: 1fr; height: 1fr; }
    """

    def __init__(self, *panes: Widget, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(*panes, id=id)
        self._desk_layout = _DeskLayout()
        self._boxes: Mapping[str, Box] = {}

    @property
    def layout(self) -> Layout:
        """Our own: a style takes only layouts that Textual knows by name."""
        return self._desk_layout

    def boxes(self, size: Size) -> Mapping[str, Box]:
        """The places for a size."""
        return {
            name: box
            for name, box in self._boxes.items()
            if box.x + box.width <= size.width and box.y + box.height <= size.height
        }

    def place(self, boxes: Mapping[str, Box]) -> None:
        """Show the panes that have a box and hide the others."""
        if boxes == self._boxes:
            return
        self._boxes = boxes
        for pane in self.children:
            pane.display = pane.id in boxes
            # Asked of the panes: a widget that asks for itself keeps the arrangement it has cached.
            pane.refresh(layout=True)
