'use client'

import { Fragment, useRef, useState } from 'react'
import { taskKey } from 'taskward-client/tanstack-db'

import { useClock } from '@/lib/clock'
import { describeDue } from '@/lib/dates'
import { isNarrowed, writeFilters } from '@/lib/filters'
import { pageSize } from '@/lib/first-page'
import { useRelease } from '@/lib/lingering'
import { useFilters } from '@/lib/use-address'
import { useTaskList } from '@/lib/use-tasks'

import { Empty } from './empty'
import { Failure } from './failure'
import { MoreButton } from './more-button'
import { Skeleton } from './skeleton'
import { TaskRow } from './task-row'

export function TaskList() {
  const { filters } = useFilters()
  const clock = useClock()
  const rows = useRef<HTMLUListElement>(null)
  const { tasks, isRight, hasMore, failure } = useTaskList()
  const { length, showMore } = useLength(writeFilters(new URLSearchParams(), filters))
  useRelease(rows, filters.status !== 'all')

  if (!isRight && tasks.length === 0 && !failure) return <Skeleton />
  const dated = tasks.slice(0, length).map((task) => ({ task, due: describeDue(task.due_date, clock) }))
  const grouped = filters.sort === 'due_date'
  return (
    <section aria-label="Tasks" aria-busy={!isRight}>
      {failure && <Failure {...failure} />}
      {isRight && tasks.length === 0 && !failure && <Empty narrowed={isNarrowed(filters)} />}
      {dated.length > 0 && (
        <ul ref={rows} className={isRight ? 'tasks' : 'tasks stale'}>
          {dated.map(({ task, due }, index) => (
            <Fragment key={taskKey(task)}>
              {grouped && due.group !== dated[index - 1]?.due.group && (
                <li className="group">
                  <h2>{due.group}</h2>
                </li>
              )}
              <TaskRow task={task} due={due} />
            </Fragment>
          ))}
        </ul>
      )}
      {(hasMore || tasks.length > length) && <MoreButton busy={hasMore} load={showMore} />}
      <p className="hidden" role="status">
        {hasMore ? 'Loading more' : countOf(dated.length, tasks.length)}
      </p>
    </section>
  )
}

/** How many tasks the list shows: the first ones again whenever it is another list. */
function useLength(list: string) {
  const [more, setMore] = useState({ list, length: pageSize })
  const length = more.list === list ? more.length : pageSize
  return { length, showMore: () => setMore({ list, length: length + pageSize }) }
}

function countOf(shown: number, all: number): string {
  if (shown < all) return `${shown} of ${all} tasks`
  return all === 1 ? '1 task' : `${all} tasks`
}
