import autocannon from 'autocannon'

/** A request to send repeatedly. */
export interface Request {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: string
}

export interface Figures {
  requestsPerSecond: number
  /** The average duration of a request, in ms. */
  mean: number
  /** The 99th percentile, in ms. */
  p99: number
}

/**
 * Sends the requests in turn on each connection, each one as soon as the previous one is answered. Throws if any answer is not
 * 2xx, because the figures would mean nothing.
 */
export async function measure(
  url: string,
  requests: Request[],
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Figures> {
  const result = await autocannon({ url, connections, duration: seconds, requests })
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(
      `${result.non2xx} requests refused and ${result.errors} failed at ${url}${requests[0]?.path}`,
    )
  }
  const { average } = result.requests
  return { requestsPerSecond: average, mean: (connections / average) * 1_000, p99: result.latency.p99 }
}
