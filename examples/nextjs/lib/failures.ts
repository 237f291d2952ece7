// What went wrong, in words for the person in front of the screen.

import { TaskwardError } from 'taskward-client'

/** One sentence or two: what happened, and what to do. */
export function explain(error: unknown): string {
  if (error instanceof TaskwardError && error.status < 500 && error.code !== 'unexpected_answer') {
    return error.errors.map((fault) => fault.detail).join(' ') || error.detail
  }
  if (!navigator.onLine) return 'You are offline. Try again when you are connected.'
  return 'The server cannot be reached or has a problem. Try again in a moment.'
}

/** The faults of a body by its members: `/tags/2` belongs to `tags`. The server finds all of them at once. */
export function faultsOf(error: unknown): Record<string, string> {
  if (!(error instanceof TaskwardError)) return {}
  const faults: Record<string, string> = {}
  for (const { pointer, detail } of error.errors) {
    const member = pointer?.split('/')[1]
    if (member) faults[member] = faults[member] ? `${faults[member]} ${detail}` : detail
  }
  return faults
}

/** Whether the session is over: the client has already tried a new token. */
export const isSignedOut = (error: unknown) => error instanceof TaskwardError && error.status === 401
