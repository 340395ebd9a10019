import { cutToWidth, printable, widthOf } from './printable.ts'

const GAP = '  '

/** Lays rows out in columns. The first row is the heading. A cell is cut to `widest` columns, except in the last column. */
export function toTable(rows: string[][], widest = 40): string {
  const last = Math.max(...rows.map((row) => row.length)) - 1
  const cells = rows.map((row) =>
    row.map((cell, index) => (index === last ? printable(cell) : cutToWidth(printable(cell), widest))),
  )
  const widths = Array.from({ length: last }, (_, index) =>
    Math.max(...cells.map((row) => widthOf(row[index] ?? ''))),
  )
  const pad = (cell: string, width = 0) => cell + ' '.repeat(Math.max(0, width - widthOf(cell)))
  return cells
    .map((row) =>
      row
        .map((cell, index) => pad(cell, widths[index]))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n')
}
