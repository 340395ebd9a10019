/**
 * Commits together what arrives together. The commit to disk is what a report costs, so the commands that come in during
 * one turn of the event loop share one; each waits for it, and where it fails, all of them do.
 */
export class GroupCommit<Command, Outcome> {
  readonly #commit: (commands: Command[]) => Outcome[]
  #waiting: Waiting<Command, Outcome>[] = []

  /** `commit` answers each command in the order given, or throws, having changed nothing. */
  constructor(commit: (commands: Command[]) => Outcome[]) {
    this.#commit = commit
  }

  add(command: Command): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject })
      if (this.#waiting.length === 1) setTimeout(() => this.#flush(), 0)
    })
  }

  #flush(): void {
    const group = this.#waiting
    this.#waiting = []
    try {
      const outcomes = this.#commit(group.map(({ command }) => command))
      for (const [index, { resolve }] of group.entries()) resolve(outcomes[index] as Outcome)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
}

interface Waiting<Command, Outcome> {
  command: Command
  resolve: (outcome: Outcome) => void
  reject: (error: unknown) => void
}
