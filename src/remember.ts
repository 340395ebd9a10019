/** Puts an entry in as the newest, and drops the oldest beyond the most that are kept. */
export function remember<Entry>(entries: Map<string, Entry>, key: string, entry: Entry, most = 5_000): void {
  entries.delete(key)
  entries.set(key, entry)
  if (entries.size <= most) return
  for (const oldest of entries.keys()) {
    entries.delete(oldest)
    return
  }
}
