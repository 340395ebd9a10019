/** Something that serves requests from a process of its own. */
export interface Server {
  /** The base URL, without a trailing slash. */
  url: string
  /** The processes that do the work. */
  pids: number[]
  /** Resolves once the processes are gone. */
  dispose: () => Promise<void>
}
