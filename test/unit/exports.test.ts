import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const files = ['src', 'clients/typescript/src', 'test', 'scripts', 'examples'].flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(
      (name) => /\.(?:ts|js)$/.test(name) && !name.includes('node_modules') && !name.includes('generated/'),
    )
    .map((name) => ({ path: `${root}/${name}`, text: readFileSync(`${root}/${name}`, 'utf8') })),
)

test('Nothing that only one file needs is exported', () => {
  const words = files.map(({ path, text }) => ({ path, words: new Set(text.match(/\w+/g)) }))
  const unused = files.flatMap(({ path, text }) =>
    [...text.matchAll(/^export (?:declare )?(?:async )?(?:const|function\*?|class|interface|type) (\w+)/gm)]
      .map(([, name = '']) => name)
      .filter((name) => !words.some((other) => other.path !== path && other.words.has(name)))
      .map((name) => `${path}: ${name}`),
  )
  expect(unused).toEqual([])
})
