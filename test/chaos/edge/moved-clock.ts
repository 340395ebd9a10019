/**
 * A clock that can be moved, for the Worker and all of its objects: they share an isolate. It is imported before
 * anything of the product, which keeps `Date.now` by reference.
 */
const machineNow = Date.now
let offset = 0

Date.now = () => machineNow() + offset
globalThis.Date = new Proxy(Date, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [Date.now()] : args, newTarget),
})

/** Moves the clock by so many ms, backwards if negative; the time that it then shows, in ms since the epoch. */
export function moveClock(by: number): number {
  offset += by
  return Date.now()
}

let isPatched = false

/**
 * Has all storages translate alarms: the runtime keeps them by the machine's clock, and one set for a time of the moved
 * clock would go off late or early by as much.
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
