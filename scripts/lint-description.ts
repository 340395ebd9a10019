import { createConfig, lintFromString } from '@redocly/openapi-core'
import { type RulesetDefinition, Spectral } from '@stoplight/spectral-core'
import { oas } from '@stoplight/spectral-rulesets'
import { endpoints } from '../src/endpoints/all.ts'
import { describe } from '../src/openapi/describe.ts'

/**
 * Lints the API description with Redocly's `recommended` rules and Spectral's `oas` rules. Prints one line per problem
 * and exits with 1 if there is any, a warning included.
 */

const publicReplies = endpoints
  .filter(({ permission }) => permission === null)
  .map(({ path, method }) => pointerTo(['paths', path, method, 'responses']))
const description = JSON.stringify(describe(endpoints))
const problems = [...(await lintWithRedocly(description)), ...(await lintWithSpectral(description))]
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1

// Each linter has one rule turned off: the one against the trailing slash of `/api/jobs/`. The original API has that
// path, and its clients call it. Redocly's rule that each operation has a reply of 4xx does not hold for operations that
// anyone may call: they check nothing, so they refuse nothing.

async function lintWithRedocly(source: string): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended'], rules: { 'no-path-trailing-slash': 'off' } })
  const found = await lintFromString({ source, config })
  return found
    .map(({ ruleId, message, location: [at] }) => ({ ruleId, message, pointer: at?.pointer ?? '#/' }))
    .filter(({ ruleId, pointer }) => ruleId !== 'operation-4xx-response' || !publicReplies.includes(pointer))
    .map(({ ruleId, message, pointer }) => `${pointer} ${message} (Redocly ${ruleId})`)
}

async function lintWithSpectral(source: string): Promise<string[]> {
  const spectral = new Spectral()
  // The declared type of `oas` has `string` where a ruleset has literals.
  const rules = oas as RulesetDefinition
  spectral.setRuleset({ extends: rules, rules: { 'path-keys-no-trailing-slash': 'off' } })
  const found = await spectral.run(source)
  return found.map(({ code, message, path }) => `${pointerTo(path)} ${message} (Spectral ${code})`)
}

function pointerTo(path: (string | number)[]): string {
  return `#/${path.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`
}
