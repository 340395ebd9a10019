import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(import.meta.dirname)
const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace('package.json', 'bin/tsc')
for (const project of ['tsconfig.json', 'tsconfig.cli.json'])
  execFileSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' })
// npm makes it executable when it links it, but a rebuild writes a new file.
chmodSync('dist/cli/main.js', 0o755)
