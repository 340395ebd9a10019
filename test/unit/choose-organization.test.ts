import { expect, test } from 'vitest'
import { type Caller, chooseOrganization } from '../../src/access/caller.ts'

const caller = (...organizationIds: string[]): Caller => ({
  kind: 'key',
  id: 'key_1',
  organizationIds,
  permissions: [],
  expiresAt: null,
})

test('without the header, it is the one organisation of the caller', () => {
  expect(chooseOrganization(caller('acme'), undefined)).toBe('acme')
})

test('the header chooses among the organisations of the caller', () => {
  expect(chooseOrganization(caller('acme', 'zenith'), 'zenith')).toBe('zenith')
})

test.each(['', 'zenith', 'ACME', 'acme, acme'])(
  'a header that names none of them leaves none: %j',
  (header) => {
    expect(chooseOrganization(caller('acme'), header)).toBeNull()
  },
)

test('several organisations and no header leave none, rather than any', () => {
  expect(chooseOrganization(caller('acme', 'zenith'), undefined)).toBeNull()
})
