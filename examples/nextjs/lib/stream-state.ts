import type { ConnectionState } from 'taskward-client'

/** Whether the stream of changes is connected, and why not. For `useSyncExternalStore`. */
export class StreamState {
  #isLive = false
  #error: unknown
  #failures = 0
  readonly #listeners = new Set<() => void>()

  get isLive() {
    return this.#isLive
  }

  /** Why the last attempt to connect failed; undefined while connected, and before the first attempt has ended. */
  get error() {
    return this.#error
  }

  /** Whether it has failed more than once: not for the moment in which a server is restarted. */
  get isAway() {
    return this.#failures > 1
  }

  readonly note = (state: ConnectionState) => {
    // While it connects again, the last failure stays, so that a message about it does not flicker.
    if (state.status === 'connecting') return
    this.#isLive = state.status === 'live'
    this.#error = state.status === 'waiting' ? state.error : undefined
    this.#failures = this.#isLive ? 0 : this.#failures + 1
    this.#listeners.forEach((listener) => listener())
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
