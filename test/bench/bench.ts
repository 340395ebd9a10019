/** `npm run bench`: what a request costs, as a ratio to the least that such a request can cost. */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { watchRuntimes } from '../../scripts/watch-runtimes.ts'
import { type Case, floors, groups } from './cases.ts'
import type { Workshop } from './contenders/contender.ts'
import { LoadSender } from './load/load-sender.ts'
import { type CaseCounts, countCases } from './measure/count-cases.ts'
import { type Measured, measureInTurn } from './measure/measure-in-turn.ts'
import { type Result, resultOf } from './measure/result.ts'
import { printNeighbors } from './neighbor/print-neighbors.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { printComparison, printCounts, printFloors, printResults } from './print.ts'
import { Mileposts } from './servers/open-milepost.ts'
import { hasRedis } from './servers/redis.ts'
import { printSizes } from './sizes/print-sizes.ts'

const options = optionsOrExit()
const state = await mkdtemp(join(tmpdir(), 'milepost-bench-'))
process.on('exit', () => rmSync(state, { recursive: true, force: true, maxRetries: 5 }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
const runtimes = watchRuntimes()
const folder = () => mkdtemp(join(state, 'contender-'))
const workshop: Workshop = { mileposts: new Mileposts(state, runtimes), runtimes, folder }
const sender = new LoadSender()
try {
  if (options.neighbor) await printNeighbors(workshop)
  else await bench(options)
} finally {
  await sender.dispose()
  runtimes.dispose()
}

async function bench({ json, ...timing }: Options): Promise<void> {
  const results: Result[] = []
  const measuredFloors: Measured = new Map()
  for (const group of groups) {
    const cases = group.filter(isWanted)
    const contenders = new Set(cases.flatMap(({ contender, floor }) => [floor, contender]))
    const isWhole = timing.only.length === 0 && !json
    if (isWhole && cases.some(({ name }) => name === 'hot')) for (const floor of floors) contenders.add(floor)
    const measured = await measureInTurn([...contenders], workshop, sender, timing, say)
    for (const floor of floors) if (measured.has(floor)) measuredFloors.set(floor, measured.get(floor) ?? [])
    results.push(...cases.map((one) => resultOf(one, measured)))
  }
  if (json) return console.log(JSON.stringify({ cases: results.map(({ figures }) => figures) }))

  const ours = results.filter(({ case: { name } }) => !name.startsWith('alt_'))
  section(`Milepost, medians of ${timing.rounds} rounds of ${timing.seconds} s`)
  printResults(ours)
  if (measuredFloors.size > 0) {
    section('The floors beside each other, 64 connections, one job')
    printFloors(measuredFloors)
  }
  if (ours.length < results.length) {
    section('What a user would write instead')
    printResults(results.filter((result) => !ours.includes(result)))
    section('How many times as fast Milepost is')
    printComparison(results)
  }
  if (options.alternatives && !hasRedis())
    console.log('\n  No redis-server on this machine: BullMQ is left out')
  section('What a request asks of the runtime, counted')
  const counts: CaseCounts[] = []
  const counted = ours.map(({ case: one }) => one)
  for await (const one of countCases(counted, workshop, sender)) counts.push(one)
  printCounts(counts)
  if (timing.only.length > 0) return
  section('Sizes')
  await printSizes(workshop)
}

function isWanted({ name }: Case): boolean {
  const { only, alternatives } = options
  const isAlternative = name.startsWith('alt_')
  if (isAlternative && !alternatives) return false
  return (
    only.length === 0 ||
    only.some((wanted) => name === wanted || (isAlternative && name.endsWith(`_${wanted}`)))
  )
}

function say(line: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)}  ${line}`)
}

function section(title: string): void {
  console.log(`\n${title}\n`)
}

function optionsOrExit(): Options {
  try {
    const read = readOptions(process.argv.slice(2))
    const names = groups.flat().map(({ name }) => name)
    const unknown = read.only.find((name) => !names.includes(name))
    if (unknown !== undefined) throw new TypeError(`There is no case ${unknown}, only ${names.join(', ')}`)
    return read
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    process.exit(2)
  }
}
