const NESTED = ['errors', 'warnings', 'stages']

/** Gives a job or an entry the names that the API uses, for `--json`. What is in metadata, details and counters is not ours. */
export function toApiShape(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      NESTED.includes(name) && Array.isArray(field) ? field.map(toApiShape) : field,
    ]),
  )
}
