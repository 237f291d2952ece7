'use client'

import { useId, useState } from 'react'

import { useOnline } from '@/lib/connection'
import { usePage } from '@/lib/page-context'
import type { Theme } from '@/lib/theme'

import { DeleteAccount } from './delete-account'
import { DeleteTasks } from './delete-tasks'
import { DownloadButton } from './download-button'
import { ToastProvider } from './toasts'
import { TopBar } from './top-bar'

interface Props {
  theme: Theme
  email: string
  /** Whether all tasks have just been deleted. */
  erased: boolean
}

/** What a person can do with everything that the app keeps of them. */
export function MyAccount({ theme, email, erased }: Props) {
  const { person } = usePage()
  const online = useOnline()
  const id = useId()
  const [asked, setAsked] = useState<'tasks' | 'account'>()
  const close = () => setAsked(undefined)
  /** A button that opens a dialog. Offline it does nothing, and says why. */
  const opens = (what: 'tasks' | 'account') => ({
    className: 'button danger',
    'aria-haspopup': 'dialog' as const,
    'aria-disabled': !online,
    'aria-describedby': `${id}-offline`,
    onClick: () => online && setAsked(what),
  })
  return (
    <ToastProvider>
      <TopBar theme={theme} />
      <main className="board matters">
        <div className="heading">
          <h1>Your account</h1>
          <a href="/">Back to your tasks</a>
        </div>
        <p className="muted">
          {person.name}, {email}
        </p>
        <div role="status" id={`${id}-offline`}>
          {!online && <p className="notice">You are offline. This page needs a connection.</p>}
        </div>
        <div role="status">{erased && <p className="notice">All your tasks have been deleted.</p>}</div>
        <section className="matter">
          <h2>Your tasks as a file</h2>
          <p>All of them, with those that were deleted and are still kept, as lines of JSON.</p>
          <DownloadButton describedBy={`${id}-offline`} />
        </section>
        <section className="matter">
          <h2>Delete your tasks</h2>
          <p>All of them, for good. Your account stays.</p>
          <button {...opens('tasks')}>Delete my tasks</button>
        </section>
        <section className="matter">
          <h2>Delete your account</h2>
          <p>Your tasks and then your account, for good.</p>
          <button {...opens('account')}>Delete my account</button>
        </section>
      </main>
      {asked === 'tasks' && <DeleteTasks close={close} />}
      {asked === 'account' && <DeleteAccount close={close} />}
    </ToastProvider>
  )
}
