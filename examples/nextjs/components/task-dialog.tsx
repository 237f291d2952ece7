'use client'

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useId, useLayoutEffect, useRef, useSyncExternalStore } from 'react'
import { TaskwardError } from 'taskward-client'
import { getTaskOptions } from 'taskward-client/react-query'

import { explain } from '@/lib/failures'
import { usePage } from '@/lib/page-context'
import { listedTasks } from '@/lib/queries'
import { useOpenTask } from '@/lib/use-address'

import { Icon } from './icons'
import { TaskForm } from './task-form'

/** The task that the address opens, or a new one. */
export function TaskDialog() {
  const { task, close } = useOpenTask()
  // Only in the browser: a modal dialog cannot be sent with the page, and the form knows drafts and the time zone.
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
  const { data, error, refetch } = useQuery({
    ...getTaskOptions({ client: taskward.client, path: { id } }),
    initialData: () => listedTasks(queries).find((task) => task.id === id),
    gcTime: 0, // not kept after closing: the next time, the lists may know a newer version
  })
  if (data) return <TaskForm task={data} close={close} />
  if (TaskwardError.is(error, 'task_not_found')) return <p>You have no task {id}. Perhaps it was deleted.</p>
  if (!error) return <p role="status">Loading…</p>
  return (
    <div className="notice failure" role="alert">
      <p>The task could not be fetched. {explain(error)}</p>
      <button className="button" onClick={() => void refetch()}>
        Try again
      </button>
    </div>
  )
}

interface ModalProps {
  label: string
  isNew: boolean
  close: () => void
  children: ReactNode
}

/** The browser keeps the focus inside, closes it by Escape, and gives the focus back. */
function Modal({ label, isNew, close, children }: ModalProps) {
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useRef<HTMLHeadingElement>(null)
  // A layout effect ends before the element goes: only then does closing give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    // A new task wants to be typed. One that is there is read first, and no keyboard should cover it on a phone.
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
