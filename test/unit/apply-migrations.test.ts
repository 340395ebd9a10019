import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { applyMigrations } from '../../scripts/apply-migrations.ts'
import { StateError } from '../../scripts/state-error.ts'

const DATA = `
  create table job (id integer primary key, organization text);
  insert into job (organization) values ('shop'), ('shop'), (null);`

/** Applies a migration to a database that has data. */
function apply(migration: string, database = new DatabaseSync(':memory:')): void {
  const folder = mkdtempSync(join(tmpdir(), 'milepost-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, '0000_first.sql'), DATA)
  writeFileSync(join(folder, '0001_next.sql'), migration)
  applyMigrations(database, folder)
}

test.each([
  ['that is not SQL', 'create tabel x', 'near "tabel": syntax error'],
  [
    'that a constraint refuses',
    'create unique index one on job (organization)',
    'UNIQUE constraint failed: job.organization',
  ],
  ['that a type refuses', "insert into job (id) values ('no number')", 'datatype mismatch'],
  [
    'that makes too long a value',
    'update job set organization = zeroblob(2000000000)',
    'string or blob too big',
  ],
])('a migration %s is named in one sentence, and none is applied', (_, migration, reason) => {
  const database = new DatabaseSync(':memory:')
  expect(() => apply(migration, database)).toThrow(
    new StateError(`The migration 0001_next.sql does not apply to the database: ${reason}.`),
  )
  expect(database.prepare('select count(*) as n from sqlite_schema').get()).toEqual({ n: 0 })
})

test('trouble with the disk is not blamed on the migration', () => {
  const database = new DatabaseSync(':memory:')
  database.exec('pragma max_page_count = 4')
  expect(() => apply('select 1', database)).toThrow(/full/)
  expect(() => apply('select 1', database)).not.toThrow(StateError)
})
