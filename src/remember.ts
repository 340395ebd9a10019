/** Adds an entry as the newest, and drops the oldest if there are more than `max`. */
export function remember<Entry>(entries: Map<string, Entry>, key: string, entry: Entry, max = 5_000): void {
  entries.delete(key)
  entries.set(key, entry)
  if (entries.size <= max) return
  for (const oldest of entries.keys()) {
    entries.delete(oldest)
    return
  }
}
