/** The import cannot continue. The message is for people who read the job: one sentence, no secrets. */
export class FeedError extends Error {
  override name = 'FeedError'
}
