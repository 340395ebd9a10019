import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { d1Path, openD1File } from '../../scripts/local-database.ts'
import { readDatabases, stateDir } from '../../scripts/settings.ts'
import { mountDisk } from './mount-disk.ts'
import { descendantsOf, isAlive, startProcess } from './start-process.ts'

vi.setConfig({ testTimeout: 120_000 })

const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'milepost-'))
  folders.push(folder)
  return folder
}

/** The D1 database of a state, at the newest schema, as an edge leaves it. */
function aDatabaseIn(folder: string): DatabaseSync {
  return openD1File(d1Path(stateDir(folder), readDatabases()[0].id))
}

/** Expects a failed start: one sentence on stderr, nothing on stdout, and no process left. */
async function expectRefusal(flags: string[], sentence: string | RegExp): Promise<void> {
  const start = startProcess(flags)
  const pid = start.child.pid ?? 0
  const below = new Set<number>()
  const watching = setInterval(() => {
    for (const child of descendantsOf(pid)) below.add(child.pid)
  }, 200)
  const code = await start.ended.finally(() => clearInterval(watching))
  expect({ code, ...start.said }).toEqual({
    code: 1,
    stdout: '',
    stderr: typeof sentence === 'string' ? `${sentence}\n` : expect.stringMatching(sentence),
  })
  await vi.waitFor(() => expect([...below].filter(isAlive)).toEqual([]), { timeout: 5_000 })
}

// Concurrent: a start waits long for a lock before it gives up.
describe.concurrent('A start that fails says why in one sentence, and leaves nothing running:', () => {
  test('if another process has locked the database', async ({ onTestFinished }) => {
    const state = freshFolder()
    const holder = aDatabaseIn(state)
    holder.exec('BEGIN IMMEDIATE')
    onTestFinished(() => holder.close())
    await expectRefusal(
      ['--port', '0', '--persist-to', state],
      `Another process has locked the database in ${state}: nothing was changed, try again later.`,
    )
  })

  test('if the state is a file', async () => {
    const file = join(freshFolder(), 'state')
    writeFileSync(file, '')
    await expectRefusal(['--port', '0', '--persist-to', file], `${file} is not a folder.`)
  })

  test('if the database is damaged', async () => {
    const state = freshFolder()
    const database = aDatabaseIn(state)
    const file = database.location() ?? ''
    database.close()
    writeFileSync(file, 'no database at all')
    await expectRefusal(['--port', '0', '--persist-to', state], `The database in ${state} is damaged.`)
  })

  test('if a migration does not apply', async () => {
    const state = freshFolder()
    const database = aDatabaseIn(state)
    database.exec('DELETE FROM d1_migrations')
    database.close()
    await expectRefusal(
      ['--port', '0', '--persist-to', state],
      /^The migration 0000_\S+\.sql does not apply to the database: table \S+ already exists\.\n$/,
    )
  })

  test.for(['127.0.0.1', '::1'])(
    'if another process has the port at %s',
    async (address, { onTestFinished }) => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen({ host: address, port: 0 }, resolve))
      onTestFinished(() => void server.close())
      const { port } = server.address() as { port: number }
      await expectRefusal(
        ['--port', String(port), '--persist-to', freshFolder()],
        `Port ${port} is already in use at ${address}. Choose another, such as --port ${port + 1}.`,
      )
    },
  )

  test('if the disk is full or read-only', async ({ skip, onTestFinished }) => {
    const disk = mountDisk('8m')
    if (disk === undefined) return skip('Mounting a disk takes Linux and root')
    const { folder, fill, remount, unmount } = disk
    onTestFinished(unmount)
    const flags = ['--port', '0', '--persist-to', folder]
    const isFull = `The disk that holds ${folder} is full: make room, then try again.`
    const giveBack = fill()
    await expectRefusal(flags, isFull)
    giveBack()
    remount('ro')
    await expectRefusal(flags, `${folder} cannot be written to.`)

    // The same if there is a state already.
    remount('rw')
    const database = aDatabaseIn(folder)
    database.close()
    fill()
    await expectRefusal(flags, isFull)
    remount('ro')
    await expectRefusal(flags, `${folder} cannot be written to.`)
  })
})
