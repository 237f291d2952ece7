'use client'

import type { Task } from 'taskward-client'

import type { Due } from '@/lib/dates'
import { taskDraft, useDraft } from '@/lib/drafts'
import { hasChanges } from '@/lib/edits'
import { priorities } from '@/lib/filters'
import { usePage } from '@/lib/page-context'
import { useFilters, useOpenTask } from '@/lib/use-address'
import { useComplete } from '@/lib/use-complete'
import { useDelete } from '@/lib/use-delete'

import { Icon } from './icons'

interface Props {
  task: Task
  due: Due
  /** Keeps the task in the list for a moment after it was ticked, although it no longer belongs there. */
  linger: (id: number) => void
}

export function TaskRow({ task, due, linger }: Props) {
  const { person } = usePage()
  const { open } = useOpenTask()
  const { filters } = useFilters()
  const [draft] = useDraft(taskDraft(person, task.id))
  const complete = useComplete()
  const remove = useDelete()
  const { title, description, completed, priority } = task

  function toggle() {
    if (filters.status !== 'all') linger(task.id)
    complete.mutate(task)
  }
  return (
    <li className={completed ? 'task done' : 'task'} data-priority={priority} data-task={task.id}>
      <label className="tick">
        <input type="checkbox" className="check" checked={completed} onChange={toggle} aria-label={`Done: ${title}`} />
      </label>
      <div className="words">
        <button className="title" aria-haspopup="dialog" onClick={() => open(task.id)}>
          {title}
        </button>
        {description && <p className="description">{description}</p>}
        <Facts task={task} due={due} hasDraft={hasChanges(draft)} />
      </div>
      <button className="button quiet round remove" onClick={() => remove.mutate(task)} aria-label={`Delete: ${title}`}>
        <Icon name="trash" />
      </button>
    </li>
  )
}

function Facts({ task, due, hasDraft }: { task: Task; due: Due; hasDraft: boolean }) {
  const { change } = useFilters()
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
