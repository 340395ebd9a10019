/** `npm start`: runs the edge on this machine. */
import { parseArgs } from 'node:util'
import { DATABASE_NAMES } from '../src/store/databases.ts'
import { PortError } from './check-port.ts'
import { type Edge, openEdge } from './edge.ts'
import { StateError } from './state-error.ts'
import { watchNpm } from './watch-npm.ts'

const USAGE = `Usage: npm start -- [--port N] [--persist-to DIR] [--databases N]

  --port N          the port to listen on (default 8787)
  --persist-to DIR  where to keep the state (default .wrangler/state)
  --databases N     how many D1 databases there are, 1 to ${DATABASE_NAMES.length} (default: as many as the state has)
`

/** Allowed on a developer's machine only. */
const DEVELOPMENT = { ALLOW_LOOPBACK_CALLBACKS: true }

let edge: Edge | undefined
let stopping = false
watchNpm(stop)
const { port, persistTo, databases } = readFlags()
edge = await open()

// Miniflare's own listeners would end this process before it could clean up.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.removeAllListeners(signal)
  process.on(signal, stop)
}

const keysState = persistTo === undefined ? '' : ` --persist-to ${quote(persistTo)}`
console.log(`
  Milepost is running at ${edge.url}

  Issue a key:  npm run --silent keys -- issue --local --org my-shop --name worker \\
                  --permission job:create --permission job:read --permission job:cancel${keysState}
  Stop:         Ctrl-C
`)

/** Quotes text as one shell word. */
function quote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

function readFlags(): { port: number; persistTo: string | undefined; databases: number } {
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({ options: { port: text, 'persist-to': text, databases: text } })
    const port = values.port ?? '8787'
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`--port ${port} is not a port`)
    const databases = values.databases ?? '1'
    if (!/^[1-9]$/.test(databases)) throw new Error(`--databases ${databases} is not from 1 to 9`)
    return { port: Number(port), persistTo: values['persist-to'], databases: Number(databases) }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    process.exit(2)
  }
}

async function open(): Promise<Edge> {
  try {
    // The name covers both addresses: some clients resolve it to ::1.
    return await openEdge({
      port,
      host: 'localhost',
      bindings: DEVELOPMENT,
      databases,
      ...(persistTo === undefined ? {} : { persistTo }),
    })
  } catch (error) {
    if (!(error instanceof PortError || error instanceof StateError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  await edge?.dispose()
  process.exit(0)
}
