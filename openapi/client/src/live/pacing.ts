// When to try again, for what runs as long as a page is open.

import { TaskwardError } from '../errors.js'
import { sleep } from '../transport.js'

export interface PacingOptions {
  /**
   * The first pause after a failure in milliseconds; each one after is twice as long, less up to a half. Default: 500.
   */
  baseDelayMs?: number
  /** The longest such pause. Default: 30000. A `Retry-After` may be longer, and is waited for. */
  maxDelayMs?: number
  signal?: AbortSignal
  onState?: (state: ConnectionState) => void
}

/** How a subscription is connected. While it is `waiting`, it tries again after `ms` milliseconds. */
export type ConnectionState =
  { status: 'connecting' } | { status: 'live' } | { status: 'waiting'; error: unknown; ms: number }

/** A connection that held this long, in milliseconds, was a good one: pauses begin with the shortest again. */
const GOOD_MS = 10_000

/** Counts failures, and waits after each. */
export class Pacing {
  readonly signal: AbortSignal
  readonly #options: PacingOptions
  #failures = 0
  #started = 0
  #wake: (() => void) | undefined

  constructor(options: PacingOptions) {
    this.#options = options
    this.signal = options.signal ?? new AbortController().signal
  }

  connecting(): void {
    this.#started = Date.now()
    this.#options.onState?.({ status: 'connecting' })
  }

  live(): void {
    this.#options.onState?.({ status: 'live' })
  }

  /** Whether the connection that has just ended has held for `ms` milliseconds. */
  held(ms: number): boolean {
    return Date.now() - this.#started >= ms
  }

  /** Waits after a failure: `ms` if that is given, otherwise the longer the more failures there were. */
  async wait(error: unknown, ms?: number): Promise<void> {
    const { baseDelayMs = 500, maxDelayMs = 30_000, onState } = this.#options
    this.#failures = this.held(GOOD_MS) ? 1 : this.#failures + 1
    const longest = Math.min(maxDelayMs, baseDelayMs * 2 ** (this.#failures - 1))
    // Jitter: clients that lost the same server should not all come back at the same moment.
    const chosen = ms ?? longest * (1 - Math.random() / 2)
    const asked = error instanceof TaskwardError ? (error.retryAfter ?? 0) * 1000 : 0
    const pause = Math.max(chosen, asked)
    onState?.({ status: 'waiting', error, ms: pause })
    await this.sleep(pause)
  }

  /** Waits this long, until the abort, or until the browser says that it is online again. */
  async sleep(ms: number): Promise<void> {
    const waking = new AbortController()
    const wake = () => waking.abort()
    this.#wake = wake
    // Node has no such events.
    globalThis.addEventListener?.('online', wake)
    this.signal.addEventListener('abort', wake)
    if (this.signal.aborted) wake()
    try {
      if (!waking.signal.aborted) await sleep(ms, waking.signal)
    } finally {
      globalThis.removeEventListener?.('online', wake)
      this.signal.removeEventListener('abort', wake)
    }
  }

  /** Ends a pause. */
  wake(): void {
    this.#wake?.()
  }

  /** Forgets the failures: pauses begin with the shortest again. */
  reset(): void {
    this.#failures = 0
  }

  /** Calls `attempt` until it succeeds. Throws what no repetition will cure, and the reason of an abort. */
  async persist<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      this.connecting()
      try {
        return await attempt()
      } catch (error) {
        this.signal.throwIfAborted()
        if (!isPassing(error)) throw error
        await this.wait(error)
        this.signal.throwIfAborted()
      }
    }
  }
}

/**
 * Whether an error may be gone with the next attempt: no answer, no token because the issuer is away, a server that is
 * busy or broken. What the server refuses (4xx) it will refuse again, with or without a pause.
 */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof TaskwardError)) return true
  return error.status < 400 || error.status === 408 || error.status === 429 || error.status >= 500
}
