'use client'

import { useSyncExternalStore } from 'react'
import type { Task } from 'taskward-client'
import { taskKey } from 'taskward-client/tanstack-db'

import { useOnline } from '@/lib/connection'
import type { Due } from '@/lib/dates'
import { taskDraft, useDraft } from '@/lib/drafts'
import { hasChanges } from '@/lib/edits'
import { priorities } from '@/lib/filters'
import { usePage } from '@/lib/page-context'
import { useFilters, useOpenTask } from '@/lib/use-address'
import { useChanges } from '@/lib/use-changes'

import { Icon } from './icons'

interface Props {
  task: Task & { $hasPendingWrites?: boolean }
  due: Due
}

export function TaskRow({ task, due }: Props) {
  const { person, lingering } = usePage()
  const { open } = useOpenTask()
  const { filters } = useFilters()
  const [draft] = useDraft(taskDraft(person, taskKey(task)))
  const { complete, remove } = useChanges()
  const { title, description, completed, priority } = task
  const isUnsent = task.$hasPendingWrites ?? false

  function toggle() {
    if (filters.status !== 'all') lingering.add(taskKey(task))
    complete(task)
  }
  return (
    <li
      className={completed ? 'task done' : 'task'}
      data-priority={priority}
      data-key={taskKey(task)}
      data-unsent={isUnsent || undefined}
    >
      <label className="tick">
        <input type="checkbox" className="check" checked={completed} onChange={toggle} aria-label={`Done: ${title}`} />
      </label>
      <div className="words">
        <button className="title" aria-haspopup="dialog" onClick={() => open(task.id > 0 ? task.id : taskKey(task))}>
          {title}
        </button>
        {description && <p className="description">{description}</p>}
        <Facts task={task} due={due} hasDraft={hasChanges(draft)} isUnsent={isUnsent} />
      </div>
      <button className="button quiet round remove" onClick={() => void remove(task)} aria-label={`Delete: ${title}`}>
        <Icon name="trash" />
      </button>
    </li>
  )
}

function Facts({ task, due, hasDraft, isUnsent }: Props & { hasDraft: boolean; isUnsent: boolean }) {
  const { stream } = usePage()
  const online = useOnline()
  const { change } = useFilters()
  const hasFailed = useSyncExternalStore(
    stream.subscribe,
    () => stream.error !== undefined,
    () => false,
  )
  const { completed, priority, tags } = task
  const overdue = due.overdue && !completed
  return (
    <p className="facts">
      {hasDraft && (
        <span className="fact draft">
          <Icon name="pencil" />
          Unsaved changes
        </span>
      )}
      {isUnsent && (hasFailed || !online) && (
        <span className="fact draft">
          <Icon name="cloud" />
          Not sent yet
        </span>
      )}
      {due.text && (
        <span className={overdue ? 'fact overdue' : 'fact'}>
          <Icon name="calendar" />
          <span className="hidden">Due: </span>
          {due.text}
          {overdue && ' · overdue'}
        </span>
      )}
      {priority !== 'medium' && (
        <span className={`fact ${priority}`}>
          <Icon name="flag" />
          {priorities[priority]}
          <span className="hidden"> priority</span>
        </span>
      )}
      {tags.map((tag) => (
        <button key={tag} className="tag" onClick={() => change({ tag })} aria-label={`Only tasks with the tag ${tag}`}>
          #{tag}
        </button>
      ))}
    </p>
  )
}
