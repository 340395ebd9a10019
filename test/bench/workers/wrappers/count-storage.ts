type OnWrite = (rows: number, values: unknown) => void

let isPatched = false

/** Calls `onWrite` for each write of any object to its own storage. */
export function countStorage(storage: DurableObjectStorage, onWrite: OnWrite): void {
  if (isPatched) return
  isPatched = true
  patch(storage, 'setAlarm', () => onWrite(1, []))
  patch(storage, 'deleteAlarm', () => onWrite(1, []))
  patch(storage.kv, 'put', ([, value]) => onWrite(1, [value]))
  patch(storage.kv, 'delete', () => onWrite(1, []))
  patch(storage.sql, 'exec', ([, ...values], cursor) => {
    const rows = (cursor as SqlStorageCursor<Record<string, SqlStorageValue>>).rowsWritten
    if (rows > 0) onWrite(rows, values)
  })
}

/** Replaces a method of all instances by one that also tells `onCall`. */
function patch(instance: object, name: string, onCall: (args: unknown[], result: unknown) => void): void {
  const prototype = Object.getPrototypeOf(instance)
  const method: (...args: unknown[]) => unknown = prototype[name]
  prototype[name] = function (...args: unknown[]) {
    const result = method.apply(this, args)
    onCall(args, result)
    return result
  }
}
