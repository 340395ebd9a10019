interface ServerEvent {
  event: string
  data: string
  id: string
}

/** Reads server-sent events. `onBytes` is called for every chunk, those with only a heartbeat included. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<ServerEvent, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      // An event without the empty line at its end was cut off.
      if (done) return
      onBytes()
      text += decoder.decode(value, { stream: true })
      const blocks = text.split(/\r?\n\r?\n/)
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = readEvent(block)
        if (event.data !== '') yield event
      }
    }
  } finally {
    // Its reader may have left early. The connection may be broken already.
    await reader.cancel().catch(() => {})
  }
}

function readEvent(block: string): ServerEvent {
  const event = { event: 'message', data: '', id: '' }
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const [, name, value = ''] = /^(\w+):? ?(.*)$/.exec(line) ?? []
    if (name === 'data') data.push(value)
    else if (name === 'event' || name === 'id') event[name] = value
  }
  return { ...event, data: data.join('\n') }
}
