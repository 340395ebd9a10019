const MOST_REMEMBERED = 5_000

/** Puts an entry in as the newest, and drops the oldest beyond the most that are kept. */
export function remember<Entry>(entries: Map<string, Entry>, key: string, entry: Entry): void {
  entries.delete(key)
  entries.set(key, entry)
  if (entries.size <= MOST_REMEMBERED) return
  for (const oldest of entries.keys()) {
    entries.delete(oldest)
    return
  }
}
