// Reading from Taskward, and changing what is cached. Used by the server and in the browser.

import { type InfiniteData, QueryClient, infiniteQueryOptions, replaceEqualDeep } from '@tanstack/react-query'
import type { Task, TaskList, TaskwardClient } from 'taskward-client'
import { listTasksInfiniteOptions } from 'taskward-client/react-query'

import { type Filters, listQuery } from './filters'
import type { Lingering } from './lingering'

type Pages = InfiniteData<TaskList>

/**
 * The pages of a list. `timeZone`: where the person is, which says when the days of due dates begin. In the browser,
 * `lingering` are tasks that stay in the list for a moment longer.
 */
export function taskList({ client }: TaskwardClient, filters: Filters, timeZone: string, lingering?: Lingering) {
  const zone = filters.sort === 'due_date' && { time_zone: timeZone }
  return infiniteQueryOptions({
    ...listTasksInfiniteOptions({ client, query: { ...listQuery(filters), ...zone, limit: 50 } }),
    initialPageParam: {},
    getNextPageParam: (last: TaskList) => last.next_cursor,
    structuralSharing: (old, fresh) => {
      const next = lingering && old ? lingering.keepIn(old as Pages, fresh as Pages) : fresh
      return replaceEqualDeep(old, next)
    },
  })
}

/** All queries that show tasks. */
export const everyTask = { queryKey: [{ tags: ['Tasks'] }] }

/** All lists, with any filters. */
const everyList = { queryKey: [{ _id: 'listTasks' }] }

/** Replaces each task in each list by `change(task)`; undefined removes it. Returns a function that undoes this. */
export function changeLists(queries: QueryClient, change: (task: Task) => Task | undefined): () => void {
  const before = queries.getQueriesData<Pages>(everyList)
  queries.setQueriesData<Pages>(everyList, (list) => {
    return list && { ...list, pages: list.pages.map(changed) }
  })
  return () => before.forEach(([key, list]) => queries.setQueryData(key, list))

  function changed(page: TaskList): TaskList {
    return { ...page, items: page.items.flatMap((task) => change(task) ?? []) }
  }
}

/** All tasks that are in some list. */
export function listedTasks(queries: QueryClient): Task[] {
  const pages = queries.getQueriesData<Pages>(everyList).flatMap(([, list]) => list?.pages ?? [])
  return pages.flatMap(({ items }) => items)
}
