// A query that failed for a passing reason is sent again by itself, in growing pauses, until it succeeds.

import type { QueryClient } from '@tanstack/react-query'
import { TaskwardError } from 'taskward-client'

import { isPassing } from './failures'

const longestPause = 30_000

/** Options for all queries. Taskward's client has made some quick attempts before each failure. */
export const retries = {
  retry: (_failures: number, error: unknown) => isPassing(error),
  retryDelay(failures: number, error: unknown) {
    const asked = error instanceof TaskwardError ? (error.retryAfter ?? 0) * 1000 : 0
    // Up to a half less, by chance, so that not every browser comes back at the same moment.
    return Math.max(asked, Math.min(1000 * 2 ** failures, longestPause) * (1 - Math.random() / 2))
  },
}

/** Sends the failed queries that are shown again now, without the rest of their pauses. */
export async function retryNow(queries: QueryClient) {
  const failed = queries.getQueryCache().findAll({
    type: 'active',
    predicate: ({ state }) => state.fetchFailureReason !== null && isPassing(state.fetchFailureReason),
  })
  const filter = { predicate: (query: (typeof failed)[number]) => failed.includes(query) }
  await queries.cancelQueries(filter)
  await queries.refetchQueries(filter)
}
