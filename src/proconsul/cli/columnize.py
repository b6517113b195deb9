"""Tables as Consul prints them: the ``columnize`` layout and Go's ``text/tabwriter`` layout.  Pure."""

from __future__ import annotations

from collections.abc import Sequence

GLUE = "  "


def columnize(lines: Sequence[str], *, delimiter: str = "|", glue: str = GLUE, empty: str = "") -> str:
    """Align ``delimiter`` separated lines into columns.

    Every cell is trimmed and padded to its column's width, except the last cell of a line; a line may have
    fewer cells than others.  ``empty`` replaces empty cells.
    """
    rows = [[cell.strip() or empty for cell in line.split(delimiter)] for line in lines]
    widths: list[int] = []
    for row in rows:
        for position, cell in enumerate(row):
            if position == len(widths):
                widths.append(len(cell))
            else:
                widths[position] = max(widths[position], len(cell))
    return "\n".join(_aligned(row, widths, glue) for row in rows)


def _aligned(row: list[str], widths: list[int], glue: str) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
    return glue.join([*cells, row[-1]])


def tabwriter(rows: Sequence[Sequence[str]], *, padding: int = 6) -> str:
    """Lay rows out like ``tabwriter.NewWriter(w, 0, 2, padding, ' ', 0)`` with every cell but the last tab-ended.

    The width of a column is settled per block of consecutive rows which have that column, as in Go.
    """
    widths = [[0] * max(len(row) - 1, 0) for row in rows]
    for start in range(len(rows)):
        for column in range(len(widths[start])):
            if widths[start][column]:
                continue
            end = start
            while end < len(rows) and column < len(widths[end]):
                end += 1
            width = max(len(rows[position][column]) for position in range(start, end))
            for position in range(start, end):
                widths[position][column] = width + padding
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(row, row_widths, strict=False)) + (row[-1] if row else "")
        for row, row_widths in zip(rows, widths, strict=True)
    )
