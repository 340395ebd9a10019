/** The import cannot go on. The message is for the people who read the job: one sentence, no secrets. */
export class FeedError extends Error {
  override name = 'FeedError'
}
