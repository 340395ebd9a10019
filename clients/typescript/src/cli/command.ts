/** A subcommand of `milepost`. */
export interface Command {
  /** One line, for the list of commands. */
  summary: string
  /** What `--help` prints. */
  help: string
  /** Resolves to the exit code. Throws a UsageError for arguments that it cannot read. */
  run(args: string[]): Promise<number>
}
