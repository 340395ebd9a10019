/** The cases, in groups whose contenders are measured in turn. */
import { alternatives } from './contenders/alternatives.ts'
import type { Contender, Spread } from './contenders/contender.ts'
import { floor } from './contenders/floors.ts'
import type { MilepostContender } from './contenders/milepost.ts'
import * as milepost from './contenders/subjects.ts'
import { HOT, LIVE, MANY, ONE } from './contenders/subjects.ts'
import { hasRedis } from './servers/redis.ts'

export interface Case {
  name: string
  /** What is measured, in a few words. */
  about: string
  contender: Contender
  /** What it is compared with. */
  floor: Contender
  /** The ratio to reach. */
  target?: number
  /** For an alternative: how many times as fast Milepost should be. */
  timesTarget?: number
}

/** How many times as fast as these Milepost should be. */
const TIMES: Record<string, number> = {
  alt_object_d1_hot: 8,
  alt_node_sqlite_many: 1,
  alt_node_sqlite_one: 1.5,
}

const redis = hasRedis()
const grouped = floor('grouped writes', HOT)
/** The floors beside each other: 64 connections, one job. They are no cases. */
export const floors: Contender[] = [
  floor('bare Worker', HOT),
  floor('Hono and zod', HOT),
  floor('an object call', HOT),
  floor('a write', HOT),
  grouped,
]
const write = floor('a write', ONE)
const newObject = floor('a write', { jobs: 'each new', connections: 1 })
const writes = floor('a write', MANY)
const call = floor('an object call', HOT, 'GET')

const hotCases: Case[] = [
  { name: 'hot', about: '64 connections, one job', contender: milepost.hot, floor: grouped, target: 0.8 },
  {
    name: 'full',
    about: 'on a job with 10,000 errors',
    contender: milepost.full,
    floor: milepost.hot,
    target: 0.95,
  },
  {
    name: 'errors',
    about: 'each with an error',
    contender: milepost.errors,
    floor: milepost.hot,
    target: 0.7,
  },
  {
    name: 'slow_d1',
    about: '30 ms on each D1 call',
    contender: milepost.slowD1,
    floor: milepost.hot,
    target: 0.95,
  },
  {
    name: 'watched',
    about: '1,000 watchers',
    contender: milepost.watched,
    floor: milepost.hot,
    target: 0.95,
  },
]

/** Measured in this order. The contenders of a group are up together and take turns. */
export const groups: Case[][] = [
  [...hotCases, ...alternativesTo('hot', HOT, grouped)],
  [
    { name: 'many', about: '64 connections, 500 jobs', contender: milepost.many, floor: writes, target: 0.7 },
    {
      name: 'live_5000',
      about: '64 connections, 5,000 jobs',
      contender: milepost.live,
      floor: floor('a write', LIVE),
      target: 0.7,
    },
    ...alternativesTo('many', MANY, writes),
  ],
  [
    { name: 'one', about: 'one connection, one job', contender: milepost.one, floor: write, target: 0.8 },
    {
      name: 'create',
      about: 'one connection creates jobs',
      contender: milepost.create,
      floor: milepost.one,
      target: 0.5,
    },
    // What of a create is the runtime's own: it makes a file for each object.
    {
      name: 'alt_new_object_create',
      about: newObject.name,
      contender: newObject,
      floor: milepost.one,
    },
    ...alternativesTo('one', ONE, write),
  ],
  [
    { name: 'get', about: '64 connections read a job', contender: milepost.get, floor: call },
    { name: 'status', about: '64 connections read its status', contender: milepost.status, floor: call },
  ],
  [{ name: 'list', about: '50 of 100,000 jobs', contender: milepost.list, floor: milepost.fewListed }],
]

export function isMilepost(contender: Contender): contender is MilepostContender {
  return 'openWith' in contender
}

function alternativesTo(name: string, spread: Spread, than: Contender): Case[] {
  return Object.entries(alternatives)
    .filter(([alternative]) => redis || !alternative.startsWith('bullmq'))
    .map(([alternative, open]) => {
      const contender = open(spread)
      const one = { name: `alt_${alternative}_${name}`, about: contender.name, contender, floor: than }
      const timesTarget = TIMES[one.name]
      return timesTarget === undefined ? one : { ...one, timesTarget }
    })
}
