'use client'

import { useClock } from '@/lib/clock'
import { describeToday } from '@/lib/dates'
import { usePage } from '@/lib/page-context'
import type { Theme } from '@/lib/theme'
import { useNews } from '@/lib/use-news'
import { useRefusals } from '@/lib/use-refusals'

import { Connection } from './connection'
import { FilterBar } from './filter-bar'
import { QuickAdd } from './quick-add'
import { SignOutButton } from './sign-out-button'
import { TaskDialog } from './task-dialog'
import { TaskList } from './task-list'
import { ThemeButton } from './theme-button'
import { ToastProvider } from './toasts'

/** The page of a person who is signed in. */
export function Board({ theme }: { theme: Theme }) {
  const { person } = usePage()
  const clock = useClock()
  return (
    <ToastProvider>
      <header className="top">
        <p className="brand">
          <img src="/icon.svg" alt="" width="24" height="24" />
          Taskward
        </p>
        <span className="muted who">{person.name}</span>
        <ThemeButton theme={theme} />
        <SignOutButton />
      </header>
      <main className="board">
        <div className="heading">
          <h1 tabIndex={-1}>Your tasks</h1>
          <p className="muted">{describeToday(clock)}</p>
        </div>
        <Connection />
        <QuickAdd />
        <FilterBar />
        <TaskList />
      </main>
      <TaskDialog />
      <Messages />
    </ToastProvider>
  )
}

/** Tells what happens without a doing of the person. */
function Messages() {
  useNews()
  useRefusals()
  return null
}
