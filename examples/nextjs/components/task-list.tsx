'use client'

import { Fragment, useRef } from 'react'
import { useQueryClient } from '@tanstack/react-query'

import { useClock } from '@/lib/clock'
import { describeDue } from '@/lib/dates'
import { isPassing } from '@/lib/failures'
import { isNarrowed } from '@/lib/filters'
import { retryNow } from '@/lib/retries'
import { useFilters } from '@/lib/use-address'
import { useLingering } from '@/lib/use-lingering'
import { useTaskList } from '@/lib/use-task-list'

import { Empty } from './empty'
import { Failure } from './failure'
import { MoreButton } from './more-button'
import { Skeleton } from './skeleton'
import { TaskRow } from './task-row'

export function TaskList() {
  const { filters } = useFilters()
  const clock = useClock()
  const queries = useQueryClient()
  const rows = useRef<HTMLUListElement>(null)
  const linger = useLingering(rows)
  const list = useTaskList()
  // Between two attempts too, so that the message stays until one succeeds.
  const error = list.failureReason
  const isNextPage = list.isFetchingNextPage || list.isFetchNextPageError

  if (list.isPending && !error) return <Skeleton />
  const tasks = list.data?.pages.flatMap(({ items }) => items) ?? []
  const dated = tasks.map((task) => ({ task, due: describeDue(task.due_date, clock) }))
  const grouped = filters.sort === 'due_date'

  const retry = () => void (isPassing(error) ? retryNow(queries) : list.refetch())
  const failure = error && <Failure text="Your tasks could not be loaded." error={error} retry={retry} />
  return (
    <section aria-label="Tasks" aria-busy={list.isPlaceholderData}>
      {!isNextPage && failure}
      {list.isSuccess && tasks.length === 0 && <Empty narrowed={isNarrowed(filters)} />}
      {tasks.length > 0 && (
        <ul ref={rows} className={list.isPlaceholderData ? 'tasks stale' : 'tasks'}>
          {dated.map(({ task, due }, index) => (
            <Fragment key={task.id}>
              {grouped && due.group !== dated[index - 1]?.due.group && (
                <li className="group">
                  <h2>{due.group}</h2>
                </li>
              )}
              <TaskRow task={task} due={due} linger={linger} />
            </Fragment>
          ))}
        </ul>
      )}
      {isNextPage && failure}
      {list.hasNextPage && !failure && (
        <MoreButton busy={list.isFetchingNextPage} load={() => void list.fetchNextPage()} />
      )}
      <p className="hidden" role="status">
        {list.isFetchingNextPage ? 'Loading more' : countOf(tasks.length, list.hasNextPage)}
      </p>
    </section>
  )
}

function countOf(count: number, hasMore: boolean): string {
  if (hasMore) return `${count} or more tasks`
  return count === 1 ? '1 task' : `${count} tasks`
}
