'use client'

import type { Task } from 'taskward-client'

import type { Due } from '@/lib/dates'
import { priorities } from '@/lib/filters'
import { useFilters, useOpenTask } from '@/lib/use-address'
import { useComplete, useDelete } from '@/lib/use-tasks'

import { Icon } from './icons'

export function TaskRow({ task, due }: { task: Task; due: Due }) {
  const { open } = useOpenTask()
  const { change } = useFilters()
  const complete = useComplete(task.id)
  const remove = useDelete(task.id)
  const { title, description, completed, priority, tags } = task
  const overdue = due.overdue && !completed
  return (
    <li className={completed ? 'task done' : 'task'} data-priority={priority}>
      <input
        type="checkbox"
        className="check"
        checked={completed}
        onChange={() => complete.mutate(task)}
        aria-label={`Done: ${title}`}
      />
      <div className="words">
        <button className="title" aria-haspopup="dialog" onClick={() => open(task.id)}>
          {title}
        </button>
        {description && <p className="description">{description}</p>}
        <p className="facts">
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
            <button
              key={tag}
              className="tag"
              onClick={() => change({ tag })}
              aria-label={`Only tasks with the tag ${tag}`}
            >
              #{tag}
            </button>
          ))}
        </p>
      </div>
      <button className="button quiet round remove" onClick={() => remove.mutate(task)} aria-label={`Delete: ${title}`}>
        <Icon name="trash" />
      </button>
    </li>
  )
}
