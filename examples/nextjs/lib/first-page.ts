// The first page of the list that the address describes, fetched by this server, to come with the HTML.

import type { Task, TaskwardClient } from 'taskward-client'

import { explain, isPassing } from './failures'
import { type Filters, listQuery } from './filters'

export interface FirstPage {
  filters: Filters
  tasks: Task[]
  hasMore: boolean
  /** Why there is no list. If that may pass, the browser tries again. */
  failure?: { text: string; isPassing: boolean }
}

/** `timeZone`: where the person is, which says when the days of due dates begin. */
export async function loadFirstPage(taskward: TaskwardClient, filters: Filters, timeZone: string): Promise<FirstPage> {
  const zone = filters.sort === 'due_date' && { time_zone: timeZone }
  try {
    const { data } = await taskward.listTasks({ query: { ...listQuery(filters), ...zone, limit: pageSize } })
    return { filters, tasks: data.items, hasMore: data.next_cursor !== null }
  } catch (error) {
    const failure = { text: explain(error, true), isPassing: isPassing(error) }
    return { filters, tasks: [], hasMore: false, failure }
  }
}

/** How many tasks the list shows at first, and how many more each time. */
export const pageSize = 50
