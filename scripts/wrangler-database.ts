import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { drizzle, type SqliteRemoteDatabase } from 'drizzle-orm/sqlite-proxy'
import { PROJECT, readSettings } from './settings.ts'

/** wrangler failed. The message is wrangler's own. */
export class WranglerError extends Error {}

/**
 * Opens a D1 database through `wrangler d1 execute`, with the operator's own wrangler login.
 *
 * @param place wrangler's flags for the database: `--remote`, or `--local` and `--persist-to`
 */
export async function openWranglerDatabase(place: string[]): Promise<SqliteRemoteDatabase> {
  const { databaseName } = await readSettings()
  return drizzle(async (sql, params, method) => {
    const rows = await execute(databaseName, withLiterals(sql, params), place)
    return { rows: method === 'get' ? (rows[0] ?? []) : rows }
  })
}

/** Runs one statement. Returns each row as its column values, in order. */
async function execute(databaseName: string, sql: string, place: string[]): Promise<unknown[][]> {
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
  const [result] = JSON.parse(stdout) as [{ results: Record<string, unknown>[] }]
  return result.results.map((row) => Object.values(row))
}

/** With --json, wrangler reports most failures as JSON on stdout, and some on stderr. */
function failureOf({ stdout, stderr }: { stdout: string; stderr: string }): string {
  try {
    return (JSON.parse(stdout) as { error: { text: string } }).error.text
  } catch {
    return `${stderr}${stdout}`.trim()
  }
}

/** Writes the parameters into the statement as SQLite literals, since wrangler accepts no parameters. */
function withLiterals(sql: string, params: unknown[]): string {
  const remaining = [...params]
  return sql.replaceAll('?', () => toLiteral(remaining.shift()))
}

function toLiteral(value: unknown): string {
  if (value === null) return 'NULL'
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'string' && !value.includes('\0')) return `'${value.replaceAll("'", "''")}'`
  throw new TypeError(`No SQL literal for ${JSON.stringify(value)}`)
}
