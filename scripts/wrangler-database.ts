import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { drizzle, type SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import { PROJECT, readSettings } from './settings.ts'

/** wrangler could not do it; the message is wrangler's. */
export class WranglerError extends Error {}

/**
 * A D1 database by way of `wrangler d1 execute`, with whatever account and token the operator uses wrangler with.
 *
 * @param place wrangler's flags that say which: `--remote`, or `--local` and `--persist-to`
 */
export async function openWranglerDatabase(place: string[]): Promise<SqliteRemoteDatabase> {
  const { databaseName } = await readSettings()
  return drizzle(async (sql, params, method) => {
    const rows = await execute(databaseName, withLiterals(sql, params), place)
    return { rows: method === 'get' ? (rows[0] ?? []) : rows }
  })
}

/** Runs one statement; its rows, each as the values of its columns in order. */
async function execute(databaseName: string, sql: string, place: string[]): Promise<unknown[][]> {
  const args = [
    '--no-warnings',
    // The statement goes by standard input: it has secrets in it, and everyone on the machine can see arguments.
    '--import',
    pathToFileURL(join(import.meta.dirname, 'command-from-stdin.ts')).href,
    // Not wrangler's own command, which would start this in another process without the line above.
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
    // Nor may wrangler keep the rows in a log of its own.
    env: { ...process.env, WRANGLER_WRITE_LOGS: 'false' },
  })
  // If wrangler ends before it reads this, its exit code says why.
  running.child.stdin?.on('error', () => {}).end(sql)
  const { stdout } = await running.catch((failed) => {
    throw new WranglerError(failureOf(failed), { cause: failed })
  })
  const [result] = JSON.parse(stdout) as [{ results: Record<string, unknown>[] }]
  return result.results.map((row) => Object.values(row))
}

/** With --json, wrangler tells of a failure on stdout, as JSON; of some, it tells on stderr. */
function failureOf({ stdout, stderr }: { stdout: string; stderr: string }): string {
  try {
    return (JSON.parse(stdout) as { error: { text: string } }).error.text
  } catch {
    return `${stderr}${stdout}`.trim()
  }
}

/** wrangler takes no parameters: they are written into the statement, as SQLite's literals. */
function withLiterals(sql: string, params: unknown[]): string {
  const left = [...params]
  return sql.replaceAll('?', () => toLiteral(left.shift()))
}

function toLiteral(value: unknown): string {
  if (value === null) return 'NULL'
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'string' && !value.includes('\0')) return `'${value.replaceAll("'", "''")}'`
  throw new TypeError(`No SQL literal for ${JSON.stringify(value)}`)
}
