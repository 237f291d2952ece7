// The stream of changes, connected again whenever it breaks.

import type { TaskwardClient } from '../client.js'
import { TaskwardError } from '../errors.js'
import type { ChangeList, StreamEnd } from '../generated/types.gen.js'
import { EventParser, readEvents } from './event-stream.js'
import { Pacing, isPassing, type PacingOptions } from './pacing.js'

export interface SubscribeOptions extends PacingOptions {
  /** The revision up to which you have all changes. Default: 0, for a copy that is empty. */
  since?: number
  /** A connection on which nothing comes for so many milliseconds is given up. Default: 45000, three heartbeats. */
  silenceMs?: number
}

/** A page of changes as it came by the stream. */
export interface Changes extends ChangeList {
  /** The revision up to which you have everything once you have applied this page: the `since` to resume from. */
  revision: number
}

/**
 * The changes of a user's tasks as they happen: first what has changed since `since`, then each commit within a moment.
 * The first page comes at once, even if nothing has changed. Nothing is missed and nothing comes twice, whatever breaks
 * in between: the stream is connected again, from where it was, with a token of its own, after pauses that grow.
 *
 * Ends at the abort of `signal`. Throws a TaskwardError if the server refuses the subscription for good, as with
 * `resync_required`: then begin again with an empty copy and `since: 0`, or use `sync`, which does that by itself.
 */
export async function* subscribe(
  taskward: TaskwardClient,
  options: SubscribeOptions = {},
): AsyncGenerator<Changes, void, undefined> {
  const pacing = new Pacing(options)
  const { signal } = pacing
  let since = options.since ?? 0
  while (!signal.aborted) {
    const parser = new EventParser()
    let end: StreamEnd | undefined
    let failure: unknown
    let live = false
    pacing.connecting()
    try {
      for await (const event of connect(taskward, since, parser, options.silenceMs ?? 45_000, signal)) {
        if (event.name === 'changes') {
          if (!live) pacing.live()
          live = true
          since = Number(event.id)
          yield { ...(JSON.parse(event.data) as ChangeList), revision: since }
        } else if (event.name === 'end') {
          end = JSON.parse(event.data) as StreamEnd
          if (end.reason === 'resync_required') throw resyncRequired(end.detail)
        }
      }
      failure = new Error(end?.detail ?? 'The stream was cut.')
    } catch (error) {
      if (!signal.aborted && !isPassing(error)) throw error
      failure = error
    }
    if (signal.aborted) return
    // An orderly end, unless the token was as good as over when it came.
    if (end?.reason === 'token_expired' && pacing.held(1000)) continue
    await pacing.wait(failure, end?.reason === 'shutdown' ? parser.retry : undefined)
  }
}

async function* connect(
  taskward: TaskwardClient,
  since: number,
  parser: EventParser,
  silenceMs: number,
  signal: AbortSignal,
) {
  const controller = new AbortController()
  const abort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    const { data, response } = await taskward.client.get({
      url: '/api/v1/events',
      security: [{ scheme: 'bearer', type: 'http' }],
      headers: { Accept: 'text/event-stream' },
      query: { since },
      parseAs: 'stream',
      cache: 'no-store',
      signal: controller.signal,
      throwOnError: true,
    })
    const type = response.headers.get('Content-Type') ?? ''
    if (!/^text\/event-stream\b/i.test(type)) throw TaskwardError.from(response, `Content-Type: ${type}`)
    yield* readEvents(data as ReadableStream<Uint8Array>, parser, silenceMs)
  } finally {
    signal.removeEventListener('abort', abort)
    // Whoever leaves the loop closes the connection.
    controller.abort()
  }
}

function resyncRequired(detail: string): TaskwardError {
  return new TaskwardError({
    type: 'urn:taskward:problem:resync_required',
    title: 'Resync required',
    status: 410,
    code: 'resync_required',
    detail,
    request_id: '',
  })
}
