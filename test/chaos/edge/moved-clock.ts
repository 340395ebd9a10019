/**
 * A movable clock for the Worker and all of its objects, which share an isolate. Import this before the product, which keeps a
 * reference to `Date.now`.
 */
const machineNow = Date.now
let offset = 0

Date.now = () => machineNow() + offset
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [Date.now()] : args, newTarget),
})

/** Moves the clock by `by` ms, backwards if negative. Returns the new time in ms since the epoch. */
export function moveClock(by: number): number {
  offset += by
  return Date.now()
}

let isPatched = false

/**
 * Makes all storages translate alarm times. The runtime runs alarms by the machine's clock, so an alarm set by the moved clock
 * would otherwise fire too late or too early.
 */
export function translateAlarms(storage: DurableObjectStorage): void {
  if (isPatched) return
  isPatched = true
  const prototype: DurableObjectStorage = Object.getPrototypeOf(storage)
  const { getAlarm, setAlarm } = prototype
  prototype.getAlarm = async function (options) {
    const at = await getAlarm.call(this, options)
    return at === null ? null : at + offset
  }
  prototype.setAlarm = function (at, options) {
    return setAlarm.call(this, Number(at) - offset, options)
  }
}
