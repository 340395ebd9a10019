import autocannon from 'autocannon'

/** One request to be sent over and over. */
export interface Request {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: string
}

export interface Figures {
  requestsPerSecond: number
  /** What one request took on average, and what 99 of 100 did not exceed, in ms. */
  mean: number
  p99: number
}

/**
 * Sends the requests in turn, over so many connections, each as soon as the one before is answered. Throws where one is
 * not answered with 2xx: the figures would say nothing.
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
