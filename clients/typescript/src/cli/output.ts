import { printable } from './printable.ts'
import { toApiShape } from './to-api-shape.ts'

/** Writes human text: to stderr, so that stdout has nothing but what a program reads. The text must be printable. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Writes a remark of the command's own. */
export function warn(text: string): void {
  say(`milepost: ${printable(text)}`)
}

/** Writes a job or an entry as one line of JSON, with the API's names. */
export function sayJson(value: object): void {
  process.stdout.write(`${JSON.stringify(toApiShape(value))}\n`)
}

/** Writes a part of a file to stdout. Resolves once it is written: the reader may be slower than the API. */
export async function writeOut(part: Uint8Array): Promise<void> {
  await new Promise<void>((written) => process.stdout.write(part, () => written()))
}
