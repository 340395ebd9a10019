import { expect, test } from 'vitest'
import { isRuntimeFailure } from '../../src/http/reply/is-runtime-failure.ts'

test.each([
  ['an object that is overloaded', Object.assign(new Error('Too much'), { overloaded: true })],
  ['one that was moved', Object.assign(new Error('Try again'), { retryable: true })],
  [
    'one whose disk is full',
    Object.assign(new Error('database or disk is full: SQLITE_FULL'), { durableObjectReset: true }),
  ],
  ['one that cannot be opened', new Error('internal error; reference = 1sn257p6nrp4fr2eh553t4gu')],
])('%s is a failure of the runtime: callers may come again', (_, error) => {
  expect(isRuntimeFailure(error)).toBe(true)
})

test.each([
  ['a bug', new TypeError('x is not a function')],
  ['an error that speaks of one', new Error('There was an internal error; reference = 1')],
  ['what is no error', { retryable: true }],
  ['nothing at all', undefined],
])('%s is none', (_, error) => {
  expect(isRuntimeFailure(error)).toBe(false)
})
