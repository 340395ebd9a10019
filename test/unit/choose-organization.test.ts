import { expect, test } from 'vitest'
import { type Caller, chooseOrganization } from '../../src/access/caller.ts'

const caller = (...organizationIds: string[]): Caller => ({
  kind: 'key',
  id: 'key_1',
  organizationIds,
  placements: {},
  permissions: [],
  expiresAt: null,
})

test('without the header, it is the caller’s only organization', () => {
  expect(chooseOrganization(caller('acme'), undefined)).toEqual({ ok: true, organizationId: 'acme' })
})

test('the header chooses among the organizations of the caller', () => {
  expect(chooseOrganization(caller('acme', 'zenith'), 'zenith')).toEqual({
    ok: true,
    organizationId: 'zenith',
  })
})

test.each(['', 'zenith', 'ACME', 'acme, acme'])(
  'a header that names none of them chooses none: %j',
  (header) => {
    expect(chooseOrganization(caller('acme'), header)).toEqual({ ok: true, organizationId: null })
  },
)

test('without the header, none of several organizations is chosen', () => {
  expect(chooseOrganization(caller('acme', 'zenith'), undefined)).toEqual({ ok: false, reason: 'several' })
})
