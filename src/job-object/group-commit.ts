/**
 * Commits commands in groups, because the commit to disk is most of what a report costs. A command is committed at once
 * if no commit is under way; commands that arrive during one share the next. If a commit fails, its whole group fails.
 */
export class GroupCommit<Command, Outcome> {
  readonly #commit: (commands: Command[]) => Outcome[]
  readonly #untilOnDisk: () => Promise<void>
  #waiting: Waiting<Command, Outcome>[] = []
  #isBusy = false

  /**
   * `commit` returns an outcome for each command in order, or throws and changes nothing. `untilOnDisk` resolves once
   * the commit is on disk; the runtime itself holds the replies back until then.
   */
  constructor(commit: (commands: Command[]) => Outcome[], untilOnDisk: () => Promise<void>) {
    this.#commit = commit
    this.#untilOnDisk = untilOnDisk
  }

  add(command: Command): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject })
      if (!this.#isBusy) this.#flush()
    })
  }

  #flush(): void {
    const group = this.#waiting
    this.#waiting = []
    this.#isBusy = true
    try {
      const outcomes = this.#commit(group.map(({ command }) => command))
      for (const [index, { resolve }] of group.entries()) resolve(outcomes[index] as Outcome)
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
    // If the disk fails, the runtime ends the object: there is no caller left to tell.
    const next = () => {
      this.#isBusy = false
      if (this.#waiting.length > 0) this.#flush()
    }
    this.#untilOnDisk().then(next, next)
  }
}

interface Waiting<Command, Outcome> {
  command: Command
  resolve: (outcome: Outcome) => void
  reject: (error: unknown) => void
}
