// Server-sent events, read from the body of a `fetch`.
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

export interface ServerSentEvent {
  name: string
  data: string
  /** The last `id` of the stream so far; empty if there was none. */
  id: string
}

/** Turns texts into events. A text may end anywhere, also between the two characters of a line's end. */
export class EventParser {
  /** The last `retry` of the stream: after how many milliseconds to connect again. */
  retry: number | undefined
  #line = ''
  #endedWithReturn = false
  #id = ''
  #name = ''
  #data: string[] = []

  /** The events that `text` completes. What the stream leaves incomplete is dropped, as the standard says. */
  push(text: string): ServerSentEvent[] {
    if (text === '') return []
    const rest = this.#endedWithReturn && text.startsWith('\n') ? text.slice(1) : text
    this.#endedWithReturn = text.endsWith('\r')
    const lines = rest.split(/\r\n|\n|\r/)
    lines[0] = this.#line + lines[0]
    this.#line = lines.pop() ?? ''
    return lines.flatMap((line) => this.#take(line))
  }

  #take(line: string): ServerSentEvent[] {
    if (line === '') return this.#dispatch()
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#name = value
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value)
    return []
  }

  #dispatch(): ServerSentEvent[] {
    const [name, data] = [this.#name || 'message', this.#data]
    this.#name = ''
    this.#data = []
    return data.length === 0 ? [] : [{ name, data: data.join('\n'), id: this.#id }]
  }
}

/**
 * The events of a body until it ends. Throws if nothing, not even a comment, comes for `silenceMs` milliseconds: such a
 * connection is dead, though nobody has closed it. Time that the caller takes for an event does not count.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  parser: EventParser,
  silenceMs: number,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let silent = false
  const giveUp = () => {
    silent = true
    reader.cancel().catch(() => {})
  }
  try {
    for (;;) {
      const timer = setTimeout(giveUp, silenceMs)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (silent) throw new Error(`The stream was silent for ${silenceMs} ms.`)
      if (done) return
      yield* parser.push(decoder.decode(value, { stream: true }))
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
