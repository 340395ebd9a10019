import { expect, test } from 'vitest'
import { isRuntimeFailure } from '../../src/http/reply/is-runtime-failure.ts'

test.each([
  ['an object that is overloaded', Object.assign(new Error('Too much'), { overloaded: true })],
  ['an object that was moved', Object.assign(new Error('Try again'), { retryable: true })],
  [
    'an object whose disk is full',
    Object.assign(new Error('database or disk is full: SQLITE_FULL'), { durableObjectReset: true }),
  ],
  ['an object that cannot be opened', new Error('internal error; reference = 1sn257p6nrp4fr2eh553t4gu')],
])('%s is a failure of the runtime, and callers may retry', (_, error) => {
  expect(isRuntimeFailure(error)).toBe(true)
})

test.each([
  ['a bug', new TypeError('x is not a function')],
  ['an error that only mentions one', new Error('There was an internal error; reference = 1')],
  ['a value that is not an error', { retryable: true }],
  ['undefined', undefined],
])('%s is not a failure of the runtime', (_, error) => {
  expect(isRuntimeFailure(error)).toBe(false)
})
