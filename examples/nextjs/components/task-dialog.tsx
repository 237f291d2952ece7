'use client'

import { type ReactNode, useId, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { Task } from 'taskward-client'
import { taskKey } from 'taskward-client/tanstack-db'

import { moveDraft, taskDraft, useDraft } from '@/lib/drafts'
import { readEdit, writeEdit } from '@/lib/edits'
import { usePage } from '@/lib/page-context'
import { useOpenTask } from '@/lib/use-address'
import { useTasks } from '@/lib/use-tasks'

import { Failure } from './failure'
import { Icon } from './icons'
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
    <Modal key={task} label={task === 'new' ? 'New task' : 'Edit task'} isNew={task === 'new'} close={close}>
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

interface ModalProps {
  label: string
  isNew: boolean
  close: () => void
  children: ReactNode
}

/** The browser keeps the focus inside, closes the dialog on Escape, and returns the focus. */
function Modal({ label, isNew, close, children }: ModalProps) {
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  // A layout effect is cleaned up before the element is removed. Closing only returns the focus before that.
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    // A new task is typed at once. An existing one is read first, and on a phone the keyboard would cover it.
    const first = isNew ? element?.querySelector('input') : heading.current
    first?.focus()
    return () => element?.close()
  }, [isNew])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onPointerDown={(event) => event.target === event.currentTarget && close()}
    >
      <div className="sheet">
        <header>
          <h2 id={id} ref={heading} tabIndex={-1}>
            {label}
          </h2>
          <button className="button quiet round" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
