const NESTED = ['children', 'errors', 'linkedFrom', 'stages', 'warnings']

/** Gives a job or an entry the names that the API uses, for `--json`. What is in metadata, details, labels and counters is not ours. */
export function toApiShape(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      NESTED.includes(name) ? convert(field) : field,
    ]),
  )
}

function convert(field: unknown): unknown {
  if (Array.isArray(field)) return field.map(toApiShape)
  return typeof field === 'object' && field !== null ? toApiShape(field) : field
}
