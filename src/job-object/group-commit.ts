/**
 * Commits together what arrives together. The commit to disk is what a report costs: a command that comes while none is
 * under way is committed at once, and those that come meanwhile share the next one. Where it fails, all of them fail.
 */
export class GroupCommit<Command, Outcome> {
  readonly #commit: (commands: Command[]) => Outcome[]
  readonly #untilOnDisk: () => Promise<void>
  #waiting: Waiting<Command, Outcome>[] = []
  #isBusy = false

  /**
   * `commit` answers each command in the order given, or throws, having changed nothing. `untilOnDisk` waits until what
   * was committed is on disk; the replies are held back until then by the runtime itself.
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
    // A disk that fails ends the object itself: there is nobody left here to be told.
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
