/** Converts the filters to API parameters: days become times, from the start of `from` to the end of `until`. @param {URLSearchParams} filter */
export function queryOf(filter) {
  const query = new URLSearchParams(filter)
  query.delete('from')
  query.delete('until')
  const [from, until] = [startOfDay(filter.get('from'), 0), startOfDay(filter.get('until'), 1)]
  // Both bounds are exclusive.
  if (from !== null) query.set('created_after', new Date(from.getTime() - 1).toISOString())
  if (until !== null) query.set('created_before', until.toISOString())
  return query
}

/** @param {string | null} text the value of a date field @param {number} later days to add */
function startOfDay(text, later) {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text ?? '') ?? []
  return year === undefined ? null : new Date(Number(year), Number(month) - 1, Number(day) + later)
}
