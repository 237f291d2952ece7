'use client'

import { useLiveQuery } from '@tanstack/react-db'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useSyncExternalStore } from 'react'
import { taskKey } from 'taskward-client/tanstack-db'

import { comparator, isShown } from './arrange'
import { useOnline } from './connection'
import { explain, isPassing } from './failures'
import { isSameList } from './filters'
import { usePage } from './page-context'
import { useFilters } from './use-address'

/**
 * All tasks as they are, with what has been changed on this page. Until `isReady` there are only those that came with
 * the page. Undefined on the server, and while React hydrates its HTML.
 */
export function useTasks() {
  const { tasks } = usePage()
  const isBrowser = useSyncExternalStore(
    nothingChanges,
    () => true,
    () => false,
  )
  const { data, isReady } = useLiveQuery({
    queryKey: ['tasks', isBrowser],
    query: (q) => (isBrowser && tasks ? q.from({ task: tasks }) : undefined),
  })
  return { tasks: data, isReady: data !== undefined && isReady }
}

const nothingChanges = () => () => {}

/** The list that the address describes. */
export function useTaskList() {
  const { first, lingering } = usePage()
  const { filters } = useFilters()
  const { tasks, isReady } = useTasks()
  const search = useSearch(tasks?.reduce((newest, { version }) => Math.max(newest, version), 0) ?? 0)
  const staying = useSyncExternalStore(lingering.subscribe, lingering.get, lingering.get)
  const isFirst = isSameList(filters, first.filters)
  const found = useMemo(
    () => search.found ?? (isFirst ? new Set(first.tasks.map(({ id }) => id)) : undefined),
    [search.found, isFirst, first],
  )
  const shown = useMemo(
    () =>
      tasks
        ?.filter((task) => isShown(task, filters, found) || staying.has(taskKey(task)))
        .sort(comparator(filters.sort)),
    [tasks, filters, found, staying],
  )
  const hasCome = isReady && (!filters.q.trim() || search.found !== undefined)
  const failure = useFailure(search, hasCome, isFirst)
  return {
    tasks: shown ?? first.tasks,
    /** Whether these are the tasks of this list, and not those that were there before. */
    isRight: (hasCome && !search.isOld) || (isFirst && !first.failure),
    /** Whether there are tasks that have not come yet. */
    hasMore: !isReady && first.hasMore,
    failure,
  }
}

interface Search {
  found: ReadonlySet<number> | undefined
  isOld: boolean
  error: unknown
  retry: () => void
}

/** Asks the server for the ids that match the text, again after each change: browsers cannot fold a text as it does. */
function useSearch(revision: number): Search {
  const { taskward, tasks } = usePage()
  const q = useFilters().filters.q.trim()
  const { data, failureReason, refetch } = useQuery({
    queryKey: ['search', q, revision],
    queryFn: async ({ signal }) => {
      const ids = new Set<number>()
      for await (const { id } of taskward.paginate({ query: { q }, signal })) ids.add(id)
      return { q, ids }
    },
    enabled: q !== '' && tasks !== undefined,
    placeholderData: keepPreviousData,
    structuralSharing: false,
    gcTime: 0,
  })
  if (q === '') return { found: undefined, isOld: false, error: null, retry: () => {} }
  return {
    found: data?.ids,
    isOld: data !== undefined && data.q !== q,
    error: failureReason,
    retry: () => void refetch(),
  }
}

/** Why the list cannot be shown, if it cannot. */
function useFailure(search: Search, hasCome: boolean, isFirst: boolean) {
  const { first, stream, retry } = usePage()
  const online = useOnline()
  const streamError = useSyncExternalStore(
    stream.subscribe,
    () => stream.error,
    () => undefined,
  )
  if (search.error)
    return { reason: explain(search.error, online), isPassing: isPassing(search.error), retry: search.retry }
  if (isFirst && first.failure && !first.failure.isPassing)
    return { reason: first.failure.text, isPassing: false, retry }
  // The list that came with the page can be shown; that there is no connection is told above it.
  if (hasCome || (isFirst && !first.failure)) return undefined
  if (streamError) return { reason: explain(streamError, online), isPassing: true, retry }
  return isFirst && first.failure ? { reason: first.failure.text, isPassing: true, retry } : undefined
}
