'use client'

import { useState, useSyncExternalStore } from 'react'
import type { Task } from 'taskward-client'
import { taskKey } from 'taskward-client/tanstack-db'

import { moveDraft, taskDraft, useDraft } from '@/lib/drafts'
import { readEdit, writeEdit } from '@/lib/edits'
import { usePage } from '@/lib/page-context'
import { useOpenTask } from '@/lib/use-address'
import { useTasks } from '@/lib/use-tasks'

import { Failure } from './failure'
import { Modal } from './modal'
import { TaskForm } from './task-form'

/** The task that the address opens, or a new one. */
export function TaskDialog() {
  const { task, close } = useOpenTask()
  // Browser only: HTML cannot open a modal dialog, and the form needs the drafts and the time zone.
  const isBrowser = useSyncExternalStore(
    nothingChanges,
    () => true,
    () => false,
  )
  if (!task || !isBrowser) return null
  return (
    <Modal key={task} label={task === 'new' ? 'New task' : 'Edit task'} typesAtOnce={task === 'new'} close={close}>
      {task === 'new' ? <TaskForm close={close} /> : <ExistingTask name={task} close={close} />}
    </Modal>
  )
}

const nothingChanges = () => () => {}

function ExistingTask({ name, close }: { name: string; close: () => void }) {
  const { first, retry } = usePage()
  const { tasks, isReady } = useTasks()
  const [seen, setSeen] = useState<Task>()
  const task = tasks?.find(({ id, uid }) => String(id) === name || uid === name)
  if (task && task !== seen) setSeen(task)
  if (task) return <TaskForm task={task} close={close} />
  if (isReady) return seen ? <Deleted task={seen} /> : <p>You have no task {name}. Perhaps it was deleted.</p>
  if (first.failure) return <Failure reason={first.failure.text} isPassing={first.failure.isPassing} retry={retry} />
  return <p role="status">Loading…</p>
}

/** In place of a task that was deleted elsewhere while its form was open. What was typed is not lost. */
function Deleted({ task }: { task: Task }) {
  const { person } = usePage()
  const { open } = useOpenTask()
  const name = taskDraft(person, taskKey(task))
  const [draft] = useDraft(name)
  const addAgain = () => {
    moveDraft(name, taskDraft(person, 'new'), writeEdit({ fields: readEdit(draft, task).fields }))
    open('new')
  }
  return (
    <div className="conflict">
      <p role="status">“{task.title}” was deleted elsewhere.</p>
      <footer>
        <button className="button" onClick={addAgain}>
          Add it again as it is here
        </button>
      </footer>
    </div>
  )
}
