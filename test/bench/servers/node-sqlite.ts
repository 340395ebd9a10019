/** An alternative without Workers: Node, Hono and SQLite, synced to disk on every commit. Its argument is a new file. */
import { DatabaseSync } from 'node:sqlite'
import { applyPlainReport, type PlainJob, presentPlainJob } from '../workers/plain-job.ts'
import { CREATE_TABLE, FILL_TABLE, READ_JOB, UPDATE_JOB, updateValues } from '../workers/plain-table.ts'
import { reportApp } from '../workers/report-app.ts'
import { serveFromChild } from './serve-from-child.ts'

const [file = '', jobs = '0'] = process.argv.slice(2)
const database = new DatabaseSync(file)
database.exec('pragma journal_mode = wal; pragma synchronous = full')
database.exec(CREATE_TABLE)
database.prepare(FILL_TABLE).run(Number(jobs))
const read = database.prepare(READ_JOB)
const update = database.prepare(UPDATE_JOB)

serveFromChild(
  reportApp({
    // Node runs this to its end before the next report, so the two statements need no transaction.
    report(_env, jobId, report) {
      const found = read.get(jobId)
      if (found === undefined) throw new Error(`There is no ${jobId}`)
      const job = applyPlainReport(found as unknown as PlainJob, report, Date.now())
      update.run(...updateValues(job))
      return presentPlainJob(job)
    },
  }),
)
