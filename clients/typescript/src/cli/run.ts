import { PassThrough } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { Milepost } from '../milepost.ts'
import { warnThrottled } from '../warn-throttled.ts'
import type { Command } from './command.ts'
import { describeError } from './describe-error.ts'
import { NEW_JOB_HELP } from './new-job.ts'
import { openClient } from './open-client.ts'
import { warn } from './output.ts'
import { CONNECTION_HELP } from './read-args.ts'
import { endChild } from './run/end-child.ts'
import { forwardSignals } from './run/forward-signals.ts'
import { parseMarker } from './run/marker.ts'
import { MarkerFilter } from './run/marker-filter.ts'
import { noticeCancellation } from './run/notice-cancellation.ts'
import { notingFetch } from './run/noting-fetch.ts'
import { passOn } from './run/pass-on.ts'
import { RUN_DEFAULTS, readRunArgs } from './run/read-run-args.ts'
import { RunJob } from './run/run-job.ts'
import { signsOfLife } from './run/signs-of-life.ts'
import { type Child, startChild } from './run/start-child.ts'
import { StderrTail } from './run/stderr-tail.ts'

export const run: Command = {
  summary: 'run a command as a job',
  help: `Usage: milepost run [OPTIONS] -- COMMAND [ARGUMENT…]

Runs a command as a job: creates it, starts it, reports what the command prints as markers, and finishes it by the exit code.
Exits with the command's exit code, 128 + N if signal N killed it. Trouble with the API is a warning on stderr, never a failure.
Stops the command when the job is canceled.

Markers are lines of the command's stdout. They are not printed; everything else is passed on as it is:
  ::progress 5/10      5 of 10 items are done; also "::progress 5"
  ::add 3              3 more items are done
  ::stage NAME         a new stage begins
  ::message TEXT       a line for people
  ::count NAME N       adds N to a counter of the job
  ::error KEY TYPE MESSAGE
  ::warning KEY TYPE MESSAGE
                       an error or a warning about the item KEY; "a key" with spaces goes in quotes

  --type TYPE          what kind of job it is (default: the command's name)
${NEW_JOB_HELP};
                       any output counts as a sign of life
  --job-id JOB_ID      go on with this job instead of creating one
  --entity-type TYPE   what the keys in ::error and ::warning name (default: ${RUN_DEFAULTS.entityType})
  --grace SECONDS      after a cancellation, from SIGTERM to SIGKILL (default: ${RUN_DEFAULTS.grace})
  --check-every SECONDS
                       how often to ask whether the job was canceled (default: ${RUN_DEFAULTS.checkEvery})
  --connect-timeout SECONDS
                       how long the command waits for its job before it starts without (default: ${RUN_DEFAULTS.connectTimeout})
  --report-timeout SECONDS
                       how long to try to report the end (default: ${RUN_DEFAULTS.reportTimeout})${CONNECTION_HELP}

The command gets the job's ID as MILEPOST_JOB_ID.`,

  async run(args) {
    const options = readRunArgs(args)
    // A bug of ours, in whatever runs beside the command, must not end it.
    process.on('uncaughtException', (error) => warn(`${error.name}: ${error.message}`))

    const { fetch, lastFailure } = notingFetch()
    const client = tryToOpen(() => openClient(options.connection, { fetch, onProblem: warnThrottled() }))
    const job = new RunJob(client, options.job, warn)
    const early = await Promise.race([job.opened, wait(options.connectTimeoutMs, 'late' as const)])
    if (early === 'late') warn(`The command starts without a job, for now: ${lastFailure()}`)
    const jobId = typeof early === 'object' ? early.jobId : undefined

    const child = startChild(options.command, environmentOf(jobId))
    const stopForwarding = forwardSignals(child)
    const over = new AbortController()
    void job.opened.then(async (reporter) => {
      if (reporter === undefined || client === undefined) return
      const how = { everyMs: options.checkEveryMs, signal: over.signal, warn }
      if (!(await noticeCancellation(client.jobs, reporter, how))) return
      warn(`${reporter.jobId} was canceled: stopping the command`)
      await endChild(child, options.graceMs)
    })

    const tail = await passOutput(child, job, options)
    const { exitCode, failure, wasStarted } = await child.ended
    if (failure && !wasStarted) warn(failure)
    over.abort()
    stopForwarding()

    const interrupted = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => interrupted.abort())
    const message = failure && [failure, tail].filter(Boolean).join('\n')
    const limits = { timeoutMs: options.reportTimeoutMs, signal: interrupted.signal }
    await job.finish(message, limits, lastFailure)
    return exitCode
  },
}

/** Passes on what the command prints, until its end. Returns the last lines of its stderr. */
async function passOutput(
  child: Child,
  job: RunJob,
  { entityType, stallAfterSeconds }: { entityType: string; stallAfterSeconds: number | undefined },
): Promise<string> {
  const takeMarker = (line: string) => {
    const report = parseMarker(line, entityType)
    if (report) job.report(report)
    return report !== undefined
  }
  const markers = new MarkerFilter(takeMarker, () => job.hasRoom())
  const tail = new StderrTail()
  child.stderr.on('data', (chunk: Buffer) => tail.add(chunk))
  const noteOutput = signsOfLife(stallAfterSeconds, () => job.report({}))
  for (const output of [child.stdout, child.stderr]) output.on('data', noteOutput)
  await Promise.all([
    passOn(child.stdout, markers, process.stdout, child.ended),
    passOn(child.stderr, new PassThrough(), process.stderr, child.ended),
  ])
  return tail.toString()
}

function tryToOpen(open: () => Milepost): Milepost | undefined {
  try {
    return open()
  } catch (error) {
    warn(`Nothing is reported: ${describeError(error)}`)
    return undefined
  }
}

/** A command without a job must not report on the one around it. */
function environmentOf(jobId: string | undefined): NodeJS.ProcessEnv {
  const { MILEPOST_JOB_ID: _, ...others } = process.env
  return jobId === undefined ? others : { ...others, MILEPOST_JOB_ID: jobId }
}
