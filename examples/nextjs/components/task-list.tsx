'use client'

import { Fragment, useEffect, useRef } from 'react'

import { useClock } from '@/lib/clock'
import { describeDue } from '@/lib/dates'
import { explain } from '@/lib/failures'
import { isNarrowed } from '@/lib/filters'
import { useFilters } from '@/lib/use-address'
import { useTaskList } from '@/lib/use-tasks'

import { TaskRow } from './task-row'

export function TaskList() {
  const { filters } = useFilters()
  const clock = useClock()
  const list = useTaskList()
  const tasks = list.data?.pages.flatMap(({ items }) => items) ?? []
  const rows = tasks.map((task) => ({ task, due: describeDue(task.due_date, clock) }))
  const grouped = filters.sort === 'due_date'
  // The server knows no time zone: it has a date at its midnight in UTC, perhaps among the times of the day before.
  if (grouped) rows.sort((one, other) => one.due.day - other.due.day)

  if (list.isPending) return <Skeleton />
  return (
    <section aria-label="Tasks" aria-busy={list.isPlaceholderData}>
      {list.error && !list.isFetchNextPageError && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && tasks.length === 0 && <Empty narrowed={isNarrowed(filters)} />}
      {tasks.length > 0 && (
        <ul className={list.isPlaceholderData ? 'tasks stale' : 'tasks'}>
          {rows.map(({ task, due }, index) => (
            <Fragment key={task.id}>
              {grouped && due.group !== rows[index - 1]?.due.group && (
                <li className="group">
                  <h2>{due.group}</h2>
                </li>
              )}
              <TaskRow task={task} due={due} />
            </Fragment>
          ))}
        </ul>
      )}
      {list.isFetchNextPageError && <Failure error={list.error} retry={() => void list.fetchNextPage()} />}
      {list.hasNextPage && !list.isFetchNextPageError && (
        <MoreButton busy={list.isFetchingNextPage} load={() => void list.fetchNextPage()} />
      )}
      <p className="hidden" role="status">
        {list.isFetchingNextPage ? 'Loading more' : `${tasks.length}${list.hasNextPage ? ' or more' : ''} tasks`}
      </p>
    </section>
  )
}

/** Presses itself when it comes into sight. */
function MoreButton({ busy, load }: { busy: boolean; load: () => void }) {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (busy || !button.current) return
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && load(), { rootMargin: '400px' })
    observer.observe(button.current)
    return () => observer.disconnect()
  })
  return (
    <button ref={button} className="button wide" aria-disabled={busy} onClick={() => busy || load()}>
      {busy ? 'Loading…' : 'Load more'}
    </button>
  )
}

function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <div className="notice failure" role="alert">
      <p>Your tasks could not be fetched. {explain(error)}</p>
      <button className="button" onClick={retry}>
        Try again
      </button>
    </div>
  )
}

function Empty({ narrowed }: { narrowed: boolean }) {
  return (
    <div className="empty">
      <svg viewBox="0 0 120 84" aria-hidden="true">
        <rect x="18" y="10" width="84" height="64" rx="10" />
        <path d="M34 30l5 5 9-10M58 30h28M34 54l5 5 9-10M58 54h20" />
      </svg>
      <h2>{narrowed ? 'Nothing matches' : 'Nothing to do'}</h2>
      <p className="muted">
        {narrowed ? 'Try another word, or clear the filters.' : 'Write down the first thing that comes to your mind.'}
      </p>
    </div>
  )
}

function Skeleton() {
  return (
    <div className="tasks skeleton" role="status" aria-label="Loading your tasks">
      {Array.from({ length: 5 }, (_, index) => (
        <div className="task" key={index}>
          <i className="disc" />
          <i className="bar" />
        </div>
      ))}
    </div>
  )
}
