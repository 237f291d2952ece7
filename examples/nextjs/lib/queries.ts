// What is read from Taskward, and how it is changed where it is cached. Used by the server and in the browser.

import { type InfiniteData, QueryClient, infiniteQueryOptions } from '@tanstack/react-query'
import type { Task, TaskList, TaskwardClient } from 'taskward-client'
import { listTasksInfiniteOptions } from 'taskward-client/react-query'

import { type Filters, listQuery } from './filters'

/** The pages of a list. */
export const taskList = ({ client }: TaskwardClient, filters: Filters) =>
  infiniteQueryOptions({
    ...listTasksInfiniteOptions({ client, query: { ...listQuery(filters), limit: 50 } }),
    initialPageParam: {},
    getNextPageParam: (last: TaskList) => last.next_cursor,
  })

/** Everything that shows tasks. */
export const everyTask = { queryKey: [{ tags: ['Tasks'] }] }

/** All lists, whatever their filters. */
const everyList = { queryKey: [{ _id: 'listTasks' }] }

type Pages = InfiniteData<TaskList>

/** Puts `change(task)` in the place of each task in each list; undefined takes it out. Gives a way back. */
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
