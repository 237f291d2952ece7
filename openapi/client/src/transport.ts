// Sends one request, as often as needed: the token, one refresh of it, retries, and their limits.

import { TaskwardNetworkError, parseRetryAfter } from './errors.js'

/**
 * A token (a JWT of an issuer that the server trusts), or what gets one. It is called for every request, so it
 * should remember its token; with `forceRefresh` the server has just refused that one, and a new one is needed.
 */
export type TokenSource =
  string | ((request: { forceRefresh: boolean }) => Promise<string | null | undefined> | string | null | undefined)

/** How to retry after 429, 503 or no answer. Only GET and requests with an `Idempotency-Key` are sent again. */
export interface RetryOptions {
  /** How often a request is sent at most. Default: 4. */
  attempts?: number
  /** The first pause in milliseconds; each one after is twice as long, less up to a half at random. Default: 250. */
  baseDelayMs?: number
  /** The longest such pause. Default: 5000. */
  maxDelayMs?: number
  /** A `Retry-After` beyond this is not waited for: the error says how long it is. Default: 20000. */
  maxRetryAfterMs?: number
  /** No attempt begins later than this. Default: 30000. */
  totalMs?: number
}

export interface TransportOptions {
  token: TokenSource
  fetch?: typeof fetch
  /** `false` for one attempt only. */
  retry?: RetryOptions | false
  /** How long one attempt may take, in milliseconds. Default: 30000. */
  timeoutMs?: number
}

const defaults: Required<RetryOptions> = {
  attempts: 4,
  baseDelayMs: 250,
  maxDelayMs: 5000,
  maxRetryAfterMs: 20_000,
  totalMs: 30_000,
}

/** The placeholder in `Authorization` of operations that need a token; the transport replaces it. */
export const PLACEHOLDER = 'token-of-the-caller'

/** A `fetch` that gives requests their token, and repeats those that may be repeated. */
export function createTransport(options: TransportOptions): (request: Request) => Promise<Response> {
  const retry = { ...defaults, ...(options.retry === false ? { attempts: 1 } : options.retry) }
  const timeoutMs = options.timeoutMs ?? 30_000
  const tokens = tokensOf(options.token)

  return async (request) => {
    const { method, signal } = request
    const started = Date.now()
    const secured = request.headers.get('Authorization') === `Bearer ${PLACEHOLDER}`
    const readOnly = method === 'GET' || method === 'HEAD'
    const body = readOnly ? undefined : await request.arrayBuffer()
    // A stream is connected again by `subscribe`, which knows where it was.
    const stream = request.headers.get('Accept') === 'text/event-stream'
    const repeatable = (readOnly && !stream) || request.headers.has('Idempotency-Key')
    let token = secured ? await orAborted(tokens.get(), signal) : undefined
    let refreshed = false

    for (let attempt = 1; ;) {
      // A pause, or a token that came in the same moment, may have ended in an abort.
      signal.throwIfAborted()
      const headers = new Headers(request.headers)
      if (secured && token?.value) headers.set('Authorization', `Bearer ${token.value}`)
      else if (secured) headers.delete('Authorization')
      const init: RequestInit = { headers, ...(body?.byteLength ? { body } : {}) }

      let response: Response | undefined
      let failure: unknown
      try {
        response = await once(options.fetch ?? globalThis.fetch, request, init, timeoutMs)
      } catch (error) {
        signal.throwIfAborted()
        failure = error
      }

      // The server checks the token before it does anything, so a request that was refused for it may be sent again.
      if (response?.status === 401 && token && tokens.refreshable && !refreshed) {
        refreshed = true
        token = await orAborted(tokens.refresh(token), signal)
        continue
      }
      const passing = !response || response.status === 429 || response.status === 503
      const pause = passing && repeatable && attempt < retry.attempts ? pauseAfter(attempt, response) : undefined
      if (pause === undefined || Date.now() - started + pause > retry.totalMs) {
        if (response) return response
        throw new TaskwardNetworkError(request, attempt, failure)
      }
      await sleep(pause, signal)
      attempt += 1
    }
  }

  /** Milliseconds until the next attempt; undefined if the server asks for a longer pause than allowed. */
  function pauseAfter(attempt: number, response: Response | undefined): number | undefined {
    const longest = Math.min(retry.maxDelayMs, retry.baseDelayMs * 2 ** (attempt - 1))
    const asked = parseRetryAfter(response?.headers.get('Retry-After') ?? null)
    if (asked === undefined) return longest * (1 - Math.random() / 2)
    if (asked * 1000 > retry.maxRetryAfterMs) return undefined
    // Jitter: clients that got the same Retry-After should not all come back at the same moment.
    return asked * 1000 + Math.random() * retry.baseDelayMs
  }
}

interface Token {
  value: string | null | undefined
  /** How many refreshes there had been when it was got. */
  age: number
}

function tokensOf(source: TokenSource) {
  let refreshes = 0
  let latest: Promise<Token> | undefined

  const ask = async (forceRefresh: boolean, age: number): Promise<Token> => {
    return { value: typeof source === 'string' ? source : await source({ forceRefresh }), age }
  }
  return {
    refreshable: typeof source === 'function',
    get: () => ask(false, refreshes),
    /** A newer token than `refused`: one refresh for all requests that were sent with a token from before it. */
    refresh(refused: Token): Promise<Token> {
      if (latest === undefined || refused.age === refreshes) {
        refreshes += 1
        latest = ask(true, refreshes)
      }
      return latest
    },
  }
}

/** One attempt, with its answer read to the end, so that a connection that breaks in the middle counts as broken. */
async function once(
  fetch: typeof globalThis.fetch,
  request: Request,
  init: RequestInit,
  timeoutMs: number,
): Promise<Response> {
  const { signal } = request
  const controller = new AbortController()
  const abort = () => controller.abort(signal.reason)
  const late = () => controller.abort(new DOMException(`No answer within ${timeoutMs} ms`, 'TimeoutError'))
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  const timer = setTimeout(late, timeoutMs)
  let streaming = false
  try {
    const response = await fetch(new Request(request, { ...init, signal: controller.signal }))
    streaming = /^text\/event-stream\b/i.test(response.headers.get('Content-Type') ?? '')
    if (streaming) return response
    const bytes = await response.arrayBuffer()
    const { status, statusText, headers } = response
    // 204 and 304 may not have a body, not even an empty one.
    return new Response(bytes.byteLength ? bytes : null, { status, statusText, headers })
  } finally {
    clearTimeout(timer)
    if (!streaming) signal.removeEventListener('abort', abort)
  }
}

/** Waits this long, or until the abort. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
}

/** The result of `promise`, or the reason of the abort as soon as there is one. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort!: () => void
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
