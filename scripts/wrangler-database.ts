import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { drizzle, type SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import { type OperatorDatabase, type OperatorDatabases, withDirectory } from './operator-databases.ts'
import { PROJECT, readDatabases } from './settings.ts'

/** wrangler failed. The message is wrangler's own. */
export class WranglerError extends Error {}

/** What wrangler prints of one statement. */
interface Result {
  results: Record<string, unknown>[]
  /** Cloudflare's own account of the statement. */
  meta?: { size_after?: number }
}

/**
 * Opens the D1 databases in wrangler.toml through `wrangler d1 execute`, with the operator's own wrangler login.
 *
 * @param place wrangler's flags for the databases: `--remote`, or `--local` and `--persist-to`
 */
export async function openWranglerDatabases(place: string[]): Promise<OperatorDatabases> {
  return withDirectory(
    Object.fromEntries(
      readDatabases().map(({ binding, name }) => [binding, openWranglerDatabase(name, place)]),
    ),
  )
}

function openWranglerDatabase(name: string, place: string[]): OperatorDatabase {
  return {
    store: openTextStore((statements) => execute(name, statements.join(';\n'), place)),
    bytes: async () => (await execute(name, 'select 1', place))[0]?.meta?.size_after ?? null,
  }
}

/** A store whose statements have their values in their text: `run` takes no parameters, as wrangler does not. */
export function openTextStore(run: (statements: string[]) => Promise<Result[]>): SqliteRemoteDatabase {
  return drizzle(async (sql, params, method) => {
    const { statements, at } = withLiterals(sql, params)
    const [result] = (await run(statements)).slice(at)
    const rows = (result?.results ?? []).map((row) => Object.values(row))
    return { rows: method === 'get' ? (rows[0] ?? []) : rows }
  })
}

/** Runs statements. Each row's columns come in order. */
async function execute(databaseName: string, sql: string, place: string[]): Promise<Result[]> {
  const args = [
    '--no-warnings',
    // The statement holds secrets, and every user on the machine can see arguments: pass it through stdin.
    '--import',
    pathToFileURL(join(import.meta.dirname, 'command-from-stdin.ts')).href,
    // Not wrangler's bin script, which would start a process of its own without the --import.
    join(PROJECT, 'node_modules/wrangler/wrangler-dist/cli.js'),
    'd1',
    'execute',
    databaseName,
    ...place,
    '--config',
    join(PROJECT, 'wrangler.toml'),
    '--json',
  ]
  const running = promisify(execFile)(process.execPath, args, {
    maxBuffer: 64 * 1024 * 1024,
    // Keep the rows out of wrangler's log files too.
    env: { ...process.env, WRANGLER_WRITE_LOGS: 'false' },
  })
  // If wrangler ends before it reads this, its exit code says why.
  running.child.stdin?.on('error', () => {}).end(sql)
  const { stdout } = await running.catch((failed) => {
    throw new WranglerError(failureOf(failed), { cause: failed })
  })
  return JSON.parse(stdout) as Result[]
}

/** With --json, wrangler reports most failures as JSON on stdout, and some on stderr. */
function failureOf({ stdout, stderr }: { stdout: string; stderr: string }): string {
  try {
    return (JSON.parse(stdout) as { error: { text: string } }).error.text
  } catch {
    return `${stderr}${stdout}`.trim()
  }
}

/** D1 takes statements of at most 100,000 bytes. A character may take three, and a quote is doubled. */
const MAX_LITERAL = 30_000

/**
 * Writes the parameters into the statement as SQLite literals, since wrangler accepts no parameters. A text that is too
 * long for a statement goes into a table of its own in parts, and the statement, which is number `at`, puts it together.
 */
function withLiterals(sql: string, params: unknown[]): { statements: string[]; at: number } {
  const remaining = [...params]
  const before: string[] = []
  const after: string[] = []
  const statement = sql.replaceAll('?', () => {
    const value = remaining.shift()
    if (typeof value !== 'string' || value.length <= MAX_LITERAL) return toLiteral(value)
    const name = toLiteral(randomUUID())
    before.push('create table if not exists long_parameters (name text, part integer, text text)')
    for (const [part, text] of cut(value).entries())
      before.push(`insert into long_parameters values (${name}, ${part}, ${toLiteral(text)})`)
    after.push(`delete from long_parameters where name = ${name}`)
    return `(select group_concat(text, '' order by part) from long_parameters where name = ${name})`
  })
  return { statements: [...before, statement, ...after], at: before.length }
}

/** Cuts a text into parts, but never a character. */
function cut(text: string): string[] {
  return text.match(new RegExp(`[^]{1,${MAX_LITERAL}}`, 'gu')) ?? []
}

function toLiteral(value: unknown): string {
  if (value === null) return 'NULL'
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'string' && !value.includes('\0')) return `'${value.replaceAll("'", "''")}'`
  throw new TypeError(`No SQL literal for ${JSON.stringify(value)}`)
}
