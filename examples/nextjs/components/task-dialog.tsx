'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useId, useLayoutEffect, useRef, useSyncExternalStore } from 'react'
import { TaskwardError } from 'taskward-client'
import { getTaskOptions } from 'taskward-client/react-query'

import { isPassing } from '@/lib/failures'
import { usePage } from '@/lib/page-context'
import { listedTasks } from '@/lib/queries'
import { retryNow } from '@/lib/retries'
import { useOpenTask } from '@/lib/use-address'

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
      {task === 'new' ? <TaskForm close={close} /> : <ExistingTask id={task} close={close} />}
    </Modal>
  )
}

const nothingChanges = () => () => {}

function ExistingTask({ id, close }: { id: number; close: () => void }) {
  const { taskward } = usePage()
  const queries = useQueryClient()
  const { data, failureReason: error, refetch } = useQuery({
    ...getTaskOptions({ client: taskward.client, path: { id } }),
    initialData: () => listedTasks(queries).find((task) => task.id === id),
    gcTime: 0, // removed on closing: the next time, the lists may have a newer version
  })
  if (data) return <TaskForm task={data} close={close} />
  if (TaskwardError.is(error, 'task_not_found')) return <p>You have no task {id}. Perhaps it was deleted.</p>
  if (!error) return <p role="status">Loading…</p>
  const retry = () => void (isPassing(error) ? retryNow(queries) : refetch())
  return <Failure text="The task could not be loaded." error={error} retry={retry} />
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
