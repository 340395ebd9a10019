/** Requests to send, each as soon as the connection's previous one is answered. It goes to another process as JSON. */
export interface Load {
  /** The base URL. */
  url: string
  method: 'GET' | 'POST'
  /** Taken in turn by all connections together, so few requests meet at one job where there are many. `{n}` as in `body`. */
  paths: string[]
  headers: Record<string, string>
  /** `{n}` becomes a new number in each request: no report repeats another. */
  body?: string
  connections: number
  /** How long to send before the measurement at least, in seconds. */
  leadIn: number
  /** How long to measure, in seconds: see `Measurement`. */
  seconds: number
}

export interface Figures {
  perSecond: number
  /** How long a request took, in ms. */
  p50: number
  p99: number
  /** The number of replies, those of the lead-in and of the last requests included. */
  replies: number
  /** The bytes of their bodies. */
  replyBytes: number
}
